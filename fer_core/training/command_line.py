"""The command line of ``train.py``: one subcommand for each thing that can be asked.

The commands import what they need themselves: torch would make --help wait for seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.arguments import OneLineParser
from fer_core.config import PRESETS, FERConfig
from fer_core.data.corpora.registry import CORPORA
from fer_core.data.splits import SPLITS
from fer_core.errors import UserError

if TYPE_CHECKING:
    from fer_core.data.clips import Modalities
    from fer_core.data.splits import Fold
    from fer_core.training.config import RunConfig
    from fer_core.training.fit import CorpusChoice, Material
    from fer_core.training.machine import Machine

INTERRUPTED = 130  # the exit status of what Ctrl-C ended, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when done, 1 for what a person can mend, 2 for a wrong argument."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: stopped; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="train.py", description="Train, measure and export the network.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    fit = command("fit", _fit, "train a model and measure it on people it never saw")
    _add_corpora(fit)
    _add_training(fit)
    fit.add_argument("--fold", type=int, default=0, help="of the split, from 0 (default: 0)")
    fit.add_argument("--start-from", type=Path, metavar="DIR", help="a model to begin with")

    crossval = command("crossval", _crossval, "a model for each fold of a split, mean and sd")
    _add_corpora(crossval)
    _add_training(crossval)

    ablate = command("ablate", _ablate, "what each part of the network is worth, in one table")
    _add_corpora(ablate)
    _add_training(ablate)
    ablate.add_argument(
        "--fold", type=int, action="append", help="of the split, repeatable (default: 0)"
    )

    tune = command("tune", _tune, "search hyperparameters on the validation people")
    _add_corpora(tune)
    _add_training(tune)
    tune.add_argument("--trials", type=_positive, default=30, help="in all (default: 30)")
    tune.add_argument("--fold", type=int, default=0, help="of the split, from 0 (default: 0)")

    evaluate = command("evaluate", _evaluate, "score a model, or several as an ensemble")
    _add_corpora(evaluate)
    evaluate.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        action="append",
        help="repeatable (default: the bundled)",
    )
    evaluate.add_argument("--fold", type=int, help="of the split (default: all of its test parts)")
    evaluate.add_argument(
        "--pairs",
        type=_positive,
        metavar="N",
        help="N pairs an emotion, of the first corpus's voices and the second's faces",
    )
    evaluate.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    _add_machine(evaluate)

    export = command("export", _export, "ONNX and torch.export, compared with torch")
    export.add_argument("model", type=Path, metavar="MODEL")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    export.add_argument("--format", choices=("onnx", "pt2"), action="append", help="default: both")
    export.add_argument("--int8", action="store_true", help="ONNX with eight-bit weights as well")
    export.add_argument("--tolerance", type=float, default=1e-4, help="largest difference allowed")
    export.add_argument(
        "--prune", type=float, metavar="SHARE", help="remove the weakest heads and channels"
    )

    packing = command("pack", _pack, "a trained model in half the size, with its card")
    packing.add_argument("model", type=Path, metavar="MODEL")
    packing.add_argument("folder", type=Path, metavar="FOLDER")

    summary = command("summary", _summary, "each part's parameters, operations and memory")
    summary.add_argument("--preset", choices=PRESETS, default="compact")
    summary.add_argument("--batch", type=int, default=4, help="for the memory that training needs")
    summary.add_argument("--markdown", action="store_true", help="all presets as a table")
    summary.add_argument("--figure", type=Path, metavar="FILE", help="draw the network")

    data = commands.add_parser("data", help="look at a corpus")
    checks = data.add_subparsers(required=True, metavar="COMMAND")
    check = checks.add_parser("check", help="what is in a corpus, and what cannot be used")
    check.set_defaults(run=_check)
    _add_corpora(check)
    check.add_argument(
        "--depth", choices=("names", "headers", "contents"), default="headers", help="how deep"
    )
    check.add_argument("--json", action="store_true")

    convert = command("convert-nemo", _convert_nemo, "make NVIDIA's .nemo file an audio.upstream")
    convert.add_argument("file", type=Path, metavar="FILE")
    convert.add_argument("folder", type=Path, metavar="FOLDER")
    return parser


def _add_corpora(parser: argparse.ArgumentParser) -> None:
    corpora = parser.add_argument_group("corpora, each --corpus with its --data")
    names = "; ".join(f"{name}: {kind.help}" for name, kind in CORPORA.items())
    corpora.add_argument("--corpus", action="append", required=True, choices=CORPORA, help=names)
    corpora.add_argument("--data", type=Path, action="append", required=True, metavar="DIR")
    splits = "; ".join(f"{name}: {text}" for name, text in SPLITS.items())
    corpora.add_argument(
        "--split",
        action="append",
        choices=SPLITS,
        metavar="NAME",
        help=f"of each corpus in turn, by speaker if left out. {splits}",
    )
    corpora.add_argument("--song", action="store_true", help="RAVDESS: sung recordings as well")
    corpora.add_argument(
        "--allow-missing", action="store_true", help="actors of the split may be missing"
    )
    corpora.add_argument(
        "--modalities",
        default="audio,video",
        metavar="audio,video",
        help="what is used of the recordings (default: both)",
    )
    corpora.add_argument(
        "--cache", type=Path, metavar="DIR", help="prepared media (default: in the user's cache)"
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    training = parser.add_argument_group("training")
    training.add_argument("--config", type=Path, metavar="FILE", help="YAML, see configs/")
    training.add_argument("--preset", choices=PRESETS, help="of the network")
    training.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="such as training.epochs=3"
    )
    for name, kind in (("epochs", int), ("batch", int), ("lr", float)):
        training.add_argument(f"--{name}", type=kind, help=f"{name} of every stage")
    training.add_argument("--seed", type=int)
    training.add_argument(
        "--stages", metavar="audio,visual,fusion,joint", help="default: what the corpora can teach"
    )
    training.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the run; an old one goes on"
    )
    _add_machine(training)
    training.add_argument("--devices", type=_positive, default=1, help="processes on each machine")
    training.add_argument("--nodes", type=_positive, default=1, help="machines")
    training.add_argument("--strategy", default="auto", help="of Lightning: ddp, fsdp ...")
    training.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    training.add_argument("--threads", type=_positive, help="of the CPU (default: all cores)")
    training.add_argument("--progress", choices=("bar", "jsonl", "none"), default="bar")
    training.add_argument("--log", choices=("tensorboard", "csv", "wandb"), default="tensorboard")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _add_machine(parser: Any) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")


def _fit(options: argparse.Namespace) -> None:
    from fer_core.training.fit import fit

    config, material, machine = _prepared(options)
    outcome = fit(
        config,
        material,
        options.fold,
        options.out,
        _cache(options),
        machine,
        _stages(options),
        options.start_from,
        _modalities(options),
    )
    if machine.rank == 0:
        for measurement in outcome.measurements:
            _say(options, _in_a_line(measurement))
        _say(options, f"The model is in {options.out / 'model'}, with its card.")


def _crossval(options: argparse.Namespace) -> None:
    from fer_core.training.crossval import as_text, crossval

    config, (first, *others), machine = _prepared(options)
    result = crossval(
        config,
        first,
        options.out,
        _cache(options),
        machine,
        _stages(options),
        _modalities(options),
        others,
    )
    if result:
        _say(options, as_text(result))


def _ablate(options: argparse.Namespace) -> None:
    from fer_core.training.ablate import ablate
    from fer_core.training.ablation_table import as_text

    config, (first, *others), machine = _prepared(options)
    table = ablate(
        config,
        first,
        options.fold or [0],
        options.out,
        _cache(options),
        machine,
        _stages(options),
        _modalities(options),
        others,
        say=lambda text: _say(options, text),
    )
    if table:
        _say(options, as_text(table))


def _tune(options: argparse.Namespace) -> None:
    from fer_core.training.tune import tune

    config, material, machine = _prepared(options)
    best = tune(
        config,
        material,
        options.fold,
        options.out,
        _cache(options),
        machine,
        options.trials,
        _stages(options),
        _modalities(options),
        say=lambda text: _say(options, text),
    )
    if best is None:
        raise UserError("No trial came to its end.", "Ask for more --trials, or smaller batches.")
    _say(options, f"The best configuration: train with fit --config {best}.")


def _evaluate(options: argparse.Namespace) -> None:
    from fer_core.data.pairs import pairs_of
    from fer_core.device import resolve_device
    from fer_core.evaluation.answers import ensemble
    from fer_core.evaluation.measurement import Measurement, Trial
    from fer_core.resources import bundled_model
    from fer_core.training.fit import answers_of_all, read_material
    from fer_core.weights import load_checkpoint

    choices = _choices(options)
    if len(choices) != (1 if options.pairs is None else 2):
        raise UserError(
            "One corpus is scored at a time, and two as pairs.",
            "Call evaluate for each, or add --pairs 100.",
        )
    folds: list[Fold] = []
    for choice in choices:
        own = read_material(choice, seed=0, allow_missing=options.allow_missing).folds
        folds += own if options.fold is None or len(own) == 1 else own[options.fold :][:1]
    items = tuple(item for fold in folds for item in fold.test)
    if options.pairs is not None:
        items = pairs_of(items, options.pairs)
    if not items:
        raise UserError("The split has nothing to test.", "Choose another --split or --fold.")
    device = resolve_device(options.device)
    folders = options.model or [bundled_model()]
    models = [load_checkpoint(folder, device) for folder in folders]
    for folder, model in zip(folders, models, strict=True):
        taught = model.config.trained_on or "nothing"
        print(f"train.py: {folder} was trained on: {taught}", file=sys.stderr)
    wanted = _modalities(options)
    answers = ensemble(answers_of_all(models, items, _cache(options), wanted))
    shown = {(True, True): "audio and video", (True, False): "audio alone"}.get(
        (wanted.audio, wanted.video), "video alone"
    )
    name = choices[0].split or folds[0].name.rsplit("-", 1)[0]
    split = name if options.fold is None else folds[0].name
    corpus = " with ".join(choice.name for choice in choices)
    if options.pairs is not None:
        split = f"{options.pairs} pairs an emotion of {split} and {folds[-1].name}"
    leaks = any(fold.leaks_speakers for fold in folds)
    trial = Trial(corpus, split, folds[0].description, leaks, shown)  # type: ignore[arg-type]
    measurement = Measurement.of(trial, answers)
    if options.json:
        scores = measurement.scores.as_json(corpus, split)
        print(json.dumps(scores))
    else:
        print(_in_a_line(measurement))


def _export(options: argparse.Namespace) -> None:
    from fer_core.export.folder import as_text, export_model
    from fer_core.export.prune import prune
    from fer_core.weights import load_checkpoint, save_checkpoint

    model = load_checkpoint(options.model)
    if options.prune is not None:
        model, report = prune(model, options.prune)
        save_checkpoint(model, options.folder)
        print(report.as_text())
    formats = tuple(options.format or ("onnx", "pt2"))
    reports = export_model(
        model, options.folder, formats, int8=options.int8, tolerance=options.tolerance
    )
    print(as_text(reports))


def _pack(options: argparse.Namespace) -> None:
    from fer_core.export.pack import pack

    size = pack(options.model, options.folder)
    print(f"Wrote {options.folder}, {size / 1e6:.1f} MB.")


def _summary(options: argparse.Namespace) -> None:
    from fer_core.training.summary import as_markdown, as_text

    config = FERConfig.preset(options.preset)
    if options.figure is not None:
        from fer_core.training.figure import draw

        draw(config, options.figure)
        print(f"Drawn into {options.figure}.")
    else:
        print(as_markdown() if options.markdown else as_text(config, options.batch))


def _check(options: argparse.Namespace) -> None:
    from fer_core.data.check import check
    from fer_core.data.corpora.registry import read_corpus

    for choice in _choices(options):
        corpus = read_corpus(choice.name, choice.folder, song=choice.song)
        checked = check(corpus, options.depth)
        print(json.dumps(checked.as_json()) if options.json else checked.as_text())


def _convert_nemo(options: argparse.Namespace) -> None:
    from fer_core.model.nemo import convert_nemo

    config = convert_nemo(options.file, options.folder)
    print(
        f"Wrote {options.folder}. In the configuration's audio section set: "
        f'upstream "{options.folder}", batch_norm true, width {config.hidden_size}, '
        f"layers {config.num_hidden_layers}, heads {config.num_attention_heads}, "
        f"feed_forward {config.intermediate_size}, "
        f"conv_kernel {config.conv_kernel_size}, "
        f"subsampling_channels {config.subsampling_conv_channels}, "
        f"scale_input {str(config.scale_input).lower()}."
    )


def _prepared(
    options: argparse.Namespace,
) -> tuple[RunConfig, list[Material], Machine]:
    """What every training needs; says what the corpora hold before anything begins."""
    import torch

    from fer_core.training.config import RunConfig, read_values
    from fer_core.training.fit import read_material
    from fer_core.training.machine import Machine

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
    material = [
        read_material(choice, config.seed, options.allow_missing) for choice in _choices(options)
    ]
    machine = Machine(
        options.device,
        options.devices,
        options.nodes,
        options.strategy,
        options.workers,
        options.progress,
        options.log,
    )
    if machine.rank == 0:
        for own in material:
            _say(options, own.checked.as_text())
            if any(fold.leaks_speakers for fold in own.folds):
                warning = (
                    "the same people are in training and test: scores say nothing about others"
                )
                print(f"train.py: warning: {own.corpus.name}: {warning}.", file=sys.stderr)
    return config, material, machine


def _choices(options: argparse.Namespace) -> list[CorpusChoice]:
    from fer_core.training.fit import CorpusChoice

    splits = options.split or []
    count = len(options.corpus)
    if len(options.data) != count or len(splits) > count:
        raise UserError(
            f"{count} --corpus with {len(options.data)} --data and {len(splits)} --split.",
            "Name a folder for each corpus, and a split for as many as you like.",
        )
    names = [*splits, *[None] * (count - len(splits))]
    return [
        CorpusChoice(name, folder, split, options.song)
        for name, folder, split in zip(options.corpus, options.data, names, strict=True)
    ]


def _modalities(options: argparse.Namespace) -> Modalities:
    from fer_core.data.clips import Modalities

    named = options.modalities.split(",")
    if not set(named) <= {"audio", "video"}:
        raise UserError(
            f"There are no modalities {options.modalities!r}.",
            "Write audio, video, or audio,video.",
        )
    return Modalities("audio" in named, "video" in named)


def _stages(options: argparse.Namespace) -> tuple[Any, ...]:
    from fer_core.training.config import STAGES

    if options.stages is None:
        return ()
    named = tuple(options.stages.split(","))
    if unknown := [name for name in named if name not in STAGES]:
        raise UserError(f"There is no stage {unknown[0]!r}.", f"There are {', '.join(STAGES)}.")
    return named


def _cache(options: argparse.Namespace) -> Path:
    import platformdirs

    if options.cache is not None:
        return Path(options.cache)
    return Path(os.environ.get("FER_CACHE") or platformdirs.user_cache_dir("fer-desktop"))


def _say(options: argparse.Namespace, text: str) -> None:
    """To people; where standard output is for programs, to standard error."""
    out = sys.stderr if getattr(options, "progress", None) == "jsonl" else sys.stdout
    print(text, file=out, flush=True)


def _in_a_line(measurement: Any) -> str:
    trial, scores = measurement.trial, measurement.scores
    uar = measurement.intervals.uar
    leak = "; LEAKS SPEAKERS: says nothing about new people" if trial.leaks_speakers else ""
    return (
        f"{trial.corpus}, {trial.split}, {trial.shown}: UAR {scores.uar:.3f} "
        f"({uar.low:.3f} to {uar.high:.3f}), WAR {scores.war:.3f}, ECE {scores.ece:.3f}, "
        f"n {scores.n}, {scores.speakers} speakers{leak}"
    )
