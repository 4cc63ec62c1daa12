"""What lies in a corpus folder: media that are not plainly broken, and tables."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file; column names in lower case, everything without spaces around it."""

    columns: tuple[str, ...]
    rows: dict[int, dict[str, str]]  # by its number as a spreadsheet shows it; empty ones are none


def read_table(path: Path) -> Table:
    """What the CSV file holds.

    Separated by commas, semicolons or tabs; UTF-8 or UTF-16, else Windows' western encoding.

    Raises:
        UserError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The table “{path}” cannot be read: {error.strerror}.", "Check its name and folder."
        ) from error
    text = _decoded(content)
    if "\0" in text:
        raise UserError(f"“{path}” is no table: it holds no text.", "Save it as CSV.")
    heading = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    separator = max(",;\t", key=heading.count)
    try:
        records = _records(text, separator)
    except csv.Error as error:
        raise UserError(
            f"The table “{path}” cannot be read: {error}.",
            "Look for a quotation mark that is not closed.",
        ) from error
    filled = {
        number: cells
        for number, cells in enumerate(records, start=1)
        if any(cell.strip() for cell in cells)
    }
    first, *others = filled or {1: []}
    columns = tuple(column.strip().lower() for column in filled.get(first, []))
    rows = {
        number: dict(zip(columns, (cell.strip() for cell in filled[number]), strict=False))
        for number in others
    }
    return Table(columns, rows)


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _records(text: str, separator: str) -> list[list[str]]:
    """Raises:
    csv.Error: a quoted cell has no end.
    """

    def cells(strict: bool) -> list[list[str]]:
        # Only where files have new lines: str.splitlines would cut at others, such as U+2028.
        lines = io.StringIO(text, newline="")
        return list(csv.reader(lines, delimiter=separator, strict=strict))

    try:
        return cells(strict=True)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise  # all that follows the quotation mark would be one cell
        return cells(strict=False)  # quotation marks inside of a cell, which mean themselves


def located_rows(
    folder: Path, table: Path, problems: list[Problem]
) -> list[tuple[str, dict[str, str]]]:
    """The rows of ``table`` with the words for where they are; an unreadable one is a problem."""
    try:
        rows = read_table(table).rows
    except UserError:
        problems.append(Problem(inside(folder, table), "unreadable table"))
        return []
    return [(f"{inside(folder, table)}, row {number}", row) for number, row in rows.items()]
