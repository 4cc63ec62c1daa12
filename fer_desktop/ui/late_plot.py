"""A panel whose plot is built after its first paint: pyqtgraph takes 0.3 s to import."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget


class LatePlot(QFrame):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._wanted = self._built = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._wanted:
            self._wanted = True
            QTimer.singleShot(0, self.build)

    def build(self) -> None:
        """Now, if it is not there yet."""
        if not self._built:
            self._wanted = self._built = True
            self._make_plot()

    def _make_plot(self) -> None:
        raise NotImplementedError
