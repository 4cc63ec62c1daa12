"""Thumbnails of the moments in which each emotion is shown most clearly; click or Enter goes there.

Knows nothing of files: it is told the peaks, and later their pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.peaks import Peak
from fer_core.labels import EMOTIONS
from fer_core.media import RgbImage
from fer_desktop.ui.theme import colours_of
from fer_desktop.ui.timeline import clock

SIDE = 84  # of a picture, in pixels of the widget
_TEXT_HEIGHT = 34


class PeakTile(QAbstractButton):
    """One moment: its picture, or the emotion's colour, its name and time."""

    def __init__(self, peak: Peak) -> None:
        super().__init__()
        self.peak = peak
        self._picture: QPixmap | None = None
        self.setFixedSize(SIDE + 8, SIDE + _TEXT_HEIGHT + 8)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still means play
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        told = f"{peak.emotion} {peak.probability:.0%} at {clock(peak.time_s)}"
        self.setAccessibleName(told)
        self.setToolTip(f"Go to {told}")

    def set_picture(self, image: RgbImage) -> None:
        height, width = image.shape[:2]
        shown = QImage(image.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._picture = QPixmap.fromImage(shown)  # a copy
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEvent) -> None:
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = colours_of(self)
        emotion = QColor(colours.emotions[EMOTIONS.index(self.peak.emotion)])
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        square = QRectF(4, 4, SIDE, SIDE)
        if self._picture is not None:
            painter.drawPixmap(square.toRect(), self._picture)
        else:
            tint = QColor(emotion)
            tint.setAlpha(60)
            painter.fillRect(square, tint)
        painter.fillRect(QRectF(4, SIDE, SIDE, 4), emotion)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QColor(colours.accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        small = self.font()
        small.setPixelSize(12)
        painter.setFont(small)
        for row, (text, colour) in enumerate(
            (
                (self.peak.emotion, colours.text),
                (f"{clock(self.peak.time_s)}  {self.peak.probability:.0%}", colours.muted),
            )
        ):
            painter.setPen(QColor(colour))
            place = QRectF(4, SIDE + 6 + row * 16, SIDE, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, text)


class PeakStrip(QFrame):
    """A row of moments, emotion after emotion."""

    seek_requested = Signal(float)  # seconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._tiles: dict[Peak, PeakTile] = {}
        self._nothing = QLabel("No emotion stands out clearly yet.")
        self._nothing.setProperty("muted", True)
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(6, 2, 6, 2)
        self._row.setSpacing(4)
        self._row.addWidget(self._nothing)
        self._row.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._area = area
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 4, 2, 2)
        column.addWidget(area)
        self.setFixedHeight(SIDE + _TEXT_HEIGHT + 34)
        self.setAccessibleName("Peaks of each emotion")

    def sizeHint(self) -> QSize:
        return QSize(600, self.height())

    @property
    def tiles(self) -> Sequence[PeakTile]:
        return list(self._tiles.values())

    def set_peaks(self, peaks: Sequence[Peak]) -> None:
        """Show these; pictures of those that stay are kept."""
        for peak in set(self._tiles) - set(peaks):
            tile = self._tiles.pop(peak)
            self._row.removeWidget(tile)
            tile.deleteLater()
        ordered = {}
        for place, peak in enumerate(peaks):
            tile = self._tiles.get(peak) or self._new_tile(peak)
            ordered[peak] = tile
            if self._row.indexOf(tile) != place + 1:  # the label is first
                self._row.insertWidget(place + 1, tile)
        self._tiles = ordered
        self._nothing.setVisible(not peaks)

    def set_picture(self, peak: Peak, image: RgbImage) -> None:
        """Of a moment shown; (H, W, 3). Others are ignored."""
        if peak in self._tiles:
            self._tiles[peak].set_picture(image)

    def clear(self) -> None:
        self.set_peaks(())

    def _new_tile(self, peak: Peak) -> PeakTile:
        tile = PeakTile(peak)
        tile.clicked.connect(lambda: self.seek_requested.emit(peak.time_s))
        return tile
