"""A plot over time, of which a part is shown: keys zoom and scroll it as the mouse does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from fer_desktop.ui.late_plot import LatePlot

if TYPE_CHECKING:
    import pyqtgraph

ZOOM_STEP = 1.6  # of a key
PAGE = 0.8  # of what is shown


class TimePlot(LatePlot):
    """Times are in seconds. Until the plot is built all is shown, and nothing moves it."""

    shortest_s = 0.0  # that can be shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot: pyqtgraph.PlotWidget | None = None

    def reach(self) -> tuple[float, float]:
        """From when to when there may be something to show."""
        raise NotImplementedError

    def shown(self) -> tuple[float, float]:
        """From when to when is shown."""
        if self.plot is None:
            return self.reach()
        start, end = self.plot.getViewBox().viewRange()[0]
        return start, end

    def zoom_in(self) -> None:
        self.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom(1 / ZOOM_STEP)

    def zoom(self, factor: float) -> None:
        """Show a time ``factor`` times as short."""
        if self.plot is None:
            return
        first, last = self.reach()
        start, end = self.shown()
        length_s = min(max((end - start) / factor, self.shortest_s), last - first)
        fixed_s = self._fixed_s(start, end)
        self._show(fixed_s - (fixed_s - start) / (end - start) * length_s, length_s)

    def turn_page(self, pages: int) -> None:
        """Scroll by most of what is shown, to the right if ``pages`` is positive."""
        start, end = self.shown()
        self.show_from(start + pages * PAGE * (end - start))

    def show_from(self, start_s: float) -> None:
        """Scroll."""
        start, end = self.shown()
        self._show(start_s, end - start)

    def _fixed_s(self, start_s: float, end_s: float) -> float:
        """What of ``start_s`` to ``end_s`` keeps its place when it is zoomed."""
        return (start_s + end_s) / 2

    def _show(self, start_s: float, length_s: float) -> None:
        if self.plot is not None:
            first, end = self.reach()
            start_s = float(np.clip(start_s, first, max(end - length_s, first)))
            self.plot.setXRange(start_s, start_s + length_s, padding=0)
