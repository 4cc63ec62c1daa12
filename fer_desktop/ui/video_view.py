"""The camera's picture with what is known about it drawn on top.

Everything given and everything emitted is in pixels of the unmirrored frame; mirroring happens in
the transform from frame to widget and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox, RgbImage
from fer_desktop.ui.announcement import announce
from fer_desktop.ui.painted_font import painted_font, painted_size
from fer_desktop.ui.theme import DARK, colours_of

Rect = tuple[float, float, float, float]  # x, y, width, height in frame pixels

_SHADE = QColor(9, 12, 17, 190)  # behind text on the picture, in both themes
_RECORDING = QColor(196, 28, 28)  # white on it has 5.9:1
_RADIUS = 7.0


class VideoView(QWidget):
    """A live preview; draws one frame at a time and keeps none but the newest."""

    clicked = Signal(float, float)  # a place in the frame
    released = Signal()  # double click: follow no particular face any more

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mirror = True
        self.show_face = True
        self.show_patches = True
        self.show_emotion = True
        self._image: QImage | None = None
        self._size = QSize()  # of the frame
        self.face: FaceBox | None = None
        self._others: tuple[FaceBox, ...] = ()
        self._patches: tuple[Rect, ...] = ()
        self._locked = False
        self.emotion: tuple[int, float, bool] | None = None
        self.badges: tuple[str, ...] = ()
        self.recording = ""
        self._message = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Camera picture")
        self.setToolTip("Click a face to follow it; double click or Esc to follow the largest")

    def sizeHint(self) -> QSize:
        return QSize(640, 400)

    def show_frame(
        self,
        image: RgbImage,
        face: FaceBox | None = None,
        others: Sequence[FaceBox] = (),
        patches: Sequence[Rect] = (),
        locked: bool = False,
    ) -> None:
        """Draw ``image`` (H, W, 3) with the face followed, other faces and the kept patches."""
        height, width = image.shape[:2]
        image = np.ascontiguousarray(image)
        borrowed = QImage(image.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        # A copy, so the array may go; in the format that QPainter scales four times faster.
        self._image = borrowed.convertToFormat(QImage.Format.Format_RGB32)
        self._size = self._image.size()
        self.face, self._others, self._patches = face, tuple(others), tuple(patches)
        self._locked = locked
        self.update()

    def show_image(self, image: QImage, size: tuple[int, int]) -> None:
        """Draw a picture of ``size``, (width, height) in frame pixels; it may hold fewer."""
        self._image, self._size = image, QSize(*size)
        self.update()

    def set_face(self, face: FaceBox | None) -> None:
        """The face followed, in frame pixels."""
        if face != self.face:
            self.face = face
            self.update()

    def set_emotion(self, emotion: int | None, score: float = 0.0, uncertain: bool = False) -> None:
        """The large text: an index into ``EMOTIONS``, or None for nothing."""
        self.emotion = None if emotion is None else (emotion, score, uncertain)
        self.update()

    def set_badges(self, badges: Sequence[str]) -> None:
        """What is missing, in the corner: "no face", "microphone off"."""
        self.badges = tuple(badges)
        self.update()

    def set_recording(self, text: str) -> None:
        """How long it is already, on red in the other corner; empty: nothing is recorded."""
        if text != self.recording:
            if not (text and self.recording):
                announce(self, "Recording" if text else "Recording ended")
            self.recording = text
            self.update()

    def show_message(self, text: str, hint: str = "") -> None:
        """Words in place of a picture; the picture and all that was drawn on it is forgotten."""
        self._image = self.face = self.emotion = None
        self._others = self._patches = ()
        self.badges = ()
        self._message = (text, hint)
        self.setAccessibleDescription(f"{text} {hint}".strip())
        self.update()

    def has_frame(self) -> bool:
        return self._image is not None

    def picture_rect(self) -> QRectF:
        """Where the picture is in the widget: as large as fits, never distorted."""
        if self._image is None:
            return QRectF(self.rect())
        size = self._size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def _frame_to_widget(self) -> QTransform:
        assert self._image is not None
        place = self.picture_rect()
        x_scale, y_scale = (
            place.width() / self._size.width(),
            place.height() / self._size.height(),
        )
        if self.mirror:
            return QTransform(-x_scale, 0, 0, y_scale, place.right(), place.top())
        return QTransform(x_scale, 0, 0, y_scale, place.left(), place.top())

    def _in_frame(self, event: QMouseEvent) -> QPointF | None:
        if self._image is None or not self.picture_rect().contains(event.position()):
            return None
        inverse, _ = self._frame_to_widget().inverted()
        return inverse.map(event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._in_frame(event)
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(place.x(), place.y())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.released.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._image is None:
            self._paint_message(painter)
            self._paint_recording(painter)
            return
        self._paint_panel(painter)
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(self.picture_rect(), _RADIUS, _RADIUS)
        painter.setClipPath(clip)
        painter.setTransform(self._frame_to_widget(), True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRect(QPoint(0, 0), self._size), self._image)
        self._paint_overlays(painter)
        painter.restore()
        self._paint_emotion(painter)
        self._paint_badges(painter)
        self._paint_recording(painter)

    def _paint_panel(self, painter: QPainter) -> None:
        colours = colours_of(self)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.setBrush(QColor(colours.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _paint_overlays(self, painter: QPainter) -> None:
        """Boxes and patches; the painter is in frame pixels, pens in screen pixels."""
        if self.show_patches and self._patches:
            shade = QColor(DARK.accent)
            shade.setAlpha(38)
            edge = QColor(DARK.accent)
            edge.setAlpha(90)
            painter.setBrush(shade)
            painter.setPen(_cosmetic(edge, 1))
            painter.drawRects([QRectF(*patch) for patch in self._patches])
        if not self.show_face:
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for other in self._others:
            painter.setPen(_cosmetic(QColor(255, 255, 255, 170), 1.2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(_rect(other), 4, 4)
        if self.face is not None:
            colour = QColor(DARK.emotions[self.emotion[0]] if self.emotion else DARK.text)
            painter.setPen(_cosmetic(QColor(0, 0, 0, 120), 5))  # seen on bright pictures too
            painter.drawRoundedRect(_rect(self.face), 6, 6)
            painter.setPen(_cosmetic(colour, 2.5))
            painter.drawRoundedRect(_rect(self.face), 6, 6)
            if self._locked:  # corners filled in: this face was chosen by hand
                self._paint_corners(painter, _rect(self.face), colour)

    @staticmethod
    def _paint_corners(painter: QPainter, box: QRectF, colour: QColor) -> None:
        painter.setPen(_cosmetic(colour, 6))
        arm = min(box.width(), box.height()) / 5
        for corner, dx, dy in (
            (box.topLeft(), arm, arm),
            (box.topRight(), -arm, arm),
            (box.bottomLeft(), arm, -arm),
            (box.bottomRight(), -arm, -arm),
        ):
            painter.drawLine(corner, corner + QPointF(dx, 0))
            painter.drawLine(corner, corner + QPointF(0, dy))

    def _paint_emotion(self, painter: QPainter) -> None:
        if not self.show_emotion or self.emotion is None:
            return
        emotion, score, uncertain = self.emotion
        place = self.picture_rect()
        font = QFont(self.font())
        font.setBold(True)
        font.setPixelSize(max(18, min(64, int(place.height() / 11))))
        small = QFont(self.font())
        small.setPixelSize(max(painted_size(self, 13, font.pixelSize()), font.pixelSize() // 2))
        text = EMOTIONS[emotion]
        side = f"{100 * score:.0f} %" + ("  uncertain" if uncertain else "")
        metrics, side_metrics = QFontMetricsF(font), QFontMetricsF(small)
        margin = font.pixelSize() * 0.45
        width = metrics.horizontalAdvance(text) + side_metrics.horizontalAdvance(side)
        height = metrics.height() + margin * 0.5
        plate = QRectF(
            place.left() + margin, place.bottom() - margin - height, width + margin * 3.3, height
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawRoundedRect(plate, _RADIUS, _RADIUS)
        painter.setBrush(QColor(DARK.muted if uncertain else DARK.emotions[emotion]))
        painter.drawRoundedRect(
            QRectF(plate.left(), plate.top(), margin * 0.45, plate.height()), 3, 3
        )
        baseline = plate.top() + (height - metrics.height()) / 2 + metrics.ascent()
        painter.setFont(font)
        painter.setPen(QColor(DARK.muted if uncertain else DARK.text))
        painter.drawText(QPointF(plate.left() + margin * 1.2, baseline), text)
        painter.setFont(small)
        painter.setPen(QColor(DARK.muted if uncertain else "#d6dbe3"))
        painter.drawText(
            QPointF(plate.left() + margin * 2 + metrics.horizontalAdvance(text), baseline), side
        )

    def _paint_badges(self, painter: QPainter) -> None:
        font = painted_font(self, 13, 20, bold=True)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        place = self.picture_rect()
        right, top = place.right() - 10, place.top() + 10
        height = 2.0 * font.pixelSize()
        for text in self.badges:
            width = metrics.horizontalAdvance(text) + 32
            plate = QRectF(right - width, top, width, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_SHADE)
            painter.drawRoundedRect(plate, height / 2, height / 2)
            painter.setBrush(QColor(DARK.warning))
            painter.drawEllipse(QPointF(plate.left() + 14, plate.center().y()), 4, 4)
            painter.setPen(QColor(DARK.text))
            painter.drawText(
                plate.adjusted(24, 0, 0, 0),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                text,
            )
            right -= width + 6

    def _paint_recording(self, painter: QPainter) -> None:
        if not self.recording:
            return
        font = painted_font(self, 14, 20, bold=True)
        painter.setFont(font)
        text = f"REC {self.recording}"
        height = 12.0 + font.pixelSize()
        corner = self.picture_rect().topLeft() + QPointF(10, 10)
        plate = QRectF(
            corner.x(), corner.y(), QFontMetricsF(font).horizontalAdvance(text) + 36, height
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_RECORDING)
        painter.drawRoundedRect(plate, height / 2, height / 2)
        painter.setBrush(Qt.GlobalColor.white)
        painter.drawEllipse(QPointF(plate.left() + 15, plate.center().y()), 5, 5)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(
            plate.adjusted(26, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            text,
        )

    def _paint_message(self, painter: QPainter) -> None:
        colours = colours_of(self)
        text, hint = self._message
        self._paint_panel(painter)
        middle = QRectF(self.rect()).adjusted(24, 0, -24, 0)
        painter.setFont(painted_font(self, 22, bold=True))
        painter.setPen(QColor(colours.text))
        centred = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        upper = QRectF(middle.left(), middle.top(), middle.width(), middle.height() / 2 - 2)
        painter.drawText(upper, centred | Qt.AlignmentFlag.AlignBottom, text)
        painter.setFont(painted_font(self, 15))
        painter.setPen(QColor(colours.muted))
        lower = QRectF(middle.left(), middle.center().y() + 8, middle.width(), middle.height() / 2)
        painter.drawText(lower, centred | Qt.AlignmentFlag.AlignTop, hint)


def _cosmetic(colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(colour, width, style)
    pen.setCosmetic(True)
    return pen


def _rect(face: FaceBox) -> QRectF:
    return QRectF(face.x, face.y, face.width, face.height)
