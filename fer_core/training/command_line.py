"""The command line of ``train.py``: one subcommand for each thing that can be asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fer_core.arguments import (
    INTERRUPTED,
    OneLineParser,
    add_device,
    add_modalities,
    none_or_more,
    positive,
    write_nowhere,
)
from fer_core.config import PRESETS
from fer_core.data.corpora.registry import CORPORA
from fer_core.data.splits import SPLITS
from fer_core.errors import UserError
from fer_core.openmp import let_threads_sleep
from fer_core.training import commands

AddCommand = Callable[[str, Any, str], argparse.ArgumentParser]  # name, what it runs, help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when done, 1 for what a person can mend, 2 for a wrong argument."""
    let_threads_sleep()
    options = parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except UserError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: stopped; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # as of “| head”, who has read enough
        write_nowhere()
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="train.py", description="Train, measure and export the network.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    _add_trainings(command)
    _add_evaluate(command)
    _add_of_models(command)
    _add_data_check(subparsers)
    _add_convert(command)
    return parser


def _add_trainings(command: AddCommand) -> None:
    """What makes models: fit, crossval, ablate, tune."""
    fit = command("fit", commands.run_fit, "train a model and score it on people it never saw")
    _add_corpora(fit)
    _add_reading(fit)
    _add_training(fit)
    fit.add_argument("--fold", type=int, default=0, help="number of the fold, from 0 (default: 0)")
    fit.add_argument(
        "--start-from", type=Path, metavar="DIR", help="folder of a model to train further"
    )

    crossval = command(
        "crossval",
        commands.run_crossval,
        "train a model for each fold of a split; mean and deviation",
    )
    _add_corpora(crossval)
    _add_reading(crossval)
    _add_training(crossval)

    ablate = command(
        "ablate",
        commands.run_ablate,
        "measure what each part of the network is worth, in one table",
    )
    _add_corpora(ablate)
    _add_reading(ablate)
    _add_training(ablate)
    ablate.add_argument(
        "--fold",
        type=int,
        action="append",
        help="number of the fold, from 0; repeatable (default: 0)",
    )

    tune = command("tune", commands.run_tune, "search hyperparameters on the validation people")
    _add_corpora(tune)
    _add_reading(tune)
    _add_training(tune)
    tune.add_argument("--trials", type=positive, default=30, help="how many in all (default: 30)")
    tune.add_argument("--fold", type=int, default=0, help="number of the fold, from 0 (default: 0)")


def _add_evaluate(command: AddCommand) -> None:
    evaluate = command(
        "evaluate", commands.run_evaluate, "score a model, or several as an ensemble"
    )
    _add_corpora(evaluate)
    _add_reading(evaluate)
    evaluate.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        action="append",
        help="a model's folder; several are averaged (default: the bundled model)",
    )
    evaluate.add_argument(
        "--fold",
        type=int,
        help="number of the fold, from 0 (default: the test parts of all its folds)",
    )
    evaluate.add_argument(
        "--seed", type=int, default=0, help="with which fit drew the folds (default: 0)"
    )
    evaluate.add_argument(
        "--pairs",
        type=positive,
        metavar="N",
        help="score N pairs for each emotion: voices of the first corpus with faces of the second",
    )
    evaluate.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    add_device(evaluate)


def _add_of_models(command: AddCommand) -> None:
    """What is made of a model, or told of one: export, pack, summary."""
    export = command(
        "export",
        commands.run_export,
        "write a model as ONNX and torch.export files, compared with torch",
    )
    export.add_argument("model", type=Path, metavar="MODEL", help="a model's folder")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="where the files go")
    export.add_argument(
        "--format", choices=("onnx", "pt2"), action="append", help="repeatable (default: both)"
    )
    export.add_argument("--int8", action="store_true", help="also ONNX with 8-bit weights")
    export.add_argument(
        "--tolerance",
        type=float,
        default=1e-4,
        help="largest difference allowed (default: 0.0001; with int8 at least 0.1)",
    )
    export.add_argument(
        "--prune",
        type=float,
        metavar="SHARE",
        help="first remove this share of attention heads and feed-forward channels, the weakest",
    )

    packing = command(
        "pack", commands.run_pack, "copy a trained model in half the size, with its card"
    )
    packing.add_argument("model", type=Path, metavar="MODEL", help="a model's folder")
    packing.add_argument("folder", type=Path, metavar="FOLDER", help="where the copy goes")

    summary = command(
        "summary", commands.run_summary, "print each part's parameters, operations and memory"
    )
    summary.add_argument(
        "--preset", choices=PRESETS, default="compact", help="of the network (default: compact)"
    )
    summary.add_argument(
        "--batch", type=positive, default=4, help="for the memory that training needs (default: 4)"
    )
    summary.add_argument("--markdown", action="store_true", help="print all presets as a table")
    summary.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw the network into a file (.svg or .png)"
    )


def _add_data_check(subparsers: Any) -> None:
    data = subparsers.add_parser("data", help="look at a corpus")
    checks = data.add_subparsers(required=True, metavar="COMMAND")
    text = "list what is in a corpus, and what cannot be used and why"
    check = checks.add_parser("check", help=text, description=text)
    check.set_defaults(run=commands.run_check)
    _add_corpora(check)
    check.add_argument(
        "--depth",
        choices=("names", "headers", "contents"),
        default="headers",
        help="trust the names, read each file's header, or decode it all (default: headers)",
    )
    check.add_argument("--json", action="store_true", help="one JSON object for each corpus")


def _add_convert(command: AddCommand) -> None:
    convert = command(
        "convert-nemo",
        commands.run_convert_nemo,
        "convert NVIDIA's FastConformer (.nemo) to a folder for model.audio.upstream",
    )
    convert.add_argument("file", type=Path, metavar="FILE", help="the .nemo file")
    convert.add_argument("folder", type=Path, metavar="FOLDER", help="where the weights go")


def _add_corpora(parser: argparse.ArgumentParser) -> None:
    corpora = parser.add_argument_group("corpora, each --corpus with its --data")
    names = "; ".join(f"{name}: {kind.help}" for name, kind in CORPORA.items())
    corpora.add_argument("--corpus", action="append", required=True, choices=CORPORA, help=names)
    corpora.add_argument(
        "--data",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="its folder; of a manifest also the table itself",
    )
    splits = "; ".join(f"{name}: {text}" for name, text in SPLITS.items())
    corpora.add_argument(
        "--split",
        action="append",
        choices=SPLITS,
        metavar="NAME",
        help="of each corpus, in order (default: dev5 for ravdess, else official or speakers). "
        f"{splits}",
    )
    corpora.add_argument("--song", action="store_true", help="RAVDESS: use sung recordings as well")
    corpora.add_argument(
        "--allow-missing", action="store_true", help="allow actors of the split to be missing"
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    reading = parser.add_argument_group("what is used of them")
    add_modalities(reading, "recordings")
    reading.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder for decoded media and features (default: FER_CACHE, else the user's cache)",
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    training = parser.add_argument_group("training")
    training.add_argument(
        "--config", type=Path, metavar="FILE", help="settings in YAML, see configs/"
    )
    training.add_argument(
        "--preset",
        choices=PRESETS,
        help="size of the network (default: the configuration's, else compact)",
    )
    training.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, such as stages.audio.epochs=3; repeatable",
    )
    for name, kind, says in (
        ("epochs", int, "epochs"),
        ("batch", int, "clips in a batch, over all processes,"),
    ):
        training.add_argument(f"--{name}", type=kind, help=f"{says} of every stage")
    training.add_argument(
        "--lr",
        type=float,
        help="learning rate of the audio and the visual stage; the others have fusion_lr, "
        "classifier_lr and branch_lr, see --set",
    )
    training.add_argument(
        "--seed",
        type=int,
        help="seed of weights, order and drawn folds (default: the configuration's, else 0)",
    )
    training.add_argument(
        "--stages",
        metavar="audio,functionals,visual,fusion,joint",
        help="some of these (default: all that the corpora can teach)",
    )
    training.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the run; one that was stopped there goes on",
    )
    add_device(training)
    training.add_argument(
        "--devices", type=positive, default=1, help="processes on each machine (default: 1)"
    )
    training.add_argument("--nodes", type=positive, default=1, help="machines (default: 1)")
    training.add_argument(
        "--strategy",
        default="auto",
        help="how processes share the work: ddp, fsdp on GPUs, or another of Lightning's "
        "(default: auto)",
    )
    training.add_argument(
        "--workers",
        type=none_or_more,
        default=0,
        help="processes that prepare batches (default: 0)",
    )
    training.add_argument("--threads", type=positive, help="CPU threads (default: all cores)")
    training.add_argument(
        "--progress",
        choices=("bar", "jsonl", "none"),
        default="bar",
        help="how progress is shown; jsonl is for programs (default: bar)",
    )
    training.add_argument(
        "--log",
        choices=("tensorboard", "csv", "wandb"),
        default="tensorboard",
        help="where losses and scores are logged (default: tensorboard; wandb must be installed)",
    )
