"""The files opened last, newest first, in a small JSON file beside the settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

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
        with suppress(OSError, ValueError, TypeError):
            entries = json.loads(self._kept_in.read_text(encoding="utf-8"))
            if isinstance(entries, list):
                self._paths = [Path(entry) for entry in entries if isinstance(entry, str)][:MOST]

    @property
    def all(self) -> tuple[Path, ...]:
        return tuple(self._paths)

    def add(self, path: Path) -> None:
        """Opened now."""
        self._put([path, *(other for other in self._paths if other != path)])

    def remove(self, path: Path) -> None:
        """It is not there any more."""
        self._put([other for other in self._paths if other != path])

    def clear(self) -> None:
        self._put([])

    def _put(self, paths: list[Path]) -> None:
        self._paths = paths[:MOST]
        self.on_change(self.all)
        text = json.dumps([str(path) for path in self._paths], indent=1)
        with suppress(UserError):
            write_whole((text + "\n").encode(errors="surrogateescape"), self._kept_in)
