"""The report of a session: one JSON file that is whole after every prediction.

The closing part (statistics, notices) is overwritten by the next prediction, so that a crash or a
power cut costs at most the last one, and memory does not grow with the session.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any

from fer_core.errors import UserError
from fer_core.prediction import Prediction, prediction_as_json


class Report:
    """``{"predictions": [...], "stats": {...}, "notices": [...]}``

    Raises:
        UserError: the file cannot be written; from the constructor, and from later calls when the
            disk has become full. What was written before stays readable.
    """

    def __init__(self, path: Path, stats: dict[str, Any]) -> None:
        self.path = path
        self._stats = stats
        self._notices: list[str] = []
        self._count = 0
        self._end = 0  # where the next entry goes
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._write(b'{"predictions": [')

    def add(self, prediction: Prediction, stats: dict[str, Any]) -> None:
        self._stats = stats
        entry = (",\n" if self._count else "\n") + json.dumps(prediction_as_json(prediction))
        self._write(entry.encode())
        self._count += 1

    def note(self, text: str) -> None:
        """Keep a notice's text; one that repeats is kept once."""
        if text not in self._notices:
            self._notices.append(text)
            self._write(b"")

    def close(self, stats: dict[str, Any]) -> None:
        self._stats = stats
        self._write(b"")
        self._file.close()

    def _write(self, entry: bytes) -> None:
        """Put ``entry`` behind the last one and close the JSON behind it."""
        if self._file.closed:
            return
        try:
            self._put(entry)
        except OSError as error:
            with contextlib.suppress(OSError), self._file:
                self._put(b"")  # the room taken before is still ours: leave a whole file
            raise _unwritable(self.path, error) from error
        self._end += len(entry)

    def _put(self, entry: bytes) -> None:
        rest = json.dumps({"stats": self._stats, "notices": self._notices}, indent=1)
        data = entry + b"\n],\n" + rest[1:].lstrip().encode() + b"\n"
        self._file.seek(self._end)
        if self._file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._file.truncate()


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"The report {path} cannot be written ({error.strerror}).",
        "Choose another place with --report, or make room on the disk.",
    )
