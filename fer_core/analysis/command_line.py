"""The command ``fer-analyze``.

What takes seconds to import, torch above all, is imported once the arguments are understood.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.analysis.export import FORMATS
from fer_core.analysis.inputs import Job, jobs_of
from fer_core.arguments import (
    INTERRUPTED,
    OneLineParser,
    add_device,
    add_modalities,
    list_of,
    positive,
    write_nowhere,
)
from fer_core.errors import UserError
from fer_core.media import CLIP_SECONDS, HOP_SECONDS, SHORTEST_HOP_SECONDS
from fer_core.openmp import let_threads_sleep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fer_core.analysis.batch import Outcome, Recipe
    from fer_core.analysis.identities import FaceChoice
    from fer_core.analysis.progress import JsonLines, Progress

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
    except BrokenPipeError:  # as of “| head”, who has read enough
        write_nowhere()
        return 1


def parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="fer-analyze",
        description="Emotions over time in recordings: a segment for each 375 ms of every file.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE|FOLDER|GLOB",
        help="a media file, a folder with all media in it, or a pattern such as '**/*.mp4'",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"folder of the results (default: {DEFAULT_OUT}, in the current folder)",
    )
    parser.add_argument(
        "--format",
        type=list_of(tuple(FORMATS)),
        metavar=",".join(FORMATS),
        help=f"what is written (default: {DEFAULT_FORMATS}; with --json alone nothing)",
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="a model's folder (default: the bundled model)"
    )
    parser.add_argument(
        "--hop",
        type=_hop,
        default=HOP_SECONDS,
        metavar="SECONDS",
        help=f"from one window of 3 s to the next (default: {HOP_SECONDS})",
    )
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="files analysed at once (default: 1; on a cluster, one for each processor)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="work on a Ray cluster: local, auto, HOST:PORT or ray://HOST:PORT",
    )
    add_device(parser)
    add_modalities(parser, "files")
    parser.add_argument(
        "--face",
        type=_face,
        default="largest",
        metavar="largest|INDEX|all",
        help="which face: the largest, one by its number (from 0, in order of appearance), or all, "
        "each in files of its own (default: largest)",
    )
    parser.add_argument(
        "--sound-track",
        type=positive,
        metavar="N",
        help="which of several sound tracks, from 1 (default: the file's main one)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out files that have all their results, JSON among them, for the same content, "
        "model, hop, modalities and sound track",
    )
    parser.add_argument(
        "--overview",
        type=Path,
        metavar="FILE",
        help="also write a table (CSV) with a row for each file: the share of its time in which "
        "each emotion is the most likely",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--json", action="store_true", help="one JSON object for each file on standard output"
    )
    output.add_argument(
        "--progress",
        choices=("bar", "jsonl"),
        default="bar",
        help="how progress is shown; jsonl is for programs, on standard output (default: bar)",
    )
    return parser


def _run(jobs: list[Job], options: argparse.Namespace) -> int:
    let_threads_sleep()
    from fer_core.analysis.batch import Recipe
    from fer_core.analysis.overview import as_overview
    from fer_core.analysis.progress import JsonLines, Progress
    from fer_core.analysis.results import check_overview, check_spared, check_writable
    from fer_core.data.clips import Modalities
    from fer_core.whole_file import write_whole

    formats = options.format
    if formats is None:
        writes_nothing = options.json and options.out is None
        formats = () if writes_nothing else tuple(DEFAULT_FORMATS.split(","))
    if options.resume and "json" not in formats:
        raise UserError("--resume reads the JSON of an earlier call.", "Add json to --format.")
    out = options.out or DEFAULT_OUT
    check_spared(jobs, formats)
    if formats:
        check_writable(out)
    if options.overview is not None:
        check_overview(options.overview, jobs, formats)
    recipe = Recipe(
        formats=formats,
        hop_s=options.hop,
        wanted=Modalities("audio" in options.modalities, "video" in options.modalities),
        face=options.face,
        sound_track=options.sound_track,
        resume=options.resume,
        tells=options.json,
    )
    outcomes: dict[Job, Outcome] = {}
    lines = options.progress == "jsonl"
    with JsonLines(jobs, sys.stdout) if lines else Progress(jobs, sys.stderr) as progress:
        for outcome in _outcomes(jobs, options, recipe, progress):
            progress.on_file(outcome)
            outcomes[outcome.job] = replace(outcome, documents=())  # those of many films are large
            if options.json:
                failed = {"path": str(outcome.job.path), "error": outcome.error}
                try:
                    for document in outcome.documents or (failed,):
                        print(json.dumps(document), flush=True)
                except BrokenPipeError:
                    if not formats:  # nothing is left of what follows
                        raise
                    write_nowhere()
    in_order = [outcomes[job] for job in jobs]
    if options.overview is not None:
        write_whole(as_overview(in_order), options.overview)
    failures = [outcome for outcome in in_order if outcome.error is not None]
    skipped = sum(outcome.was_there for outcome in in_order)
    done = len(jobs) - skipped - len(failures)
    summary = f"{done} analysed, {skipped} already there, {len(failures)} failed."
    if formats and done + skipped:
        summary += f" Results are in {out}."
    print(summary, file=sys.stderr)
    for outcome in failures:
        print(f"  {outcome.job.path}: {outcome.error}", file=sys.stderr)
    return 1 if failures else 0


def _outcomes(
    jobs: list[Job], options: argparse.Namespace, recipe: Recipe, progress: Progress | JsonLines
) -> Iterator[Outcome]:
    if options.cluster is not None:
        from fer_core.analysis.cluster import run_on_cluster

        return run_on_cluster(
            jobs, options.model, options.device, recipe, options.cluster, options.workers
        )
    from fer_core.analysis.batch import run_jobs

    return run_jobs(
        jobs, options.model, options.device, recipe, options.workers or 1, progress.on_segment
    )


def _face(text: str) -> FaceChoice:
    if text == "largest":
        return "largest"
    if text == "all":
        return "all"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is none of largest, all, or a number from 0 on")
    return int(text)


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
