"""How a training goes: its loss, and how right it is about the people who validate it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from fer_desktop.ui.late_plot import LatePlot
from fer_desktop.ui.painted_font import painted_font
from fer_desktop.ui.theme import colours_of, is_theme_change

if TYPE_CHECKING:
    import pyqtgraph

_FIGURES, _LARGEST = 12, 16  # pixels of the figures at the axes, and how large they may grow


@dataclass(slots=True)
class Curves:
    """By epoch, over all stages; what an epoch lacks is NaN, which is not drawn."""

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    uar: list[float] = field(default_factory=list)  # 0 to 1


class TrainingCurves(LatePlot):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves = Curves()
        self._plots: tuple[pyqtgraph.PlotItem, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(4, 4, 4, 4)
        self.setAccessibleName("Curves of the training")
        self.setToolTip("Below: the loss. Above: how right it is about people who validate it")

    def sizeHint(self) -> QSize:
        return QSize(380, 220)

    def clear(self) -> None:
        self.curves = Curves()
        self._draw()

    def append(self, loss: float | None, validation_loss: float | None, uar: float | None) -> None:
        """What an epoch ended with."""
        for values, value in (
            (self.curves.loss, loss),
            (self.curves.validation_loss, validation_loss),
            (self.curves.uar, uar),
        ):
            values.append(math.nan if value is None else value)
        self._draw()

    def _make_plot(self) -> None:
        import pyqtgraph

        view = pyqtgraph.GraphicsLayoutWidget(self)
        view.setAccessibleName(self.accessibleName())
        right, loss = view.addPlot(row=0, col=0), view.addPlot(row=1, col=0)
        for plot in (right, loss):
            plot.setMouseEnabled(x=False, y=False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            figures = self.fontMetrics()
            plot.getAxis("left").setWidth(
                max(52, figures.horizontalAdvance("0.00") + figures.height() + 10)
            )
            for name in ("left", "bottom"):
                plot.getAxis(name).setTickFont(painted_font(self, _FIGURES, _LARGEST))
        right.setYRange(0, 1, padding=0.02)
        right.getAxis("left").setTicks([[(0.0, "0"), (0.5, "0.5"), (1.0, "1")]])
        right.setXLink(loss)
        right.getAxis("bottom").setStyle(showValues=False)
        right.setLabel("left", "UAR")
        loss.setLabel("left", "loss")
        loss.setLabel("bottom", "epoch")
        self._plots = (right, loss)
        self._lines = [right.plot(connect="finite"), loss.plot(connect="finite")]
        self._points = [right.plot(pen=None), loss.plot(pen=None)]  # few epochs are validated
        self._view = view
        self._layout.addWidget(view)
        self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and self._plots:
            self._restyle()

    def _restyle(self) -> None:
        colours = colours_of(self)
        self._view.setBackground(colours.surface)
        for plot in self._plots:
            for name in ("left", "bottom"):
                plot.getAxis(name).setPen(colours.line)
                plot.getAxis(name).setTextPen(colours.muted)
        self._draw()

    def _draw(self) -> None:
        if not self._plots:
            return
        colours, curves = colours_of(self), self.curves
        epochs = list(range(1, len(curves.loss) + 1))
        self._lines[1].setData(epochs, curves.loss, pen=colours.muted, antialias=True)
        for points, values in zip(self._points, (curves.uar, curves.validation_loss), strict=True):
            there = [(n, v) for n, v in zip(epochs, values, strict=True) if math.isfinite(v)]
            points.setData(
                [n for n, _ in there], [v for _, v in there],
                pen=colours.accent, symbol="o", symbolSize=6,
                symbolBrush=colours.accent, symbolPen=colours.accent, antialias=True,
            )  # fmt: skip
