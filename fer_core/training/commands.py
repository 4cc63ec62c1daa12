"""What each subcommand of ``train.py`` does with its options.

The commands import what they need themselves: torch would make --help wait for seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.training.options import (
    cache_of,
    choices_of,
    modalities_of,
    prepared,
    say,
)

if TYPE_CHECKING:
    from fer_core.data.item import Item
    from fer_core.data.splits import Fold
    from fer_core.evaluation.measurement import Measurement, Trial


def run_fit(options: argparse.Namespace) -> None:
    from fer_core.training.fit import fit

    if options.start_from is not None and (
        options.preset or any(setting.startswith("model.") for setting in options.set)
    ):
        raise UserError(
            "A run begun with --start-from has the network of that model.",
            "Leave --preset and --set model... out, or begin with fresh weights.",
        )
    job = prepared(options)
    outcome = fit(job, options.fold, options.start_from)
    if job.machine.rank == 0:
        for measurement in outcome.measurements:
            say(options, _in_a_line(measurement))
        say(options, f"The model is in {options.out / 'model'}, with its card.")


def run_crossval(options: argparse.Namespace) -> None:
    from fer_core.training.crossval import as_text, crossval

    result = crossval(prepared(options))
    if result:
        say(options, as_text(result))


def run_ablate(options: argparse.Namespace) -> None:
    from fer_core.training.ablate import ablate
    from fer_core.training.ablation_table import as_text

    table = ablate(prepared(options), options.fold or [0], lambda text: say(options, text))
    if table:
        say(options, as_text(table))


def run_tune(options: argparse.Namespace) -> None:
    from fer_core.training.tune import tune

    job = prepared(options)
    best = tune(job, options.fold, options.trials, lambda text: say(options, text))
    if best is None:
        raise UserError("No trial came to its end.", "Ask for more --trials, or smaller batches.")
    say(options, f"The best configuration: train with fit --config {best}.")


def run_evaluate(options: argparse.Namespace) -> None:
    from fer_core.device import resolve_device
    from fer_core.evaluation.answers import ensemble
    from fer_core.evaluation.measurement import Measurement
    from fer_core.resources import bundled_model
    from fer_core.training.counting import bar
    from fer_core.training.measuring import answers_of_all
    from fer_core.weights import load_checkpoint

    items, trial = tested(options)
    device = resolve_device(options.device)
    folders = options.model or [bundled_model()]
    models = [load_checkpoint(folder, device) for folder in folders]
    for folder, model in zip(folders, models, strict=True):
        taught = model.config.trained_on or "nothing"
        print(f"train.py: {folder} was trained on: {taught}", file=sys.stderr)
    print(f"train.py: who is scored: {trial.description}", file=sys.stderr)
    answers = ensemble(
        answers_of_all(models, items, cache_of(options), modalities_of(options), bar)
    )
    measurement = Measurement.of(trial, answers)
    if options.json:
        print(json.dumps(measurement.scores.as_json(trial.corpus, trial.split)))
    else:
        print(_in_a_line(measurement))


def tested(options: argparse.Namespace) -> tuple[tuple[Item, ...], Trial]:
    """Whom ``evaluate`` tests on, and the name of that."""
    from fer_core.data.pairs import pairs_of
    from fer_core.data.splits import told_together
    from fer_core.evaluation.measurement import Trial
    from fer_core.training.counting import bar
    from fer_core.training.material import PAIRED, at_fold, having, read_material, with_a_test
    from fer_core.training.measuring import ways

    choices = choices_of(options)
    if len(choices) != (1 if options.pairs is None else 2):
        raise UserError(
            "One corpus is scored at a time, and two as pairs.",
            "Call evaluate for each, or add --pairs 100.",
        )
    material = [
        read_material(choice, options.seed, options.allow_missing, bar) for choice in choices
    ]
    if options.fold is not None:
        material = at_fold(material, options.fold)
    scored = [[with_a_test(fold) for fold in own.folds] for own in material]
    folds = [fold for own in scored for fold in own]
    parts = [tuple(item for fold in own for item in fold.test) for own in scored]
    items = parts[0]
    if options.pairs is not None:
        items = pairs_of(items, options.pairs, faces=parts[1])
    if not items:
        raise UserError("The split has nothing to test.", "Choose another --split or --fold.")
    wanted = modalities_of(options)
    items = having(items, wanted)
    if not items:
        raise UserError(
            f"Nothing in the test part has {wanted.only or 'sound or picture'}.",
            "Choose other --modalities.",
        )
    names = [own[0].name for own in scored]
    if options.fold is None:  # all of them
        names = [re.sub(r"-\d+(?=,|$)", "", name) for name in names]
    split, told = " and ".join(names), [told_together(own) for own in scored]
    if options.pairs is not None:
        split, told = f"{options.pairs} pairs an emotion of {split}", [PAIRED, *told]
    return items, Trial(
        corpus=" with ".join(choice.name for choice in choices),
        split=split,
        description=" ".join(told),
        leaks_speakers=any(fold.leaks_speakers for fold in folds),
        shown=next(iter(ways(items, wanted))),
    )


def run_export(options: argparse.Namespace) -> None:
    from fer_core.export.folder import FORMATS, INT8_TOLERANCE, as_text, export_model
    from fer_core.export.prune import prune
    from fer_core.weights import load_checkpoint, save_checkpoint

    if options.prune is not None and options.folder.resolve() == options.model.resolve():
        raise UserError(
            f"The pruned model would be written over {options.model}.", "Name another folder."
        )
    model = load_checkpoint(options.model)
    if options.prune is not None:
        model, report = prune(model, options.prune)
        print(report.as_text())
    formats = options.format or FORMATS
    if options.int8:  # which is made of ONNX
        formats = (*formats, "onnx")
    reports = export_model(
        model,
        options.folder,
        formats,
        int8=options.int8,
        tolerance=options.tolerance,
        int8_tolerance=max(options.tolerance, INT8_TOLERANCE),
    )
    if options.prune is not None:
        save_checkpoint(model, options.folder)
    print(as_text(reports))


def run_pack(options: argparse.Namespace) -> None:
    from fer_core.export.pack import pack

    size = pack(options.model, options.folder)
    print(f"Wrote {options.folder}, {size / 1e6:.1f} MB.")


def run_summary(options: argparse.Namespace) -> None:
    from fer_core.training.summary import as_markdown, as_text

    config = FERConfig.preset(options.preset)
    if options.figure is not None:
        from fer_core.training.figure import draw

        draw(config, options.figure)
        print(f"Drawn into {options.figure}.")
    else:
        print(as_markdown() if options.markdown else as_text(config, options.batch))


def run_check(options: argparse.Namespace) -> None:
    from fer_core.data.check import check
    from fer_core.data.corpora.registry import read_corpus
    from fer_core.data.splits import split
    from fer_core.training.counting import bar

    for choice in choices_of(options):
        corpus = read_corpus(choice.name, choice.folder, song=choice.song)
        checked = check(corpus, options.depth, bar(f"Reading {corpus.name}"))
        if not options.json:
            print(checked.as_text())
        folds: tuple[Fold, ...] = ()
        if choice.split is not None:
            folds = split(checked.corpus, choice.split, allow_missing=options.allow_missing)
        told = [fold.description for fold in folds]
        if options.json:
            print(json.dumps(checked.as_json() | ({"folds": told} if told else {})))
        else:
            print(*told, sep="\n", end="\n" if told else "")


def run_convert_nemo(options: argparse.Namespace) -> None:
    from fer_core.model.nemo import convert_nemo

    config = convert_nemo(options.file, options.folder)
    print(
        f"Wrote {options.folder}. In the configuration's model.audio section set: "
        f'upstream "{options.folder}", batch_norm true, width {config.hidden_size}, '
        f"layers {config.num_hidden_layers}, heads {config.num_attention_heads}, "
        f"feed_forward {config.intermediate_size}, "
        f"conv_kernel {config.conv_kernel_size}, "
        f"subsampling_channels {config.subsampling_conv_channels}, "
        f"scale_input {str(config.scale_input).lower()}."
    )


def _in_a_line(measurement: Measurement) -> str:
    trial, scores = measurement.trial, measurement.scores
    uar = measurement.intervals.uar
    leak = "; LEAKS SPEAKERS: says nothing about new people" if trial.leaks_speakers else ""
    return (
        f"{trial.corpus}, {trial.split}, {trial.shown}: UAR {scores.uar:.3f} "
        f"({uar.low:.3f} to {uar.high:.3f}), WAR {scores.war:.3f}, ECE {scores.ece:.3f}, "
        f"n {scores.n}, {scores.speakers} speakers{leak}"
    )
