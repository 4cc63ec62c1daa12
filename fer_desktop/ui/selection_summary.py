"""What a part of a file holds in short: for each emotion its share of the time and its mean."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fer_core.labels import CLASSES, EMOTIONS
from fer_desktop.playback.results import Summary
from fer_desktop.ui.painted_font import painted_font, painted_size
from fer_desktop.ui.panel import paint_panel
from fer_desktop.ui.theme import Colours, colours_of
from fer_desktop.ui.timeline import clock

_SMALL = 12  # pixels of the words; all places below are in their measure
_LARGEST = 17  # however large the system's font is
_HEAD = 44 / _SMALL
_FOOT = 24 / _SMALL
_LABELS = 104 / _SMALL  # width of the emotions' names
_FIGURES = 48 / _SMALL  # of a figure
_MINUTE = 60.0  # seconds; whole ones tell enough of longer times
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class SelectionSummary(QWidget):
    """Bars for the shares of time, figures for them, the mean probability and the segments."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary: Summary | None = None
        self._title = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(330, 170)
        self.setAccessibleName("Summary")
        self.setToolTip(
            "Time: share of the time in which the emotion leads. "
            "Mean: its mean probability. Segments of 0.375 s that it leads."
        )

    def sizeHint(self) -> QSize:
        return QSize(360, 260)

    def show_summary(self, summary: Summary | None, selected: bool, complete: bool = False) -> None:
        """``selected``: of a selection, not of the whole file; None: nothing is analysed there.

        ``complete``: the whole file is analysed.
        """
        self._summary = summary
        what = "Selection" if selected else "Whole file" if complete else "Whole file so far"
        self._title = what
        if summary is not None:
            tenths = 1 if summary.end_s - summary.start_s < _MINUTE else 0
            begin, end = clock(summary.start_s, tenths), clock(summary.end_s, tenths)
            self._title += f", {begin} to {end}"
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        """The same in words."""
        summary = self._summary
        if summary is None:
            return f"{self._title}: not analysed yet"
        means = summary.probabilities
        rows = [
            f"{EMOTIONS[i]} {summary.shares[i]:.0%} of the time, "
            f"mean {0.0 if means is None else means[i]:.0%}, {summary.segments[i]} segments"
            for i in np.argsort(-summary.shares, kind="stable")
        ]
        return f"{self._title}: " + "; ".join(rows)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = colours_of(self)
        painter = paint_panel(self)
        painter.setFont(painted_font(self, _SMALL, self._unit, bold=True))
        painter.setPen(QColor(colours.text))
        title = QRectF(12, 4, self.width() - 24, 20 / 12 * self._unit)
        painter.drawText(title, _LEFT, self._title or "Summary")
        painter.setFont(painted_font(self, _SMALL, self._unit))
        if self._summary is None:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Not analysed yet")
            return
        self._paint_rows(painter, colours, self._summary)

    @property
    def _unit(self) -> int:
        """Pixels of the words: 14 lines have room one below the other."""
        return painted_size(self, _SMALL, min(_LARGEST, self.height() / 16))

    def _paint_rows(self, painter: QPainter, colours: Colours, summary: Summary) -> None:
        head, foot, labels, wide = (n * self._unit for n in (_HEAD, _FOOT, _LABELS, _FIGURES))
        row = (self.height() - head - foot) / CLASSES
        right = self.width() - 12.0
        columns = [right - n * wide for n in (2, 1, 0)]  # right ends: time, mean, segments
        track = QRectF(labels + 12, 0, max(columns[0] - wide - labels - 16, 10), 8)
        painter.setPen(QColor(colours.muted))
        for end, name in zip(columns, ("time", "mean", "segm."), strict=True):
            height = 1.5 * self._unit
            painter.drawText(QRectF(end - wide, head - height - 2, wide, height), _RIGHT, name)
        means = summary.probabilities
        for emotion, label in enumerate(EMOTIONS):
            top = head + emotion * row
            middle = QPointF(18, top + row / 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.emotions[emotion]))
            painter.drawEllipse(middle, 5, 5)
            track.moveTop(middle.y() - track.height() / 2)
            painter.setBrush(QColor(colours.line))
            painter.drawRoundedRect(track, 4, 4)
            bar = QRectF(track)
            bar.setWidth(track.width() * summary.shares[emotion])
            painter.setBrush(QColor(colours.emotions[emotion]))
            painter.drawRoundedRect(bar, 4, 4)
            painter.setPen(QColor(colours.text))
            painter.drawText(QRectF(30, top, labels - 18, row), _LEFT, label)
            figures = (
                f"{summary.shares[emotion]:.0%}",
                "" if means is None else f"{means[emotion]:.0%}",
                str(summary.segments[emotion]),
            )
            for end, figure in zip(columns, figures, strict=True):
                painter.drawText(QRectF(end - wide, top, wide, row), _RIGHT, figure)
        painter.setPen(QColor(colours.muted))
        painter.drawText(
            QRectF(12, self.height() - foot, self.width() - 24, foot - 4),
            _LEFT,
            f"{summary.segments.sum()} segments; uncertain {summary.uncertain:.0%}, "
            f"neither face nor voice {summary.nothing:.0%}",
        )
