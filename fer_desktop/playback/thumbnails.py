"""Thumbnails of a file's peaks, decoded on a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from fer_core.analysis.peaks import Peak
from fer_core.media import RgbImage

CLOSE_SECONDS = 1.0  # to wait for the thread at the program's end


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    peak: Peak
    image: RgbImage  # (160, 160, 3)


class Thumbnails(QObject):
    """Makes what is wanted now and still missing; an older wish is forgotten."""

    ready = Signal(object)  # Thumbnail, on the GUI thread
    _made = Signal(object, object)  # the file, Thumbnail

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changed = threading.Condition()
        self._path: Path | None = None
        self._missing: list[Peak] = []
        self._done: set[Peak] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._made.connect(self._tell)

    def want(self, path: Path, peaks: Sequence[Peak]) -> None:
        """Of ``path``; those told already are not made again."""
        with self._changed:
            if path != self._path:
                self._path, self._done = path, set()
            self._done &= set(peaks)
            self._missing = [peak for peak in peaks if peak not in self._done]
            self._changed.notify()
        if self._thread is None and self._missing:
            self._thread = threading.Thread(target=self._run, name="thumbnails")
            self._thread.start()

    def stop(self) -> None:
        """Make no more; waits for the one at work, a moment."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        # Imported here: OpenCV and FFmpeg take half a second.
        from fer_core.analysis.thumbnails import thumbnail

        while (wish := self._next()) is not None:
            path, peak = wish
            image = thumbnail(path, peak.time_s, peak.face)
            with self._changed:
                if self._stopping:
                    return
            if image is not None:
                self._made.emit(path, Thumbnail(peak, image))

    def _next(self) -> tuple[Path, Peak] | None:
        """Waits for one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._missing or self._stopping)
            if self._stopping or self._path is None:
                return None
            peak = self._missing.pop(0)
            self._done.add(peak)
            return self._path, peak

    def _tell(self, path: Path, thumbnail: Thumbnail) -> None:
        if path == self._path:
            self.ready.emit(thumbnail)
