"""The analysis of the file that is open, seen from the GUI thread.

All signals are emitted on the GUI thread; what is said about a file that is no longer open is
dropped, also when it is already on its way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from fer_desktop.gui_thread import GuiCalls
from fer_desktop.leaving import Leaving
from fer_desktop.playback.analysis_thread import AnalysisThread, Faces, Listeners

if TYPE_CHECKING:
    from fer_core.analysis.model import LoadedModel
    from fer_desktop.playback.known_answers import KnownAnswers

CLOSE_SECONDS = 2.0  # to wait for threads at the program's end; they share it


class AnalysisWorker(QObject):
    """One file at a time; another one takes its place."""

    known = Signal(str)  # what follows was known before; whence, in words for people
    identified = Signal(str)  # SHA-256 of the file's content, before its first segment
    segments = Signal(object)  # tuple[Segment, ...] that follow the last ones
    progress = Signal(float, float, float)  # seconds done, of how many, seconds left
    faces = Signal(object)  # tuple[Timeline, ...], of each: the first one's segments follow
    finished = Signal(object)  # Timeline
    failed = Signal(object)  # Notice; the segments until then stay

    def __init__(self, load: Callable[[], LoadedModel], parent: QObject | None = None) -> None:
        """``load`` opens the model; called on the thread for each file."""
        super().__init__(parent)
        self._load = load
        self._thread: AnalysisThread | None = None
        self._leaving = Leaving()
        self._gui = GuiCalls(self)

    def use_model(self, load: Callable[[], LoadedModel]) -> None:
        """Of the next file."""
        self._load = load

    def start(
        self,
        path: Path,
        known: Callable[[], KnownAnswers | None] = lambda: None,
        faces: Faces = "largest",
    ) -> None:
        """Analyse ``path`` from its beginning, unless ``known`` finds its answers.

        Of "all" faces each has a timeline at the end.
        """
        self.dismiss()
        self._thread = thread = AnalysisThread(
            path,
            self._load,
            Listeners(
                known=partial(self._post, self.known),
                identified=partial(self._post, self.identified),
                segments=partial(self._post, self.segments),
                progress=partial(self._post, self.progress),
                faces=partial(self._post, self.faces),
                finished=partial(self._post, self.finished),
                failed=partial(self._post, self.failed),
            ),
            known,
            faces,
        )
        thread.start()

    def cancel(self) -> None:
        """Rest after the window at work, until :meth:`resume`."""
        if self._thread is not None:
            self._thread.pause()

    def resume(self) -> None:
        """Go on where it was."""
        if self._thread is not None:
            self._thread.go_on()

    def stop(self) -> None:
        """Forget the file; waits for the thread, unless it is inside an import or a driver."""
        self.dismiss()
        self._leaving.join(CLOSE_SECONDS)

    def dismiss(self) -> None:
        """Forget the file, and wait for nothing: what is said of it from now on is dropped."""
        if self._thread is not None:
            self._thread.stop()
            self._leaving.add(self._thread)
            self._thread = None

    def _post(self, signal: SignalInstance, *values: object) -> None:
        """Called on the thread: emit on the GUI thread, unless another file is open by then."""
        self._gui.call(partial(self._emit, threading.current_thread(), signal, values))

    def _emit(
        self, thread: threading.Thread, signal: SignalInstance, values: tuple[object, ...]
    ) -> None:
        if thread is self._thread:
            signal.emit(*values)
