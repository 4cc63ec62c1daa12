"""Writes what people take away of an analysis, on a thread: a report or a video takes its time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from fer_core.analysis.export import OVERLAY, export
from fer_core.analysis.timeline import Timeline
from fer_core.errors import UserError
from fer_desktop.errors import Notice, first_line
from fer_desktop.gui_thread import GuiCalls

log = logging.getLogger(__name__)

TELL_SECONDS = 0.1  # the window need not draw more often
CLOSE_SECONDS = 2.0  # to wait for the thread at the program's end


@dataclass(frozen=True, slots=True)
class ExportRequest:
    folder: Path
    name: str  # of the files, without a suffix
    formats: tuple[str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self.folder / f"{self.name}.{suffix}" for suffix in self.formats)


class Exporter(QObject):
    """One export at a time. Signals are emitted on the GUI thread."""

    progress = Signal(object, float)  # the Path at work, and the share of everything, 0 to 1
    finished = Signal(object)  # tuple[Path, ...]
    cancelled = Signal()
    failed = Signal(object)  # Notice; what was written before stays

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._gui = GuiCalls(self)

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, timeline: Timeline, request: ExportRequest) -> None:
        """Write the files of ``request`` one after another, each whole or not at all."""
        if self.busy:
            return
        self._cancelled.clear()
        self._thread = threading.Thread(target=self._run, args=(timeline, request), name="export")
        self._thread.start()

    def cancel(self) -> None:
        """End after the file at work; a video ends at once."""
        self._cancelled.set()

    def stop(self) -> None:
        """Cancel, and wait."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self, timeline: Timeline, request: ExportRequest) -> None:
        for number, path in enumerate(request.paths):
            try:
                with closing(_written(timeline, path)) as written:
                    for share in written:
                        if self._cancelled.is_set():
                            break
                        overall = (number + share) / len(request.paths)
                        self._gui.call(partial(self.progress.emit, path, overall))
                    else:
                        continue
                self._gui.call(self.cancelled.emit)  # once no half of it is left
                return
            except UserError as error:
                self._gui.call(partial(self.failed.emit, Notice("export", error.text, error.hint)))
                return
            except Exception as error:
                log.error("the export to %s failed", path, exc_info=error)
                text = f"{path.name} cannot be written: {first_line(error)}."
                self._gui.call(partial(self.failed.emit, Notice("export", text)))
                return
        self._gui.call(partial(self.finished.emit, request.paths))


def _written(timeline: Timeline, path: Path) -> Generator[float]:
    """Write ``path``; yields the share that is done, closed early it leaves no half of it."""
    # Imported here, on the thread: FFmpeg takes its time.
    from fer_core.analysis.export.overlay_video import overlay_video

    yield 0.0
    source = Path(timeline.source.path)
    if path.exists() and source.exists() and path.samefile(source):
        raise UserError(f"“{path}” is the file itself.", "Choose another name or folder.")
    if path.suffix.removeprefix(".") != OVERLAY:
        export(timeline, path)
        return
    told = time.monotonic()
    with closing(overlay_video([timeline], path)) as video:
        for done_s in video:
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                yield min(done_s / max(timeline.source.duration_s, 1e-3), 1.0)
