"""The plot of a file's timeline: pictures of its columns on an axis of time, and what lies on them.

Time is in seconds; upwards, an emotion's lane is 1 high, from 0 to 8, and the lanes of voice, face
and uncertain lie under 0. Imported when the plot is first shown: pyqtgraph takes 0.3 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QFrame, QWidget

from fer_core.analysis.timeline import Marker
from fer_core.labels import CLASSES, EMOTIONS
from fer_core.media import SEGMENT_SECONDS
from fer_desktop.playback.segment_table import SegmentTable
from fer_desktop.ui.painted_font import painted_font, painted_size
from fer_desktop.ui.segment_picture import emotions_picture, lanes, stacked, status_picture
from fer_desktop.ui.theme import Colours
from fer_desktop.ui.timeline import clock

View = Literal["lanes", "stacked"]
Values = Literal["raw", "smoothed", "both"]

STATUS_LANES = ("voice", "face", "uncertain")
STATUS_HEIGHT = 1.0  # of a lane: their names must not touch
_GAP = 0.25
_BOTTOM = -_GAP - len(STATUS_LANES) * STATUS_HEIGHT
_TOP = CLASSES + 0.35  # room for the markers' flags
SHORTEST_SECONDS = 1.5  # that can be shown
_ZOOM_STEP = 1.25
_NEAR_PIXELS = 6.0  # from the mouse to a marker that it means
_LETTERS, _LARGEST = 12, 18  # pixels of the lanes' names, and how large they may grow
_LEAST = 0.75  # of these letters; in lower lanes some names are left out


class ClockAxis(pyqtgraph.AxisItem):
    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [clock(value, 0 if spacing >= 1 else 2) for value in values]


class TimeBox(pyqtgraph.ViewBox):
    """A click goes there, a drag selects, the wheel zooms, with Shift or sideways it scrolls."""

    clicked = Signal(float)  # seconds
    dragged = Signal(float, float, bool)  # from, to, and whether the button was let go

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.clicked.emit(self.mapToView(event.pos()).x())

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis=0)
            return
        event.accept()
        begin = self.mapToView(event.buttonDownPos()).x()
        self.dragged.emit(begin, self.mapToView(event.pos()).x(), event.isFinish())

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        steps = event.delta() / 120
        sideways = event.orientation() == Qt.Orientation.Horizontal
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            start, end = self.viewRange()[0]
            self.translateBy(x=-steps * (end - start) / 8)
        else:
            self.scaleBy(x=_ZOOM_STEP**-steps, center=self.mapToView(event.pos()))


class FilePlot(pyqtgraph.PlotWidget):
    """Draws a :class:`SegmentTable`, which others fill; :meth:`draw` shows what it holds now."""

    seek_requested = Signal(float)
    selected = Signal(float, float, bool)  # from, to, and whether that is all
    range_changed = Signal(float, float)  # seconds shown
    hovered = Signal(float)

    def __init__(
        self, table: SegmentTable, colours: Colours, parent: QWidget | None = None
    ) -> None:
        box = TimeBox()
        axes = {"bottom": ClockAxis("bottom")}
        super().__init__(parent, viewBox=box, axisItems=axes)
        self._table = table
        self._markers: tuple[Marker, ...] = ()
        self.view: View = "lanes"
        self.values: Values = "raw"
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setYRange(_BOTTOM, _TOP, padding=0)
        self.setMouseEnabled(x=True, y=False)
        names = QFontMetricsF(painted_font(self, _LETTERS, _LARGEST))
        widest = max(names.horizontalAdvance(name) for name in (*EMOTIONS, *STATUS_LANES))
        self.getAxis("left").setWidth(round(widest) + 14)
        self.getAxis("left").setStyle(tickLength=0)
        self.getAxis("bottom").setStyle(tickLength=-4)
        self._emotions = pyqtgraph.ImageItem(axisOrder="row-major")
        self._status = pyqtgraph.ImageItem(axisOrder="row-major")
        self._limit = pyqtgraph.InfiniteLine(angle=90)  # how far the file is analysed
        self._region = pyqtgraph.LinearRegionItem(movable=True)
        self._region.setZValue(5)
        self._region.hide()
        self._flags = pyqtgraph.ScatterPlotItem(symbol="t", size=11, pxMode=True)
        self._poles = pyqtgraph.PlotCurveItem(connect="pairs")
        self._cursor = pyqtgraph.InfiniteLine(angle=90)
        self._cursor.hide()
        self._playhead = pyqtgraph.InfiniteLine(angle=90)
        self._playhead.setZValue(10)
        for item in (self._emotions, self._status, self._region, self._poles, self._flags,
                     self._limit, self._cursor, self._playhead):  # fmt: skip
            self.addItem(item, ignoreBounds=True)
        box.clicked.connect(self.seek_requested)
        box.dragged.connect(self._on_drag)
        box.sigXRangeChanged.connect(self._on_range)
        box.sigResized.connect(lambda *_: self.draw())
        self._region.sigRegionChanged.connect(lambda: self._on_region(False))
        self._region.sigRegionChangeFinished.connect(lambda: self._on_region(True))
        self.scene().sigMouseMoved.connect(self._on_hover)
        self.restyle(colours)

    # What is shown

    def restyle(self, colours: Colours) -> None:
        """Take the colours of a theme."""
        self._colours = colours
        self.setBackground(colours.surface)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(colours.line)
            axis.setTextPen(colours.muted)
        self._playhead.setPen(pyqtgraph.mkPen(colours.text, width=2))
        self._cursor.setPen(colours.muted)
        self._limit.setPen(pyqtgraph.mkPen(colours.muted, style=Qt.PenStyle.DotLine))
        tint = pyqtgraph.mkColor(colours.accent)
        tint.setAlpha(50)
        self._region.setBrush(tint)
        self._region.setHoverBrush(tint)
        for line in self._region.lines:
            line.setPen(pyqtgraph.mkPen(colours.accent, width=2))
            line.setHoverPen(pyqtgraph.mkPen(colours.accent, width=4))
        self._flags.setBrush(colours.accent)
        self._flags.setPen(colours.surface)
        self._poles.setPen(pyqtgraph.mkPen(colours.accent, width=1))
        self.draw()

    def show_as(self, view: View, values: Values) -> None:
        self.view, self.values = view, values
        self.draw()

    def set_duration(self, duration_s: float) -> None:
        end_s = max(duration_s, SHORTEST_SECONDS)
        self.getViewBox().setLimits(
            xMin=0, xMax=end_s, minXRange=SHORTEST_SECONDS, maxXRange=end_s
        )  # fmt: skip
        for line in self._region.lines:
            line.setBounds((0, duration_s))

    def set_playhead(self, time_s: float) -> None:
        self._playhead.setPos(time_s)

    def set_selection(self, selection: tuple[float, float] | None) -> None:
        self._region.setVisible(selection is not None)
        if selection is not None:
            self._region.blockSignals(True)
            self._region.setRegion(selection)
            self._region.blockSignals(False)

    def set_markers(self, markers: Sequence[Marker]) -> None:
        self._markers = tuple(markers)
        times = np.array([marker.time_s for marker in markers])
        self._flags.setData(times, np.full(len(times), CLASSES + 0.18))
        heights = np.tile((_BOTTOM, float(CLASSES)), len(times))
        self._poles.setData(np.repeat(times, 2), heights)

    def marker_near(self, time_s: float) -> Marker | None:
        """The one under the mouse, if there is one."""
        reach_s = _NEAR_PIXELS * self.getViewBox().viewPixelSize()[0]
        near = [m for m in self._markers if abs(m.time_s - time_s) <= reach_s]
        return min(near, key=lambda m: abs(m.time_s - time_s), default=None)

    def hide_cursor(self) -> None:
        self._cursor.hide()

    def draw(self) -> None:
        """Pictures of the visible time, a column for each pixel of the screen."""
        box = self.getViewBox()
        start, end = box.viewRange()[0]
        ratio = self.devicePixelRatioF()
        width = max(round(box.width() * ratio), 2)
        lane = box.height() * ratio / (_TOP - _BOTTOM)
        colours = self._colours
        columns = self._table.columns(np.linspace(start, end, width + 1))
        values = columns.raw if self.values == "raw" else columns.smoothed
        # Lines of segments narrower than a pixel would cover everything.
        wide = (end - start) / width < SEGMENT_SECONDS
        marks = columns.raw if self.values == "both" and wide else None
        if self.view == "lanes":
            lane_height = max(round(lane), 3)
            places = lanes(values, columns.uncertain < 0.5, marks, lane_height)
        else:
            places = stacked(values, marks, max(round(CLASSES * lane), 3))
        self._emotions.setImage(emotions_picture(places, colours), levels=(0, 255))
        self._emotions.setRect(start, 0, end - start, CLASSES)
        status = status_picture(columns, colours, max(round(STATUS_HEIGHT * lane), 3))
        self._status.setImage(status, levels=(0, 255))
        self._status.setRect(start, _BOTTOM, end - start, -_BOTTOM - _GAP)
        self._limit.setPos(self._table.end_s)
        self._name_lanes(lane / ratio)

    def _name_lanes(self, lane_height: float) -> None:
        """Every lane, or where they are lower than letters that can be read every second, third."""
        wanted, room = painted_size(self, _LETTERS, _LARGEST), max(0.95 * lane_height, 1.0)
        step = math.ceil(_LEAST * wanted / room)
        size = min(wanted, int(step * room))
        self.getAxis("left").setTickFont(painted_font(self, size, size))
        lanes = [(CLASSES - n - 0.5, name) for n, name in enumerate(EMOTIONS)]
        status = [(-_GAP - (n + 0.5) * STATUS_HEIGHT, name) for n, name in enumerate(STATUS_LANES)]
        if self.view == "lanes":
            named = [*lanes, *status][::step]
        else:
            half = 0.5 * size / lane_height  # of a figure, which stays inside
            shares = [(CLASSES - half, "100 %"), (CLASSES / 2, "50 %"), (half, "0")]
            named = [*shares, *status[step - 1 :: step]]  # not right below the 0
        self.getAxis("left").setTicks([named])

    # What people do

    def _on_drag(self, begin: float, end: float, finished: bool) -> None:
        limits = self.getViewBox().state["limits"]["xLimits"]
        begin, end = sorted(float(np.clip(x, *limits)) for x in (begin, end))
        self.set_selection((begin, end))
        self.selected.emit(begin, end, finished)

    def _on_region(self, finished: bool) -> None:
        start, end = self._region.getRegion()
        self.selected.emit(start, end, finished)

    def _on_range(self) -> None:
        self.draw()
        start, end = self.getViewBox().viewRange()[0]
        self.range_changed.emit(start, end)

    def _on_hover(self, place: QPointF) -> None:
        time_s = self.getViewBox().mapSceneToView(place).x()
        self._cursor.setPos(time_s)
        self._cursor.show()
        self.hovered.emit(time_s)
