"""The command ``fer-analyze``.

What takes seconds to import, torch above all, is imported once the arguments are understood.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.analysis.inputs import Job, jobs_of
from fer_core.arguments import (
    INTERRUPTED,
    OneLineParser,
    add_device,
    add_modalities,
    list_of,
    positive,
)
from fer_core.errors import UserError
from fer_core.media import CLIP_SECONDS, HOP_SECONDS, SHORTEST_HOP_SECONDS
from fer_core.openmp import let_threads_sleep

if TYPE_CHECKING:
    from fer_core.analysis.batch import Outcome

FORMATS = ("csv", "json", "srt", "vtt", "png", "html")
DEFAULT_FORMATS = "csv,json"
DEFAULT_OUT = Path("analysis")


def main(arguments: Sequence[str] | None = None) -> int:
    """Analyse; 0 all done, 1 some files failed, 2 nothing could begin."""
    options = parser().parse_args(arguments)
    try:
        jobs = jobs_of(options.files, options.out or DEFAULT_OUT)
        return _run(jobs, options)
    except UserError as error:
        print(f"fer-analyze: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fer-analyze: stopped; with --resume it goes on from here.", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="fer-analyze",
        description="Emotions over time in recordings: a segment for each 375 ms of every file.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE|FOLDER|GLOB", help="folders with all media in them"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"results (default: {DEFAULT_OUT}, here)"
    )
    parser.add_argument(
        "--format",
        type=list_of(FORMATS),
        metavar=",".join(FORMATS),
        help=f"what is written (default: {DEFAULT_FORMATS}; with --json alone nothing)",
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="default: the one that comes with the program"
    )
    parser.add_argument(
        "--hop",
        type=_hop,
        default=HOP_SECONDS,
        metavar="SECONDS",
        help=f"from one window of 3 s to the next (default: {HOP_SECONDS})",
    )
    parser.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="files at once (default: 1)"
    )
    add_device(parser)
    add_modalities(parser, "files")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out files whose results, JSON among them, are there, of the same content, "
        "model and hop",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a file on standard output"
    )
    return parser


def _run(jobs: list[Job], options: argparse.Namespace) -> int:
    let_threads_sleep()
    from fer_core.analysis.batch import Recipe, run_jobs
    from fer_core.analysis.progress import Progress
    from fer_core.data.clips import Modalities

    formats = options.format
    if formats is None:
        writes_nothing = options.json and options.out is None
        formats = () if writes_nothing else tuple(DEFAULT_FORMATS.split(","))
    if options.resume and "json" not in formats:
        raise UserError("--resume reads the JSON of an earlier call.", "Add json to --format.")
    wanted = Modalities("audio" in options.modalities, "video" in options.modalities)
    recipe = Recipe(formats, options.hop, wanted, options.resume)
    outcomes: list[Outcome] = []
    with Progress(jobs, sys.stderr) as progress:
        for outcome in run_jobs(
            jobs, options.model, options.device, recipe, options.workers, progress.on_segment
        ):
            outcomes.append(outcome)
            progress.on_file(outcome)
            if options.json:
                failed = {"path": str(outcome.job.path), "error": outcome.error}
                print(json.dumps(outcome.document or failed), flush=True)
    failures = [outcome for outcome in outcomes if outcome.error is not None]
    skipped = sum(outcome.was_there for outcome in outcomes)
    done = len(outcomes) - len(failures) - skipped
    summary = f"{done} analysed, {skipped} already there, {len(failures)} failed."
    if formats:
        summary += f" Results are in {options.out or DEFAULT_OUT}."
    print(summary, file=sys.stderr)
    for outcome in failures:
        print(f"  {outcome.job.path}: {outcome.error}", file=sys.stderr)
    return 1 if failures else 0


def _hop(text: str) -> float:
    try:
        hop_s = float(text)
    except ValueError:
        hop_s = -1.0
    if not SHORTEST_HOP_SECONDS <= hop_s <= CLIP_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not between {SHORTEST_HOP_SECONDS} and {CLIP_SECONDS:g} seconds"
        )
    return hop_s


if __name__ == "__main__":
    sys.exit(main())
