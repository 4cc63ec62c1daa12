"""What lies in a corpus folder: media that are not plainly broken, and tables."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

from fer_core.data.file_header import quick_fault
from fer_core.data.item import Problem
from fer_core.errors import UserError

SOUND_SUFFIXES = frozenset((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"))
VIDEO_SUFFIXES = frozenset((".mp4", ".flv", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"))
PICTURE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))

SAME_NAME = "same name as another file"

Key = TypeVar("Key", bound=Hashable)


def media_files(folder: Path, suffixes: Iterable[str], problems: list[Problem]) -> list[Path]:
    """All files below ``folder`` with one of ``suffixes``, in order.

    Broken ones go to ``problems``.
    """
    found = [path for files in _folders_with(folder, suffixes).values() for path in files]
    usable = []
    for path in sorted(found):
        reason = quick_fault(path)
        if reason is None:
            usable.append(path)
        else:
            problems.append(Problem(inside(folder, path), reason))
    return usable


def frame_folders(folder: Path, problems: list[Problem]) -> list[Path]:
    """All folders below ``folder`` with pictures in them, in order.

    Those whose first picture is broken go to ``problems``; to open all of a million takes minutes.
    """
    usable = []
    for path, frames in sorted(_folders_with(folder, PICTURE_SUFFIXES).items()):
        reason = quick_fault(min(frames))
        if reason is None:
            usable.append(path)
        else:
            problems.append(Problem(inside(folder, path), f"first frame: {reason}"))
    return usable


def _folders_with(folder: Path, suffixes: Iterable[str]) -> dict[Path, list[Path]]:
    """Files below ``folder`` with one of ``suffixes``, by the folder they are in.

    Hidden files are no part of a corpus: macOS leaves “._x.mp4” in archives.
    """
    wanted = frozenset(suffixes)
    found: dict[Path, list[Path]] = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        files = [
            Path(where, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in wanted
        ]
        if files:
            found[Path(where)] = files
    return found


def inside(folder: Path, path: Path) -> str:
    """``path`` as seen from ``folder``, the same on every system."""
    return path.relative_to(folder).as_posix()


def first_of_each(
    folder: Path, files: Iterable[Path], key: Callable[[Path], Key], problems: list[Problem]
) -> dict[Key, Path]:
    """Files by ``key``; a second one with the same key goes to ``problems``."""
    first: dict[Key, Path] = {}
    for path in files:
        if first.setdefault(key(path), path) is not path:
            problems.append(Problem(inside(folder, path), SAME_NAME))
    return first


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by column; column names in lower case, everything without spaces.

    Separated by commas, semicolons or tabs; UTF-8, else Windows' western encoding.

    Raises:
        UserError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The table “{path}” cannot be read: {error.strerror}.", "Check its name and folder."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.splitlines(keepends=True)
    heading = lines[0] if lines else ""
    separator = max(",;\t", key=heading.count)
    columns, *rows = csv.reader(lines, delimiter=separator) if lines else [[]]
    names = [column.strip().lower() for column in columns]
    return [
        dict(zip(names, (cell.strip() for cell in row), strict=False)) for row in rows if any(row)
    ]


def located_rows(
    folder: Path, table: Path, problems: list[Problem]
) -> list[tuple[str, dict[str, str]]]:
    """The rows of ``table`` with the words for where they are; an unreadable one is a problem."""
    try:
        rows = read_table(table)
    except UserError:
        problems.append(Problem(inside(folder, table), "unreadable table"))
        return []
    return [(f"{inside(folder, table)}, row {n}", row) for n, row in enumerate(rows, start=2)]
