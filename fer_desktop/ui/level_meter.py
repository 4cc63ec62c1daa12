"""How loud the microphone is: a bar from -60 to 0 dBFS with a mark at the recent peak."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fer_desktop.ui.theme import colours_of

FLOOR_DBFS = -60.0
LOUD_DBFS = -6.0  # from here the bar warns: the next shout clips
PEAK_FALLS_DB = 0.75  # per update; at 60 updates a second the mark comes down in about a second


class LevelMeter(QWidget):
    """Shows the last level given; None means no microphone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level_dbfs: float | None = None
        self.peak_dbfs = FLOOR_DBFS
        self.setFixedHeight(22)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Microphone level")
        self.setToolTip("Microphone level in dBFS; speech is usually between -40 and -12")
        self.show_level(None)

    def sizeHint(self) -> QSize:
        return QSize(260, 22)

    def show_level(self, dbfs: float | None) -> None:
        """The newest level, at most 0; called at the preview's pace."""
        self.level_dbfs = dbfs
        if dbfs is None:
            self.peak_dbfs = FLOOR_DBFS
        else:
            self.peak_dbfs = max(dbfs, self.peak_dbfs - PEAK_FALLS_DB, FLOOR_DBFS)
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        if self.level_dbfs is None:
            return "off"
        if self.level_dbfs < FLOOR_DBFS:
            return "silent"
        return f"{self.level_dbfs:.0f} dB"

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = colours_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = self.fontMetrics().horizontalAdvance("-60 dBm")
        track = QRectF(0, self.height() / 2 - 4, self.width() - words - 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(track, 4, 4)
        if self.level_dbfs is not None:
            filled = QRectF(track)
            filled.setWidth(track.width() * _share(self.level_dbfs))
            loud = self.level_dbfs >= LOUD_DBFS
            painter.setBrush(QColor(colours.warning if loud else colours.live))
            painter.drawRoundedRect(filled, 4, 4)
            painter.setBrush(QColor(colours.text))
            mark = track.left() + (track.width() - 2) * _share(self.peak_dbfs)
            if self.peak_dbfs > FLOOR_DBFS:
                painter.drawRect(QRectF(mark, track.top() - 2, 2, track.height() + 4))
        painter.setPen(QColor(colours.muted))
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text()
        )


def _share(dbfs: float) -> float:
    return min(1.0, max(0.0, 1 - dbfs / FLOOR_DBFS))
