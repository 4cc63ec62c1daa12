"""Many files, one after another or in several processes; one that fails never stops the rest."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from fer_core.analysis.analysis import Analysis, OnProgress
from fer_core.analysis.export import OVERLAY
from fer_core.analysis.identities import FaceChoice
from fer_core.analysis.inputs import Job
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.results import Made, check_writable, complete_results, write_results
from fer_core.analysis.timeline import SCHEMA
from fer_core.data.clips import Modalities
from fer_core.errors import UserError


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done with each file."""

    formats: tuple[str, ...]  # of the files written; with "resume" JSON is one of them
    hop_s: float
    wanted: Modalities
    face: FaceChoice
    sound_track: int | None
    resume: bool
    tells: bool  # outcomes hold the documents


@dataclass(frozen=True, slots=True)
class Outcome:
    job: Job
    summaries: tuple[dict[str, Any], ...] = ()  # of each face, as in its JSON
    documents: tuple[dict[str, Any], ...] = ()  # the timelines as JSON, if they were asked for
    error: str | None = None  # a sentence
    was_there: bool = False  # since an earlier call


def run_job(job: Job, model: LoadedModel, recipe: Recipe, on_progress: OnProgress) -> Outcome:
    """Analyse a file and write its results."""
    try:
        return _run(job, model, recipe, on_progress)
    except UserError as error:
        return Outcome(job, error=str(error))
    except Exception as error:
        text = f"Something unexpected happened: {type(error).__name__}: {error}"
        return Outcome(job, error=text)


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
        share_threads(model, workers)
        for job in jobs:
            yield run_job(job, model, recipe, lambda *so_far, job=job: on_progress(job, *so_far))
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    try:
        waiting = {pool.submit(run_here, job, folder, device, recipe, workers): job for job in jobs}
        for future in as_completed(waiting):
            job = waiting.pop(future)  # or all outcomes would be kept
            try:
                yield future.result()
            except BrokenProcessPool:
                text = "The process that analysed it ended. Try again with --workers 1."
                yield Outcome(job, error=text)
    finally:
        pool.shutdown(cancel_futures=True)


def run_here(
    job: Job, folder: Path | None, device: str, recipe: Recipe, workers: int | None = None
) -> Outcome:
    """The same in a process of its own, one of ``workers`` here, which loads the model once."""
    try:
        model = _loaded(folder, device)
    except UserError as error:
        return Outcome(job, error=str(error))
    if workers is not None:
        share_threads(model, workers)
    return run_job(job, model, recipe, lambda *_: None)


_loaded = cache(LoadedModel.load)


def share_threads(model: LoadedModel, workers: int) -> None:
    """Let a network's threads be as many as this process has cores to itself.

    Compact looks at faces and decides at the same time, so that each gets half: on two cores one
    thread each takes a sixth less processor time. In larger networks the faces are nearly all.
    """
    at_once = 2 if model.predictor.config.vision.upstream is None else 1
    torch.set_num_threads(max((os.cpu_count() or 1) // (workers * at_once), 1))


def _run(job: Job, model: LoadedModel, recipe: Recipe, on_progress: OnProgress) -> Outcome:
    if recipe.resume:
        made = Made(SCHEMA, model.used.sha256, recipe.hop_s, recipe.wanted.only, recipe.sound_track)
        found = complete_results(job, recipe.formats, recipe.face, made)
        if found is not None:
            summaries = tuple(document["summary"] for document in found)
            return Outcome(job, summaries, tuple(found) if recipe.tells else (), was_there=True)
    if recipe.formats:
        check_writable(job.result.parent)  # or hours of work find a full disk
    analysis = Analysis(
        job.path, model, recipe.hop_s, recipe.wanted, recipe.face, recipe.sound_track
    )
    rounds = 2 if OVERLAY in recipe.formats else 1  # the video is read again to be drawn on
    for _ in analysis.segments():
        on_progress(analysis.done_s / rounds, analysis.duration_s)
    timelines = analysis.timelines()

    def on_drawn(done_s: float) -> None:
        on_progress((analysis.duration_s + done_s) / rounds, analysis.duration_s)

    sound_track = recipe.sound_track if recipe.wanted.audio else None
    write_results(job, timelines, recipe.formats, recipe.face, sound_track, on_drawn)
    return Outcome(
        job,
        tuple(timeline.summary() for timeline in timelines),
        tuple(timeline.as_json() for timeline in timelines) if recipe.tells else (),
    )
