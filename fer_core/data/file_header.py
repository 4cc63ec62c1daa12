"""What is wrong with a media file as far as its size and its first bytes tell.

A few bytes are read of each, so that a corpus of thousands is looked through in a second. What
this lets through and cannot be decoded all the same is found by ``fer_core.data.check``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

EMPTY = "empty file"
CUT_OFF = "cut off: shorter than it says"
WRONG_HEADER = "not what its name says: wrong header"

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
