"""The page of a session: picture and bars above, its timeline below."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fer_core.prediction import Prediction
from fer_desktop.live.smoothing import Scores
from fer_desktop.settings import Mode
from fer_desktop.ui.bars import SegmentBars
from fer_desktop.ui.level_meter import LevelMeter
from fer_desktop.ui.page_layout import laid_out
from fer_desktop.ui.settings_dialog import smoothing_slider
from fer_desktop.ui.timeline import SessionTimeline
from fer_desktop.ui.tool_row import State
from fer_desktop.ui.video_view import VideoView


class LivePage(QWidget):
    """Lays the views out, and says in empty ones what to do or what is being waited for."""

    def __init__(self, smoothing: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.video = VideoView()
        self.level = LevelMeter()
        self.smoothing = smoothing_slider(smoothing)
        self.bars = SegmentBars()
        self.timeline = SessionTimeline()

        under = QHBoxLayout()
        under.setContentsMargins(2, 0, 2, 0)
        under.setSpacing(10)
        under.addWidget(_muted("Level"))
        under.addWidget(self.level, 3)
        under.addSpacing(8)
        under.addWidget(_muted("Smoothing"))
        under.addWidget(self.smoothing, 2)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.video, 1)
        column.addLayout(under)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(
            laid_out(
                left, self.bars, self.timeline,
                widths=(620, 640), heights=(440, 170), stretch_below=1,
            )
        )  # fmt: skip

    def explain(self, state: State, model: str, listens_only: bool) -> None:
        """``model``: why it gives no answers yet, or nothing."""
        if state == "stopped":
            self.video.show_message(
                "Press Start (Space)", "Camera and microphone stay off until then."
            )
            self.bars.clear(model or "No session", "Emotions of the last three seconds go here.")
        elif state == "starting":
            self.video.show_message("Starting…", "Opening the devices.")
            self.bars.clear(model or "Starting…")
        else:
            if listens_only or not self.video.has_frame():
                self.forget_picture(state, listens_only)
            self.bars.clear(model or "Looking and listening…", "The first answer takes a moment.")

    def show_answer(self, prediction: Prediction, scores: Scores, mode: Mode) -> None:
        """Its times are from the session's start; what ``mode`` switches off is not missed."""
        self.bars.show_scores(
            scores.segments,
            scores.window,
            prediction.probabilities,
            prediction.segment_audio,
            prediction.segment_video,
            prediction.uncertain,
        )
        emotion = int(scores.window.argmax())
        self.video.set_emotion(emotion, float(scores.window[emotion]), prediction.uncertain)
        self._show_missing(prediction.modalities, mode)
        self.timeline.append(prediction.clip_end_s, scores.window, prediction.uncertain)

    def show_nothing(self, time_s: float, mode: Mode) -> None:
        """Neither face nor voice in the clip that ended at ``time_s``: nothing to judge."""
        self.bars.clear("Nothing to judge", "No face in the picture and nobody speaking")
        self.video.set_emotion(None)
        self._show_missing((), mode)
        self.timeline.append(time_s, None, False)

    def show_failed(self) -> None:
        """A notice says why; the last answer must not look like the present one."""
        self.bars.clear("No predictions", "The notice above says why.")
        self.video.set_emotion(None)

    def forget_picture(self, state: State, listens_only: bool) -> None:
        """The camera is another or sends nothing: its last picture must not look like now."""
        if listens_only:
            self.video.show_message("Listening", "The camera is off.")
        else:
            self.video.show_message("Waiting for a picture…")
        if state == "paused":
            self.video.set_badges(("paused",))

    def _show_missing(self, modalities: Collection[str], mode: Mode) -> None:
        """Badges for what the last answer lacked."""
        badges = []
        if mode == "camera":
            badges.append("microphone off")
        elif "audio" not in modalities:
            badges.append("no voice")
        if mode != "microphone" and "video" not in modalities:
            badges.append("no face")
        self.video.set_badges(badges)


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    return label
