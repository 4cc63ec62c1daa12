"""Thumbnails of the moments in which each emotion is shown most clearly; click or Enter goes there.

Knows nothing of files: it is told the peaks, and later their pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.peaks import Peak
from fer_core.labels import EMOTIONS
from fer_core.media import RgbImage
from fer_desktop.ui.painted_font import painted_font, painted_size
from fer_desktop.ui.theme import colours_of
from fer_desktop.ui.timeline import clock

SIDE = 84  # of a picture, in pixels of the widget
_SMALL, _LARGEST = 12, 15  # pixels of the words under it: these may not grow wider than it
_TENTHS_BELOW = 600.0  # seconds; a longer time has no room for them


def tile_size(widget: QWidget) -> QSize:
    """Of a picture with two lines under it, and what is left between two."""
    return QSize(SIDE + 12, SIDE + round(2.9 * painted_size(widget, _SMALL, _LARGEST)) + 8)


class PeakTile(QAbstractButton):
    """One moment: its picture, or the emotion's colour, its name and time."""

    def __init__(self, peak: Peak) -> None:
        super().__init__()
        self.peak = peak
        self._picture: QPixmap | None = None
        size = tile_size(self)
        self.setFixedSize(size.width() - 4, size.height())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still means play
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        told = f"{peak.emotion} {peak.probability:.0%} at {clock(peak.time_s, 3)}"
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
        time = clock(self.peak.time_s, 1 if self.peak.time_s < _TENTHS_BELOW else 0)
        small = painted_font(self, _SMALL, _LARGEST)
        painter.setFont(small)
        line = 1.35 * small.pixelSize()
        for row, (text, colour) in enumerate(
            (
                (self.peak.emotion, colours.text),
                (f"{time}  {self.peak.probability:.0%}", colours.muted),
            )
        ):
            painter.setPen(QColor(colour))
            place = QRectF(4, SIDE + 6 + row * line, SIDE + 8, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, text)


class PeakGrid(QFrame):
    """Moments in rows, emotion after emotion; as many side by side as there is room for."""

    seek_requested = Signal(float)  # seconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._tiles: dict[Peak, PeakTile] = {}
        self._nothing = QLabel("No emotion stands out clearly yet.")
        self._nothing.setProperty("muted", True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._inside = QWidget()
        self._area = QScrollArea()
        self._area.setWidget(self._inside)
        self._inside.setAutoFillBackground(False)  # which setWidget switches on
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self._nothing, 1)
        column.addWidget(self._area, 1)
        self.setAccessibleName("Peaks of each emotion")
        self.clear()

    def sizeHint(self) -> QSize:
        tile = tile_size(self)
        return QSize(6 * tile.width() + 30, 3 * tile.height())

    @property
    def tiles(self) -> Sequence[PeakTile]:
        return list(self._tiles.values())

    def set_peaks(self, peaks: Sequence[Peak]) -> None:
        """Show these; pictures of those that stay are kept."""
        for peak in set(self._tiles) - set(peaks):
            tile = self._tiles.pop(peak)
            tile.hide()
            tile.deleteLater()
        self._tiles = {peak: self._tiles.get(peak) or self._new_tile(peak) for peak in peaks}
        # Tab goes from one to the next as they stand.
        for before, after in pairwise(self._tiles.values()):
            QWidget.setTabOrder(before, after)
        self._nothing.setVisible(not peaks)
        self._area.setVisible(bool(peaks))
        self._arrange()

    def set_picture(self, peak: Peak, image: RgbImage) -> None:
        """Of a moment shown; (H, W, 3). Others are ignored."""
        if peak in self._tiles:
            self._tiles[peak].set_picture(image)

    def clear(self) -> None:
        self.set_peaks(())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _new_tile(self, peak: Peak) -> PeakTile:
        tile = PeakTile(peak)
        tile.setParent(self._inside)
        tile.clicked.connect(lambda: self.seek_requested.emit(peak.time_s))
        tile.show()
        return tile

    def _arrange(self) -> None:
        room = self.width() - 8 - self._area.verticalScrollBar().sizeHint().width()
        size = tile_size(self)
        columns = max(room // size.width(), 1)
        for place, tile in enumerate(self._tiles.values()):
            tile.move(place % columns * size.width(), place // columns * size.height())
        rows = -(-len(self._tiles) // columns)
        self._inside.resize(columns * size.width(), rows * size.height())
