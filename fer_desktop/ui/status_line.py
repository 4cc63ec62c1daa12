"""The line at the bottom: what computes, how fast, and what was lost."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget


class ElidedLabel(QLabel):
    """A line that is cut where the window ends, and shown whole by its tooltip.

    A plain label would ask for its whole length, and the window would grow to that.
    """

    def __init__(self, tip: str, cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._tip = tip
        self._cut = cut
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setToolTip(tip)

    def setText(self, text: str) -> None:
        self.show_text(text)

    def show_text(self, text: str, details: str = "") -> None:
        """``details``: only the tooltip tells them."""
        super().setText(text)
        whole = f"{text}. {details}" if details else text
        self.setToolTip(f"{self._tip}: {whole}" if text else self._tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        text = self.fontMetrics().elidedText(self.text(), self._cut, self.contentsRect().width())
        painter = QPainter(self)
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class StatusLine(QStatusBar):
    """Every figure has a place of fixed width, so that nothing moves while it changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(10, 0, 0, 0)
        self.setAccessibleName("Status")
        self.model = ElidedLabel("The model that answers; Ctrl+I tells how right it is")
        self.model.setAccessibleName("Model")
        self.addWidget(self.model, 1)
        middle = Qt.TextElideMode.ElideMiddle  # the end of a path says most
        self.recording = ElidedLabel("Where the session is recorded", middle)
        self.recording.setAccessibleName("Recording")
        self.addWidget(self.recording, 2)
        self.recording.hide()
        self.work = ElidedLabel("What goes on beside the window")
        self.work.setAccessibleName("Work")
        self._work: dict[str, str] = {}
        self.addWidget(self.work, 2)
        self.work.hide()
        self.device = self._field("Where the model runs", "Device", "mps (Apple GPU)")
        self.camera = self._field("Pictures a second", "Camera rate", "camera 000.0 fps")
        self.rate = self._field("Answers a second", "Answer rate", "answers 00.00 /s")
        self.latency = self._field(
            "From the end of the window to its answer on the screen", "Latency", "latency 0000 ms"
        )
        self.dropped = self._field(
            "Camera pictures and windows left out to stay live", "Dropped", "dropped 000000"
        )
        self.clear()

    def show_statistics(
        self,
        camera_fps: float,
        predictions_per_s: float,
        latency_ms: float | None,
        dropped: int,
    ) -> None:
        self.camera.setText(f"camera {camera_fps:.1f} fps")
        self.rate.setText(f"answers {predictions_per_s:.2f} /s")
        latency = "-" if latency_ms is None else f"{latency_ms:.0f} ms"
        self.latency.setText(f"latency {latency}")
        self.dropped.setText(f"dropped {dropped}")

    def show_recording(self, place: str, dropped: int) -> None:
        """Where it goes, empty when nothing is recorded, and how many pictures it lacks."""
        lost = f" ({dropped} pictures left out)" if dropped else ""
        self.recording.setText(f"Recording{lost} to {place}" if place else "")
        self.recording.setVisible(bool(place))

    def show_work(self, name: str, words: str) -> None:
        """How far the training or the analysis of recordings is; empty when it has ended."""
        self._work[name] = words
        told = [words for words in self._work.values() if words]
        self.work.setText("; ".join(told))
        self.work.setVisible(bool(told))

    def show_figures(self, shown: bool) -> None:
        """Of a session; a file has none."""
        for field in (self.camera, self.rate, self.latency, self.dropped):
            field.setVisible(shown)

    def clear(self) -> None:
        self.camera.setText("camera -")
        self.rate.setText("answers -")
        self.latency.setText("latency -")
        self.dropped.setText("dropped -")

    def _field(self, tip: str, name: str, widest: str) -> QLabel:
        field = QLabel()
        field.setToolTip(tip)
        field.setAccessibleName(name)
        field.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        field.setFixedWidth(self.fontMetrics().horizontalAdvance(widest) + 14)
        self.addPermanentWidget(field)
        return field
