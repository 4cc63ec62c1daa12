"""The last three seconds at a glance: eight emotions down, eight segments across, the sum beside.

Each row is one emotion's small histogram over time, older left, now right. The emotion that wins a
segment stands in full colour there. The bar at the right is the whole window's score, the thin mark
on it the value before smoothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from fer_core.labels import CLASSES, EMOTIONS
from fer_core.media import CLIP_SECONDS, SEGMENT_SECONDS, SEGMENTS, BoolArray
from fer_desktop.ui.painted_font import painted_font, painted_size
from fer_desktop.ui.panel import paint_panel
from fer_desktop.ui.segment_picture import MUTED_ALPHA
from fer_desktop.ui.theme import Colours, colours_of

Scores = NDArray[np.float32]

_SMALL = 13  # pixels of the small words, and how large they may grow with the system's font
_LARGEST_SMALL = 18
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    segments: Scores  # (8, 8): segment, emotion
    window: Scores  # (8,)
    raw: Scores | None  # (8,)
    audio: BoolArray  # (8,)
    video: BoolArray  # (8,)
    uncertain: bool


class SegmentBars(QWidget):
    """The scores of one window; knows nothing of where they come from."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: _Shown | None = None
        self._message = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(400, 170)
        self.setAccessibleName("Emotions in the last three seconds")
        self.setToolTip("Each row is an emotion, each column 0.375 s; hover for exact values")

    def sizeHint(self) -> QSize:
        return QSize(620, 430)

    def show_scores(
        self,
        segment_scores: Scores,
        scores: Scores,
        raw: Scores | None,
        segment_audio: BoolArray,
        segment_video: BoolArray,
        uncertain: bool,
    ) -> None:
        """Draw a window.

        Args:
            segment_scores: (8, 8), segment by emotion, oldest segment first.
            scores: (8,), of the whole window.
            raw: (8,), the same before smoothing; None draws no mark.
            segment_audio: (8,), True where the segment was heard.
            segment_video: (8,), True where a face was seen.
            uncertain: nothing stands out enough to be called the answer.
        """
        self.shown = _Shown(segment_scores, scores, raw, segment_audio, segment_video, uncertain)
        ranked = np.argsort(scores)[::-1]
        doubt = "uncertain; " if uncertain else ""
        self.setAccessibleDescription(
            doubt + ", ".join(f"{EMOTIONS[i]} {scores[i]:.0%}" for i in ranked)
        )
        self.update()

    def clear(self, text: str = "", hint: str = "") -> None:
        """Forget the scores; say why there are none."""
        self.shown = None
        self._message = (text, hint)
        self.setAccessibleDescription(f"{text} {hint}".strip())
        self.update()

    # Geometry, in widget pixels

    @property
    def _header(self) -> float:
        """Height of the words above the rows; below, voice and face have a line each."""
        return min(2.6 * self._small_size, max(0.14 * self.height(), 1.7 * self._small_size))

    @property
    def _footer(self) -> float:
        return min(3.1 * self._small_size, max(0.16 * self.height(), 2.6 * self._small_size))

    @property
    def _small_size(self) -> int:
        return painted_size(self, _SMALL, min(_LARGEST_SMALL, self.height() / 13))

    def _row_height(self) -> float:
        return (self.height() - self._header - self._footer) / CLASSES

    def _label_font(self) -> QFont:
        row, wide = self._row_height(), self.width() / 32
        wanted = min(row * 0.42, wide, 40)
        font = QFont(self.font())
        font.setBold(True)
        font.setPixelSize(int(max(wanted, painted_size(self, _SMALL, min(row * 0.7, wide)))))
        return font

    def _columns(self) -> tuple[float, float]:
        """Left end and width of the eight columns; the labels end, the sums begin beside them."""
        labels = QFontMetricsF(self._label_font()).horizontalAdvance("surprised") + 46
        return labels, (self.width() - labels) * 0.56

    def cell_rect(self, emotion: int, segment: int) -> QRectF:
        """Where a segment's bar may grow; the tallest fills it."""
        left, width = self._columns()
        step, row = width / SEGMENTS, self._row_height()
        gap = max(2.0, step * 0.09)
        return QRectF(
            left + segment * step + gap, self._header + emotion * row + 3, step - 2 * gap, row - 7
        )

    def sum_rect(self, emotion: int) -> QRectF:
        """The track of the window's bar."""
        left, width = self._columns()
        row = self._row_height()
        figures = QFontMetricsF(self._label_font()).horizontalAdvance("100 %") + 16
        start = left + width + 16
        thick = min(row * 0.5, 30)
        return QRectF(
            start,
            self._header + emotion * row + (row - thick) / 2,
            max(10.0, self.width() - start - figures),
            thick,
        )

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = colours_of(self)
        painter = paint_panel(self)
        shown = self.shown
        if shown is not None and not shown.uncertain:
            self._paint_highlight(painter, colours, int(np.argmax(shown.window)))
        self._paint_frame(painter, colours)
        if shown is None:
            self._paint_message(painter, colours)
            return
        self._paint_segments(painter, colours, shown)
        self._paint_sums(painter, colours, shown)
        self._paint_presence(painter, colours, shown)

    def _paint_highlight(self, painter: QPainter, colours: Colours, emotion: int) -> None:
        row = self._row_height()
        band = QRectF(6, self._header + emotion * row, self.width() - 12, row)
        tint = QColor(colours.emotions[emotion])
        tint.setAlpha(38)
        painter.setPen(QPen(QColor(colours.emotions[emotion]), 1.5))
        painter.setBrush(tint)
        painter.drawRoundedRect(band.adjusted(0, 0.5, 0, -0.5), 6, 6)

    def _paint_frame(self, painter: QPainter, colours: Colours) -> None:
        """Labels, and with scores the base lines and seconds."""
        left, width = self._columns()
        row = self._row_height()
        font = self._label_font()
        top = None if self.shown is None else int(np.argmax(self.shown.window))
        for emotion, label in enumerate(EMOTIONS):
            y = self._header + emotion * row
            dot = min(row * 0.3, 13)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.emotions[emotion]))
            painter.drawRoundedRect(QRectF(14, y + (row - dot) / 2, dot, dot), 3, 3)
            painter.setFont(font)
            painter.setPen(QColor(colours.text if emotion == top else colours.muted))
            painter.drawText(QRectF(32, y, left - 32, row), _LEFT, label)
            if self.shown is None:
                continue
            base = self.cell_rect(emotion, 0).bottom() + 0.5
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(left + 2, base), QPointF(left + width - 2, base))
        if self.shown is not None:
            self._paint_header(painter, colours, self.shown.uncertain)

    def _paint_header(self, painter: QPainter, colours: Colours, uncertain: bool) -> None:
        left, width = self._columns()
        painter.setFont(self._small_font())
        painter.setPen(QColor(colours.muted))
        header = QRectF(left + 2, 4, width - 4, self._header - 8)
        painter.drawText(header, _LEFT, f"{-CLIP_SECONDS:.1f} s")
        middle = QRectF(left, 4, width, self._header - 8)
        painter.drawText(middle, _CENTRE, f"{-CLIP_SECONDS / 2:.1f} s")
        painter.drawText(header, _RIGHT, "now")
        if uncertain:
            self._paint_chip(painter, colours, "uncertain")
        else:
            sums = self.sum_rect(0)
            painter.drawText(
                QRectF(sums.left(), 4, self.width(), self._header - 8), _LEFT, "all 3 s"
            )

    def _paint_chip(self, painter: QPainter, colours: Colours, text: str) -> None:
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 20
        height = 1.6 * self._small_size
        chip = QRectF(self.sum_rect(0).left(), (self._header - height) / 2 + 1, width, height)
        painter.setPen(QPen(QColor(colours.warning), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(chip, height / 2, height / 2)
        painter.setPen(QColor(colours.warning))
        painter.drawText(chip, _CENTRE, text)

    def _paint_segments(self, painter: QPainter, colours: Colours, shown: _Shown) -> None:
        for segment in range(SEGMENTS):
            present = bool(shown.audio[segment] or shown.video[segment])
            if not present:
                self._paint_absence(painter, colours, segment)
            winner = int(np.argmax(shown.segments[segment]))
            for emotion in range(CLASSES):
                cell = self.cell_rect(emotion, segment)
                share = float(shown.segments[segment, emotion])
                bar = QRectF(cell)
                bar.setTop(cell.bottom() - max(1.0, share * cell.height()))
                colour = QColor(colours.emotions[emotion])
                if not present:
                    colour.setAlpha(45)
                elif emotion != winner:
                    colour.setAlpha(MUTED_ALPHA)
                painter.fillRect(bar, colour)

    def _paint_absence(self, painter: QPainter, colours: Colours, segment: int) -> None:
        first, last = self.cell_rect(0, segment), self.cell_rect(CLASSES - 1, segment)
        brush = QBrush(QColor(colours.line), Qt.BrushStyle.BDiagPattern)
        painter.fillRect(QRectF(first.topLeft(), last.bottomRight()), brush)

    def _paint_sums(self, painter: QPainter, colours: Colours, shown: _Shown) -> None:
        top = int(np.argmax(shown.window))
        painter.setFont(self._label_font())
        for emotion in range(CLASSES):
            track = self.sum_rect(emotion)
            share = float(shown.window[emotion])
            wins = emotion == top and not shown.uncertain
            painter.setPen(Qt.PenStyle.NoPen)
            groove = QColor(colours.line)
            groove.setAlpha(120)
            painter.setBrush(groove)
            painter.drawRoundedRect(track, 4, 4)
            colour = QColor(colours.emotions[emotion])
            if not wins:
                colour.setAlpha(150)
            painter.setBrush(colour)
            filled = QRectF(track)
            filled.setWidth(max(2.0, share * track.width()))
            painter.drawRoundedRect(filled, min(4, filled.width() / 2), 4)
            if shown.raw is not None:
                mark = track.left() + float(shown.raw[emotion]) * (track.width() - 2)
                painter.setBrush(QColor(colours.text))
                painter.drawRect(QRectF(mark, track.top() - 3, 2, track.height() + 6))
            painter.setPen(QColor(colours.text if wins else colours.muted))
            figures = QRectF(0, track.top() - 10, self.width() - 14, track.height() + 20)
            painter.drawText(figures, _RIGHT, f"{100 * share:.0f} %")

    def _paint_presence(self, painter: QPainter, colours: Colours, shown: _Shown) -> None:
        painter.setFont(self._small_font())
        left, _ = self._columns()
        for line, (name, present) in enumerate((("voice", shown.audio), ("face", shown.video))):
            step = 1.25 * self._small_size
            y = self.height() - self._footer + 0.65 * step + line * step
            painter.setPen(QColor(colours.muted))
            painter.drawText(QRectF(0, y - step / 2, left - 8, step), _RIGHT, name)
            for segment in range(SEGMENTS):
                x = self.cell_rect(0, segment).center().x()
                if present[segment]:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(QColor(colours.live))
                    painter.drawEllipse(QPointF(x, y), 4, 4)
                else:
                    painter.setPen(QPen(QColor(colours.muted), 1.2))
                    painter.drawLine(QPointF(x - 3, y), QPointF(x + 3, y))

    def _paint_message(self, painter: QPainter, colours: Colours) -> None:
        left, _ = self._columns()
        area = QRectF(
            left,
            self._header,
            self.width() - left - 16,
            self.height() - self._header - self._footer,
        )
        painter.setFont(painted_font(self, 20, bold=True))
        painter.setPen(QColor(colours.text))
        text, hint = self._message
        centred = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        upper = QRectF(area.left(), area.top(), area.width(), area.height() / 2 - 2)
        painter.drawText(upper, centred | Qt.AlignmentFlag.AlignBottom, text)
        painter.setFont(self._small_font())
        painter.setPen(QColor(colours.muted))
        lower = QRectF(area.left(), area.center().y() + 6, area.width(), area.height() / 2)
        painter.drawText(lower, centred | Qt.AlignmentFlag.AlignTop, hint)

    def _small_font(self) -> QFont:
        return painted_font(self, _SMALL, self._small_size)

    # Exact values under the mouse

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.text_at(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)

    def text_at(self, place: QPointF) -> str:
        """The exact value drawn at ``place``, or nothing."""
        shown = self.shown
        emotion = int((place.y() - self._header) // self._row_height())
        if shown is None or not 0 <= emotion < CLASSES:
            return ""
        left, width = self._columns()
        label = EMOTIONS[emotion]
        if left <= place.x() < left + width:
            segment = int((place.x() - left) / width * SEGMENTS)
            start = segment * SEGMENT_SECONDS - CLIP_SECONDS
            seen = [
                name
                for name, there in (("voice", shown.audio[segment]), ("face", shown.video[segment]))
                if there
            ]
            return (
                f"{label} {shown.segments[segment, emotion]:.1%}\n"
                f"{start:.3f} to {start + SEGMENT_SECONDS:.3f} s\n"
                f"{' and '.join(seen) or 'neither voice nor face'}"
            )
        if place.x() >= left + width:
            raw = "" if shown.raw is None else f"\nbefore smoothing {shown.raw[emotion]:.1%}"
            return f"{label} {shown.window[emotion]:.1%} over the window{raw}"
        return ""
