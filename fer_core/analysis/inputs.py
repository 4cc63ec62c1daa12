"""What was named on a command line -> media files, and where each one's results go."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import UserError

# Looked for in folders; a file that is named itself may have any suffix.
SUFFIXES = {
    ".3gp", ".aac", ".aif", ".aiff", ".avi", ".flac", ".flv", ".m2ts", ".m4a", ".m4v", ".mka",
    ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".oga", ".ogg", ".ogv", ".opus",
    ".ts", ".wav", ".webm", ".wma", ".wmv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    path: Path
    result: Path  # of its results, without a suffix


def jobs_of(named: Sequence[str], out: Path) -> list[Job]:
    """Files as they are, folders with all media in them, and patterns such as ``**/*.mp4``.

    Results are named as their files, in a folder's own order of folders. Files that differ in
    their suffix alone keep it (``a.wav.json``), and other namesakes are numbered.

    A folder or a pattern without media, among others that have some, is a job of its own, which
    fails and leaves the others alone. What lies in ``out`` is left out where a folder around it is
    searched: an earlier call made it.

    Raises:
        UserError: nothing that was named has a media file, or a name is empty.
    """
    if "" in named:  # Python takes it for the folder it is in
        raise UserError("One of the names is empty.", "Name a file, a folder or a glob.")
    by_name = {name: _found(name, out) for name in named}
    if not any(by_name.values()):
        names = ", ".join(f"“{name}”" for name in by_name)
        raise UserError(
            f"There is no media file in {names}.", "Name a recording, or a folder with some in it."
        )
    found: dict[Path, Path] = {}  # a file, and its place under ``out``
    for name, files in by_name.items():
        for path, place in files or [_itself(name)]:
            found.setdefault(path, place)
    stems = Counter(place.with_suffix("") for place in found.values())
    taken: Counter[Path] = Counter()
    jobs = []
    for path, place in found.items():
        result = place if stems[place.with_suffix("")] > 1 else place.with_suffix("")
        taken[result] += 1
        if taken[result] > 1:
            result = result.with_name(f"{result.name}-{taken[result]}")
        jobs.append(Job(path, out / result))
    return jobs


def _found(name: str, out: Path) -> list[tuple[Path, Path]]:
    folder = Path(name)
    if os.path.isdir(folder):  # and not where it may not be looked at, which Path would raise
        paths = _without_results(folder, sorted(folder.rglob("*")), out)
        return [(path, path.relative_to(folder)) for path in paths if _is_media(path)]
    if glob.has_magic(name) and not os.path.exists(folder):
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True))
        around = next(parent for parent in folder.parents if not glob.has_magic(str(parent)))
        paths = _without_results(around, matches, out)
        return [(path, Path(path.name)) for path in paths if os.path.isfile(path)]
    return [_itself(name)]


def _without_results(folder: Path, paths: list[Path], out: Path) -> list[Path]:
    results = out.resolve()
    if folder.resolve() not in results.parents:  # results may lie beside what they are of
        return paths
    return [path for path in paths if not path.resolve().is_relative_to(results)]


def _itself(name: str) -> tuple[Path, Path]:
    return Path(name), Path(Path(name).name)


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and os.path.isfile(path)
