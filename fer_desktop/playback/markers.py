"""Places in a file that somebody noted, kept by the file's content: it may be moved and renamed.

A small JSON file each in the user's folder, written whole after every change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from fer_core.analysis.timeline import Marker
from fer_core.errors import UserError
from fer_core.whole_file import write_whole

SAME_SECONDS = 0.05  # nearer than two frames: the same place


def markers_folder() -> Path:
    """Beside the settings where ``FER_DESKTOP_SETTINGS`` names these, else the platform's place."""
    override = os.environ.get("FER_DESKTOP_SETTINGS")
    data = Path(override).parent if override else platformdirs.user_data_path("fer-desktop")
    return data / "markers"


class Markers:
    """Those of one file, in order of time."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or markers_folder()
        self._path: Path | None = None
        self._markers: list[Marker] = []
        self._unwritten = False  # some of them are only here

    @property
    def all(self) -> tuple[Marker, ...]:
        return tuple(self._markers)

    def open(self, sha256: str) -> None:
        """Those kept for the content of this digest; marks set before it was known join them.

        Raises:
            UserError: they cannot be read; a damaged file is put aside.
        """
        early = self._markers if self._path is None else []
        self._path, self._markers = self._folder / f"{sha256}.json", []
        try:
            self._read()
        except OSError as error:
            path, self._path = self._path, None
            self._markers = early
            raise UserError(
                f"The markers in {path} cannot be read: {error.strerror}.",
                "New ones hold until the file is closed.",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            self._markers = early
            raise UserError(
                "The markers of this file are damaged.", f"They were put aside as {aside}."
            ) from error
        if early:
            self._change(lambda kept: kept + early)

    def close(self) -> None:
        self._path, self._markers, self._unwritten = None, [], False

    def add(self, time_s: float, note: str = "") -> Marker:
        """A new one, or the one that is there already.

        Raises:
            UserError: it cannot be written; it holds until the file is closed.
        """
        for marker in self._markers:
            if abs(marker.time_s - time_s) < SAME_SECONDS:
                return marker
        marker = Marker(round(time_s, 4), note)
        self._change(lambda kept: [*kept, marker])
        return marker

    def change(self, marker: Marker, note: str) -> None:
        """Raises:
        UserError: as :meth:`add`.
        """
        noted = Marker(marker.time_s, note)
        self._change(lambda kept: [noted if m.time_s == noted.time_s else m for m in kept])

    def remove(self, marker: Marker) -> None:
        """Raises:
        UserError: as :meth:`add`.
        """
        self._change(lambda kept: [m for m in kept if m.time_s != marker.time_s])

    def _read(self) -> None:
        """What is kept now, if anything.

        Raises:
            OSError, ValueError, KeyError, TypeError: it cannot be read, or is damaged.
        """
        assert self._path is not None
        with suppress(FileNotFoundError):
            content = json.loads(self._path.read_text(encoding="utf-8"))
            self._markers = [_marker(entry) for entry in content["markers"]]

    def _change(self, change: Callable[[list[Marker]], list[Marker]]) -> None:
        """Of what is kept by now, also by another window."""
        if self._path is not None and not self._unwritten:
            with suppress(OSError, ValueError, KeyError, TypeError):
                self._read()
        self._markers = sorted(change(self._markers), key=lambda marker: marker.time_s)
        if self._path is not None:
            entries = [{"time_s": m.time_s, "note": m.note} for m in self._markers]
            text = json.dumps({"markers": entries}, indent=1, ensure_ascii=False)
            self._unwritten = True
            write_whole((text + "\n").encode(errors="backslashreplace"), self._path)
            self._unwritten = False


def _marker(entry: dict[str, Any]) -> Marker:
    return Marker(float(entry["time_s"]), str(entry["note"]))
