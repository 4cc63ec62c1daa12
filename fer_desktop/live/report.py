"""The report of the program's sessions: one JSON file that is whole after every prediction.

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
    """``{"predictions": [...], "stats": {...}, "earlier_stats": [...], "notices": [...]}``

    Each prediction has the number of its ``session``, from 1, whose start its times count from;
    ``stats`` are of the newest session, ``earlier_stats`` of those before it.

    Raises:
        UserError: the file cannot be written; from the constructor, and from later calls when the
            disk has become full. What was written before stays readable.
    """

    def __init__(self, path: Path, stats: dict[str, Any]) -> None:
        self.path = path
        self._session = 0  # none has begun yet
        self._stats = stats
        self._earlier_stats: list[dict[str, Any]] = []
        self._notices: list[str] = []
        self._count = 0
        self._end = 0  # where the next entry goes
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._write(b'{"predictions": [')

    def begin_session(self, stats: dict[str, Any]) -> None:
        """What follows is of another one."""
        if self._session:
            self._earlier_stats.append(self._numbered_stats())
        self._session += 1
        self.update(stats)

    def add(self, prediction: Prediction, stats: dict[str, Any]) -> None:
        self._stats = stats
        entry = json.dumps({"session": self._session, **prediction_as_json(prediction)})
        self._write(((",\n" if self._count else "\n") + entry).encode())
        self._count += 1

    def update(self, stats: dict[str, Any]) -> None:
        """The session's statistics as they stand now."""
        self._stats = stats
        self._write(b"")

    def note(self, text: str) -> None:
        """Keep a notice's text; one that repeats is kept once."""
        if text not in self._notices:
            self._notices.append(text)
            self._write(b"")

    def close(self, stats: dict[str, Any]) -> None:
        self.update(stats)
        self._file.close()

    def _numbered_stats(self) -> dict[str, Any]:
        return {"session": self._session, **self._stats}

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
        rest = {
            "stats": self._numbered_stats(),
            "earlier_stats": self._earlier_stats,
            "notices": self._notices,
        }
        data = entry + b"\n],\n" + json.dumps(rest, indent=1)[1:].lstrip().encode() + b"\n"
        self._file.seek(self._end)
        if self._file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._file.truncate()


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"The report {path} cannot be written ({error.strerror}).",
        "Choose another place with --report, or make room on the disk.",
    )
