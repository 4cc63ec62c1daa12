"""What lies in a corpus folder: the media files that may be usable, and tables.

Only the first bytes of a file are looked at, so that a corpus of thousands is listed in a second;
what this lets through and cannot be decoded is found by ``fer_core.data.check``.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar

from fer_core.data.item import Problem
from fer_core.errors import UserError

SOUND_SUFFIXES = frozenset((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"))
VIDEO_SUFFIXES = frozenset((".mp4", ".flv", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"))
PICTURE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))

EMPTY = "empty file"
CUT_OFF = "cut off: shorter than it says"
WRONG_HEADER = "not what its name says: wrong header"
SAME_NAME = "same name as another file"

# How files of these kinds begin: (offset, bytes). A raw MP3 or AAC stream may begin with anything.
_HEADERS: dict[str, tuple[tuple[int, bytes], ...]] = {
    ".wav": ((0, b"RIFF"), (0, b"RF64")),
    ".avi": ((0, b"RIFF"),),
    ".flac": ((0, b"fLaC"), (0, b"ID3")),
    ".ogg": ((0, b"OggS"),),
    ".opus": ((0, b"OggS"),),
    ".flv": ((0, b"FLV"),),
    ".mkv": ((0, b"\x1a\x45\xdf\xa3"),),
    ".webm": ((0, b"\x1a\x45\xdf\xa3"),),
    ".mpg": ((0, b"\x00\x00\x01"),),
    ".mpeg": ((0, b"\x00\x00\x01"),),
    ".png": ((0, b"\x89PNG"),),
    ".jpg": ((0, b"\xff\xd8"),),
    ".jpeg": ((0, b"\xff\xd8"),),
} | {
    suffix: tuple((4, kind) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"))
    for suffix in (".mp4", ".m4a", ".mov")
}
_STREAMED_SIZES = (0, 0xFFFFFFFF)  # written where the size was not known yet

Key = TypeVar("Key", bound=Hashable)


def media_files(folder: Path, suffixes: Iterable[str], problems: list[Problem]) -> list[Path]:
    """All files below ``folder`` with one of ``suffixes``, in order.

    Broken ones go to ``problems``. Hidden files are no part of a corpus: macOS leaves “._x.mp4” in
    archives.
    """
    wanted = frozenset(suffixes)
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        found += [
            Path(where, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in wanted
        ]
    usable = []
    for path in sorted(found):
        reason = quick_fault(path)
        if reason is None:
            usable.append(path)
        else:
            problems.append(Problem(inside(folder, path), reason))
    return usable


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


def quick_fault(path: Path) -> str | None:
    """What is wrong with a media file as far as its size and its header tell; None: nothing."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return EMPTY
            file.seek(0)
            begins = file.read(12)
            suffix = path.suffix.lower()
            if not any(
                begins[at:].startswith(kind) for at, kind in _HEADERS.get(suffix, ((0, b""),))
            ):
                return WRONG_HEADER
            if begins.startswith(b"RIFF"):
                says = int.from_bytes(begins[4:8], "little")
                return CUT_OFF if says not in _STREAMED_SIZES and says + 8 > size + 1 else None
            if suffix in (".mp4", ".m4a", ".mov"):
                return None if _boxes_are_whole(file, size) else CUT_OFF
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"
    return None


def _boxes_are_whole(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 (ISO 14496-12) holds all its boxes, the table of contents among them."""
    at, has_contents = 0, False
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:  # the true length follows
            length = int.from_bytes(header[8:], "big")
        elif length == 0:  # to the end of the file
            length = size - at
        if length < 8:
            return False
        has_contents = has_contents or kind == b"moov"
        at += length
    return has_contents and at <= size


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by column; column names in lower case, everything without spaces.

    Separated by commas, semicolons or tabs; UTF-8, else Windows' western encoding.

    Raises:
        UserError: it cannot be read, or has no rows.
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
    table = [
        dict(zip(names, (cell.strip() for cell in row), strict=False)) for row in rows if any(row)
    ]
    if not table:
        raise UserError(f"The table “{path}” has no rows.", "Check that it is the right file.")
    return table
