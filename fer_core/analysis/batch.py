"""Many files, one after another or in several processes; one that fails never stops the rest."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fer_core.analysis.analysis import Analysis, OnProgress
from fer_core.analysis.export.formats import export
from fer_core.analysis.inputs import Job
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.timeline import SCHEMA
from fer_core.data.clips import Modalities
from fer_core.data.digest import content_digest
from fer_core.errors import UserError


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done with each file."""

    formats: tuple[str, ...]  # of the files written; with "resume" JSON is one of them
    hop_s: float
    wanted: Modalities
    resume: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    job: Job
    document: dict[str, Any] | None  # the timeline as JSON
    error: str | None = None  # a sentence
    was_there: bool = False  # since an earlier call


def run_job(job: Job, model: LoadedModel, recipe: Recipe, on_progress: OnProgress) -> Outcome:
    """Analyse a file and write its results, JSON last: where it lies, all others do."""
    try:
        if recipe.resume and (document := _complete(job, model, recipe)) is not None:
            return Outcome(job, document, was_there=True)
        analysis = Analysis(job.path, model, recipe.hop_s, recipe.wanted)
        for _ in analysis.segments():
            on_progress(analysis.done_s, analysis.duration_s)
        timeline = analysis.timeline()
        for name in sorted(recipe.formats, key=lambda name: name == "json"):
            export(timeline, result_path(job, name))
        return Outcome(job, timeline.as_json())
    except UserError as error:
        return Outcome(job, None, str(error))
    except Exception as error:
        return Outcome(job, None, f"Something unexpected happened: {type(error).__name__}: {error}")


def run_jobs(
    jobs: Sequence[Job],
    folder: Path | None,
    device: str,
    recipe: Recipe,
    workers: int,
    on_progress: Callable[[Job, float, float], None],
) -> Iterator[Outcome]:
    """The outcomes as they come; with one worker ``on_progress`` is told of each segment.

    Raises:
        UserError: the model in ``folder`` cannot be used, before anything is analysed.
    """
    model = LoadedModel.load(folder, device)
    if workers == 1:
        for job in jobs:
            yield run_job(job, model, recipe, lambda *so_far, job=job: on_progress(job, *so_far))
        return
    threads = max((os.cpu_count() or 1) // workers, 1)
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _prepare, (folder, device, threads)
    )
    try:
        waiting = {pool.submit(_run_here, job, recipe): job for job in jobs}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                text = "The process that analysed it ended. Try again with --workers 1."
                yield Outcome(waiting[future], None, text)
    finally:
        pool.shutdown(cancel_futures=True)


def result_path(job: Job, format_name: str) -> Path:
    return job.result.with_name(f"{job.result.name}.{format_name}")


def _complete(job: Job, model: LoadedModel, recipe: Recipe) -> dict[str, Any] | None:
    """What an earlier call wrote, if it did all that this one would do."""
    try:
        document = json.loads(result_path(job, "json").read_text(encoding="utf-8"))
        made = (
            document["schema"],
            document["model"]["sha256"],
            document["hop_s"],
            document["source"]["sha256"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = made == (SCHEMA, model.used.sha256, recipe.hop_s, content_digest(job.path))
    there = all(result_path(job, name).is_file() for name in recipe.formats)
    return document if same and there else None


_model: LoadedModel  # of a worker process


def _prepare(folder: Path | None, device: str, threads: int) -> None:
    global _model
    torch.set_num_threads(threads)
    _model = LoadedModel.load(folder, device)


def _run_here(job: Job, recipe: Recipe) -> Outcome:
    return run_job(job, _model, recipe, lambda *_: None)
