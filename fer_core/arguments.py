"""What the command lines of the project have in common."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

INTERRUPTED = 130  # the exit status of what Ctrl-C ended, as shells have it


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without a page of usage in front of it; exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def write_nowhere() -> None:
    """Once nobody reads standard output; Python would complain again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def positive(text: str) -> int:
    """A number from 1 on, as the type of an argument."""
    return _number_from(1, text)


def none_or_more(text: str) -> int:
    """A number from 0 on, as the type of an argument."""
    return _number_from(0, text)


def _number_from(lowest: int, text: str) -> int:
    if not text.isdecimal() or int(text) < lowest:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {lowest} on")
    return int(text)


def add_device(parser: Any) -> None:
    """``--device``, of a parser or a group."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where the network runs (default: auto, a GPU if there is one)",
    )


def add_modalities(parser: Any, of_what: str) -> None:
    """``--modalities``, a tuple of names."""
    parser.add_argument(
        "--modalities",
        type=list_of(("audio", "video")),
        default=("audio", "video"),
        metavar="audio,video",
        help=f"what is used of the {of_what} (default: both)",
    )


def list_of(choices: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Some of ``choices`` with commas between them, as the type of an argument."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(choices)}")
        return names

    return read
