"""The session so far: eight curves, and a ribbon in the colour of the emotion that leads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_core.labels import CLASSES, EMOTIONS
from fer_desktop.ui.score_history import ScoreHistory
from fer_desktop.ui.theme import Colours, colours_of, is_theme_change
from fer_desktop.ui.time_plot import TimePlot

LIVE_SECONDS = 60.0
_MOST_POINTS = 600  # of a curve: one for two pixels
_RIBBON_CELLS = 800
_RIBBON = (-0.16, 0.11)  # bottom and height, in the units of the scores
_MARGIN = 0.04  # of the visible time, right of now: room for the leader's name


class SessionTimeline(TimePlot):
    """Follows the last minute until the user looks back or zooms; then waits for Live."""

    shortest_s = 3.0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history = ScoreHistory()
        self.follows = True
        self.curves: list[Any] = []
        self._moving = False

        self._readout = QLabel("Session")
        self._readout.setProperty("muted", True)
        self._readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.live = QToolButton()
        self.live.setText("Live")
        self.live.setToolTip("Follow the newest minute again (End)")
        self.live.setAccessibleName("Follow live")
        self.live.clicked.connect(self.follow)
        self.live.hide()
        head = QHBoxLayout()
        head.setContentsMargins(12, 0, 8, 0)
        head.addWidget(self._readout, 1)
        head.addWidget(self.live)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2, 4, 2, 4)
        self._layout.setSpacing(2)
        self._layout.addLayout(head)
        self._layout.addStretch(1)
        self.setMinimumHeight(110)
        self.setAccessibleName("Emotions over the session")
        self.setToolTip("Drag to look back (Page Up), turn the wheel to zoom (+ and -)")

    def sizeHint(self) -> QSize:
        return QSize(1200, 180)

    def append(self, time_s: float, scores: NDArray[np.float32] | None, uncertain: bool) -> None:
        """Add the (8,) scores at ``time_s``, seconds from the session's start; None is a gap."""
        winner = None if scores is None or uncertain else int(np.argmax(scores))
        self.history.append(time_s, scores, winner)
        self._refresh()

    def clear(self) -> None:
        self.history.clear()
        self.follow()

    def follow(self) -> None:
        """Show the newest minute and keep showing it."""
        self.follows = True
        self.live.hide()
        self._refresh()

    def reach(self) -> tuple[float, float]:
        """A minute at least."""
        first, last = self.history.first_s or 0.0, self.history.last_s or 0.0
        return first, max(first + LIVE_SECONDS, last) + LIVE_SECONDS * _MARGIN

    def _newest(self) -> tuple[float, float]:
        _, end = self.reach()
        return end - (1 + _MARGIN) * LIVE_SECONDS, end

    def _fixed_s(self, start_s: float, end_s: float) -> float:
        """What is newest, while it follows."""
        return end_s if self.follows else super()._fixed_s(start_s, end_s)

    def _show(self, start_s: float, length_s: float) -> None:
        """Who comes to the newest minute follows it."""
        super()._show(start_s, length_s)
        if np.allclose(self.shown(), self._newest()):
            self.follow()
        elif self.plot is not None:
            self._unfollow()

    def _make_plot(self) -> None:
        import pyqtgraph

        class MinutesAxis(pyqtgraph.AxisItem):
            def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
                return [clock(value) for value in values]

        plot = pyqtgraph.PlotWidget(self, axisItems={"bottom": MinutesAxis("bottom")})
        plot.setMouseEnabled(x=True, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setYRange(_RIBBON[0], 1.06, padding=0)
        plot.setFrameShape(QFrame.Shape.NoFrame)
        plot.getAxis("left").setTicks([[(0.0, "0"), (0.5, "50 %"), (1.0, "100 %")]])
        figures = self.fontMetrics().horizontalAdvance("100 %")
        plot.getAxis("left").setWidth(max(52, figures + 18))
        half = self.fontMetrics().height() / 2  # of the topmost figure
        plot.getPlotItem().layout.setContentsMargins(0, max(half - 5, 0), 0, 0)
        plot.getAxis("bottom").setStyle(tickLength=0)  # ticks would cross the ribbon
        plot.setAccessibleName("Emotion curves")
        plot.setToolTip(self.toolTip())
        self._ribbon = pyqtgraph.ImageItem()
        plot.addItem(self._ribbon)
        self.curves = [plot.plot(connect="finite") for _ in range(CLASSES)]
        self._name = pyqtgraph.TextItem(anchor=(0, 0.5))
        plot.addItem(self._name)
        self._cursor = pyqtgraph.InfiniteLine(angle=90)
        self._cursor.hide()
        plot.addItem(self._cursor, ignoreBounds=True)
        box = plot.getViewBox()
        box.sigRangeChangedManually.connect(self._unfollow)
        box.sigXRangeChanged.connect(self._moved)
        plot.scene().sigMouseMoved.connect(self._hover)
        plot.viewport().installEventFilter(self)
        self.plot = plot
        self._pyqtgraph = pyqtgraph
        self._layout.takeAt(self._layout.count() - 1)  # the stretch that kept its place
        self._layout.addWidget(plot, 1)
        self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self.plot is not None:
            self._restyle()

    def _restyle(self) -> None:
        assert self.plot is not None
        colours = colours_of(self)
        self.plot.setBackground(colours.surface)
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(colours.line)
            axis.setTextPen(colours.muted)
        self._cursor.setPen(colours.muted)
        self._refresh()

    def _unfollow(self) -> None:
        self.follows = False
        self.live.show()

    def _refresh(self) -> None:
        """Move to the newest minute if that is wanted, and draw what is visible."""
        if self.plot is None:
            return
        first, end = self.reach()
        box = self.plot.getViewBox()
        box.setLimits(xMin=first, xMax=end, minXRange=self.shortest_s)
        if self.follows:
            self._moving = True
            self.plot.setXRange(*self._newest(), padding=0)
            self._moving = False
        self._draw()

    def _moved(self) -> None:
        if not self._moving:  # then it is drawn once, at the end of the refresh
            self._draw()

    def _draw(self) -> None:
        assert self.plot is not None
        colours = colours_of(self)
        start, end = self.plot.getViewBox().viewRange()[0]
        times, scores = self.history.between(start, end, _MOST_POINTS)
        leader = self._leader(scores)
        for emotion, curve in enumerate(self.curves):
            leads = emotion == leader
            colour = QColor(colours.emotions[emotion])
            colour.setAlpha(255 if leads else 130)
            curve.setPen(self._pyqtgraph.mkPen(colour, width=2.5 if leads else 1))
            curve.setZValue(2 if leads else 1)
            # Smooth lines take ten times as long (35 against 4 ms for all eight): one is enough.
            curve.setData(times, scores[:, emotion], antialias=leads)
        self._name.setVisible(leader is not None)
        if leader is not None:
            self._name.setText(EMOTIONS[leader], color=colours.text)
            self._name.setPos(times[-1], float(np.clip(scores[-1, leader], 0.08, 0.92)))
        self._draw_ribbon(colours, start, end)

    @staticmethod
    def _leader(scores: NDArray[np.float32]) -> int | None:
        if not len(scores) or np.isnan(scores[-1]).any():
            return None
        return int(np.argmax(scores[-1]))

    def _draw_ribbon(self, colours: Colours, start: float, end: float) -> None:
        cell = (end - start) / _RIBBON_CELLS
        middles = start + (np.arange(_RIBBON_CELLS, dtype=np.float64) + 0.5) * cell
        grey, nothing = QColor(colours.line), QColor(0, 0, 0, 0)
        known = [QColor(colour) for colour in colours.emotions]
        # Counted from the end: -1 is uncertain, -2 no prediction.
        table = np.array([c.getRgb() for c in (*known, nothing, grey)], np.ubyte)
        self._ribbon.setImage(table[self.history.winners_at(middles)][:, None], levels=(0, 255))
        self._ribbon.setRect(start, _RIBBON[0], end - start, _RIBBON[1])

    # Values under the mouse

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._cursor.hide()
            self._readout.setText("Session")
        return super().eventFilter(watched, event)

    def _hover(self, place: QPointF) -> None:
        assert self.plot is not None
        time_s = self.plot.getViewBox().mapSceneToView(place).x()
        self._cursor.setPos(time_s)
        self._cursor.show()
        self._readout.setText(self.text_at(time_s))

    def text_at(self, time_s: float) -> str:
        """What was seen at a time, highest first."""
        times, scores = self.history.between(time_s, time_s, _MOST_POINTS)
        if not len(times):
            return clock(time_s)
        nearest = int(np.argmin(np.abs(times - time_s)))
        if abs(times[nearest] - time_s) > 1 or np.isnan(scores[nearest]).any():
            return f"{clock(time_s)}   no prediction"
        ranked = np.argsort(scores[nearest])[::-1]
        values = "   ".join(f"{EMOTIONS[i]} {scores[nearest, i]:.0%}" for i in ranked)
        return f"{clock(times[nearest])}   {values}"


def clock(time_s: float, decimals: int = 0) -> str:
    """``m:ss``, with hours where there are any and up to three decimals.

    What has no place is left out, as clocks do: 1.7 s is still 0:01.
    """
    milli = round(time_s * 1000)
    sign, milli = ("-", -milli) if milli < 0 else ("", milli)
    hours, minutes, seconds = milli // 3_600_000, milli // 60_000 % 60, milli // 1000 % 60
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    fraction = f".{milli % 1000:03d}"[: decimals + 1] if decimals else ""
    return f"{sign}{head}:{seconds:02d}{fraction}"
