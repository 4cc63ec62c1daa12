"""The options of ``train.py`` as what its commands take: corpora, configuration, machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import UserError

if TYPE_CHECKING:
    from fer_core.data.clips import Modalities
    from fer_core.training.config import StageName
    from fer_core.training.job import TrainingJob
    from fer_core.training.material import CorpusChoice


def prepared(options: argparse.Namespace) -> TrainingJob:
    """What is asked for; says what the corpora hold before anything begins."""
    import torch

    from fer_core.training.config import RunConfig, read_values
    from fer_core.training.job import TrainingJob
    from fer_core.training.machine import Machine
    from fer_core.training.material import read_material

    flags = {name: getattr(options, name) for name in ("epochs", "batch", "lr")}
    given = {name: value for name, value in flags.items() if value is not None}
    values = read_values(options.config, options.set, given)
    if options.preset is not None:
        values["preset"] = options.preset
    if options.seed is not None:
        values["seed"] = options.seed
    try:
        config = RunConfig.from_values(values)
    except ValueError as error:
        raise UserError(f"The configuration cannot be used: {error}.") from error
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    machine = Machine(
        options.device,
        options.devices,
        options.nodes,
        options.strategy,
        options.workers,
        options.progress,
        options.log,
    )
    material = [
        read_material(choice, config.seed, options.allow_missing, machine.count)
        for choice in choices_of(options)
    ]
    if machine.rank == 0:
        for own in material:
            say(options, own.checked.as_text())
            if any(fold.leaks_speakers for fold in own.folds):
                warning = (
                    "the same people are in training and test: scores say nothing about others"
                )
                print(f"train.py: warning: {own.corpus.name}: {warning}.", file=sys.stderr)
    return TrainingJob(
        config,
        material,
        options.out,
        cache_of(options),
        machine,
        stages_of(options),
        modalities_of(options),
    )


def choices_of(options: argparse.Namespace) -> list[CorpusChoice]:
    from fer_core.data.corpora.registry import CORPORA
    from fer_core.training.material import CorpusChoice

    splits = options.split or []
    count = len(options.corpus)
    if len(options.data) != count or len(splits) > count:
        raise UserError(
            f"{count} --corpus with {len(options.data)} --data and {len(splits)} --split.",
            "Name a folder for each corpus, and a split for as many as you like.",
        )
    singing = [name for name in options.corpus if "song" in CORPORA[name].flags]
    if options.song and not singing:
        raise UserError("None of these corpora has songs.", "Leave --song out.")
    names = [*splits, *[None] * (count - len(splits))]
    return [
        CorpusChoice(name, folder, split, options.song and name in singing)
        for name, folder, split in zip(options.corpus, options.data, names, strict=True)
    ]


def modalities_of(options: argparse.Namespace) -> Modalities:
    from fer_core.data.clips import Modalities

    return Modalities("audio" in options.modalities, "video" in options.modalities)


def stages_of(options: argparse.Namespace) -> tuple[StageName, ...]:
    from fer_core.training.config import STAGES

    if options.stages is None:
        return ()
    named = tuple(options.stages.split(","))
    if unknown := [name for name in named if name not in STAGES]:
        raise UserError(f"There is no stage {unknown[0]!r}.", f"There are {', '.join(STAGES)}.")
    return named


def cache_of(options: argparse.Namespace) -> Path:
    import platformdirs

    if options.cache is not None:
        return Path(options.cache)
    return Path(os.environ.get("FER_CACHE") or platformdirs.user_cache_dir("fer-desktop"))


def say(options: argparse.Namespace, text: str) -> None:
    """To people; where standard output is for programs, to standard error."""
    out = sys.stderr if getattr(options, "progress", None) == "jsonl" else sys.stdout
    print(text, file=out, flush=True)
