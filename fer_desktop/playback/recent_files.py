"""The files opened last, newest first, in a small JSON file beside the settings.

An entry is a path, or one with the place that was reached: ``{"path": ..., "place_s": 754.2}``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fer_core.errors import UserError
from fer_core.whole_file import write_whole
from fer_desktop.settings import settings_path

MOST = 10


def recent_files_path() -> Path:
    return settings_path().with_name("recent-files.json")


class RecentFiles:
    """What cannot be read or written is forgotten when the program ends, and no reason to fail."""

    def __init__(self, kept_in: Path | None = None) -> None:
        self._kept_in = kept_in or recent_files_path()
        self.on_change: Callable[[tuple[Path, ...]], None] = lambda paths: None
        self._paths: list[Path] = []
        self._places: dict[Path, float] = {}  # seconds, of some of them
        self._unwritten = False  # some of it is only here
        self._read()

    @property
    def all(self) -> tuple[Path, ...]:
        return tuple(self._paths)

    def add(self, path: Path) -> None:
        """Opened now."""
        self._read()
        self._put([path, *(other for other in self._paths if other != path)])

    def place_s(self, path: Path) -> float:
        """Where people left it, in seconds; 0 where nothing is known."""
        return self._places.get(path, 0.0)

    def keep_place(self, path: Path, time_s: float) -> None:
        """For the next time that it is opened; 0 forgets it. Only of a file in the list."""
        self._read()
        if path not in self._paths or time_s == self.place_s(path):
            return
        self._places[path] = time_s
        self._put(self._paths)

    def remove(self, path: Path) -> None:
        """It is not there any more."""
        self._read()
        self._put([other for other in self._paths if other != path])

    def clear(self) -> None:
        self._put([])

    def _read(self) -> None:
        """What is kept by now, also by another window; what is damaged from there on is not."""
        if self._unwritten:
            return
        with suppress(OSError, ValueError):
            kept = json.loads(self._kept_in.read_text(encoding="utf-8"))
            entries = kept[:MOST] if isinstance(kept, list) else []
            paths: list[Path] = []
            places: dict[Path, float] = {}
            with suppress(ValueError, TypeError):
                for path, place_s in map(_entry, entries):
                    paths.append(path)
                    if place_s > 0:
                        places[path] = place_s
            self._paths, self._places = paths, places

    def _put(self, paths: list[Path]) -> None:
        self._paths = paths[:MOST]
        self._places = {p: s for p, s in self._places.items() if p in self._paths and s > 0}
        self.on_change(self.all)
        text = json.dumps([self._as_json(path) for path in self._paths], indent=1)
        self._unwritten = True
        with suppress(UserError):
            write_whole((text + "\n").encode(errors="surrogateescape"), self._kept_in)
            self._unwritten = False

    def _as_json(self, path: Path) -> str | dict[str, Any]:
        if path not in self._places:
            return str(path)
        return {"path": str(path), "place_s": round(self._places[path], 3)}


def _entry(entry: Any) -> tuple[Path, float]:
    """Raises:
    TypeError, ValueError: it is damaged, and so what follows is not trusted either.
    """
    if not isinstance(entry, dict):
        return Path(entry), 0.0
    path, place_s = entry.get("path"), float(entry.get("place_s", 0.0))
    if not isinstance(path, str) or not math.isfinite(place_s):
        raise ValueError(f"{entry} is no file with a place")
    return Path(path), place_s
