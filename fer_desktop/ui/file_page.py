"""The page of a file: picture and bars above, what controls them, its timeline below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from fer_core.analysis.timeline import Segment
from fer_core.labels import CLASSES
from fer_core.media import SEGMENTS
from fer_desktop.ui.analysis_strip import AnalysisStrip
from fer_desktop.ui.bars import SegmentBars
from fer_desktop.ui.file_timeline import FileTimeline
from fer_desktop.ui.marker_list import MarkerList
from fer_desktop.ui.page_layout import laid_out
from fer_desktop.ui.peaks import PeakGrid
from fer_desktop.ui.selection_summary import SelectionSummary
from fer_desktop.ui.transport import Transport
from fer_desktop.ui.video_view import VideoView


class FilePage(QWidget):
    """Lays the views out; whoever owns the player feeds them."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.video = VideoView()
        self.video.mirror = False
        self.video.show_patches = False  # which were kept is not written down
        self.video.setAccessibleName("Picture of the file")
        self.video.setToolTip("Click to play or pause")
        self.bars = SegmentBars()
        self.transport = Transport(actions)
        self.analysis = AnalysisStrip(actions["analysis"])
        self.timeline = FileTimeline()
        self.peaks = PeakGrid()
        self.summary = SelectionSummary()
        self.markers = MarkerList()

        self.sides = QTabWidget()
        self.sides.setDocumentMode(True)
        self.sides.setUsesScrollButtons(False)
        for named in (self.sides, self.sides.tabBar()):
            named.setAccessibleName("What is shown beside the picture")
        for name, tip, view in (
            ("Emotions", "The three seconds up to the playhead", self.bars),
            ("Peaks", "Where each emotion shows most clearly", self.peaks),
            ("Summary", "Of the selection, or of the file", self.summary),
            ("Markers", "Places noted with M", self.markers),
        ):
            self.sides.setTabToolTip(self.sides.addTab(view, name), tip)

        whole = laid_out(
            _column(self.video, self.transport), _column(self.sides, self.analysis), self.timeline,
            widths=(660, 600), heights=(400, 230), stretch_below=2,
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(whole)

    def forget(self) -> None:
        """For another file."""
        self.video.show_message("Opening…")
        self.video.set_badges(())
        self.bars.clear("Opening…")
        for view in (self.timeline, self.peaks, self.markers):
            view.clear()
        self.summary.show_summary(None, False)
        self.transport.set_duration(0.0)
        self.transport.show_selection(None)
        self.analysis.show_preparing()

    def show_sound_only(self) -> None:
        """In place of a picture."""
        self.video.show_message("Sound only", "This file has no moving picture.")

    def show_markers(self) -> None:
        """Bring them to the front."""
        self.sides.setCurrentWidget(self.markers)

    def show_results(self, window: Sequence[Segment]) -> None:
        """The eight segments up to the playhead, or fewer at the beginning; the last is now.

        The picture shows the last one alone, the bars beside it the mean of those that have an
        answer.
        """
        now = window[-1]
        self.video.set_face(now.face)
        if now.probabilities is None:
            self.bars.clear("Nothing to judge", "No face in the picture and nobody speaking")
            self.video.set_emotion(None)
            self.video.set_badges(())
            return
        emotion = int(now.probabilities.argmax())
        self.video.set_emotion(emotion, float(now.probabilities[emotion]), now.uncertain)
        missing = [(now.heard, "no voice"), (now.seen, "no face")]
        self.video.set_badges([text for there, text in missing if not there])
        scores = np.zeros((SEGMENTS, CLASSES), np.float32)
        audio, video = np.zeros(SEGMENTS, np.bool_), np.zeros(SEGMENTS, np.bool_)
        answers = []
        for place, segment in enumerate(window, SEGMENTS - len(window)):
            audio[place], video[place] = segment.heard, segment.seen
            if segment.probabilities is not None:
                scores[place] = segment.probabilities
                answers.append(segment.probabilities)
        mean = np.asarray(np.mean(answers, axis=0), np.float32)
        self.bars.show_scores(scores, mean, None, audio, video, now.uncertain)

    def show_no_results(self, text: str, hint: str = "") -> None:
        """Of the time at the playhead, and why."""
        self.bars.clear(text, hint)
        self.video.set_emotion(None)
        self.video.set_face(None)
        self.video.set_badges(())


def _column(*parts: QWidget) -> QWidget:
    """The first takes the room that the others leave."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for place, part in enumerate(parts):
        layout.addWidget(part, 1 if place == 0 else 0)
    return column
