"""Whose face a file's analysis follows: the largest, or after looking at each the one chosen.

Runs on the GUI thread.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from fer_core.analysis.timeline import Segment, Timeline
from fer_desktop.playback.analysis_thread import Faces
from fer_desktop.playback.analysis_worker import AnalysisWorker
from fer_desktop.ui.analysis_strip import AnalysisStrip
from fer_desktop.ui.timeline import clock


class FacesPresenter(QObject):
    """Whoever owns the player tells which file is open."""

    analysis_wanted = Signal()  # with other ``faces``
    timeline_chosen = Signal(object)  # the Timeline of another face

    def __init__(self, strip: AnalysisStrip, worker: AnalysisWorker, parent: QObject) -> None:
        super().__init__(parent)
        self._strip = strip
        self._timelines: tuple[Timeline, ...] = ()
        self.faces: Faces = "largest"
        worker.faces.connect(self._on_faces)
        strip.face_picked.connect(self._pick)

    def open(self, has_picture: bool) -> None:
        """Another file is open; without a picture there is nobody to choose."""
        self.faces = "largest"
        self.forget()
        self._strip.show_faces(has_picture)

    def forget(self) -> None:
        """An analysis begins: before each face was looked at, nobody knows how many there are."""
        self._timelines = ()
        self._strip.offer_faces((), chosen=1 if self.faces == "all" else 0)

    def _on_faces(self, timelines: tuple[Timeline, ...]) -> None:
        """One of each face; of a file without any, one of the sound alone."""
        if timelines[0].face_id is None:
            return
        self._timelines = timelines
        self._strip.offer_faces([_told(timeline) for timeline in timelines], chosen=1)

    def _pick(self, place: int) -> None:
        """The largest, or behind it each: together, or once they are known one by one."""
        if place > 0 and self._timelines:
            self.timeline_chosen.emit(self._timelines[place - 1])
            return
        chosen: Faces = "all" if place > 0 else "largest"
        if chosen != self.faces:
            self.faces = chosen
            self.analysis_wanted.emit()


def _told(timeline: Timeline) -> str:
    """``Face 1: 12 s from 0:07``, under the number that its exported files have."""
    first = first_seen(timeline)
    begins_s = 0.0 if first is None else first.start_s
    return f"Face {timeline.face_id}: {timeline.face_s:.0f} s from {clock(begins_s)}"


def first_seen(timeline: Timeline) -> Segment | None:
    """The first segment in which its face is."""
    return next((segment for segment in timeline.segments if segment.seen), None)
