"""How a page lies: two columns above, one view below, with handles between them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget


def laid_out(
    left: QWidget,
    right: QWidget,
    below: QWidget,
    *,
    widths: tuple[int, int],
    heights: tuple[int, int],
    stretch_below: int,
) -> QSplitter:
    """``widths`` and ``heights`` in pixels; grown, below has ``stretch_below`` to 3 above."""
    upper = QSplitter(Qt.Orientation.Horizontal)
    upper.addWidget(left)
    upper.addWidget(right)
    upper.setStretchFactor(0, 1)
    upper.setStretchFactor(1, 1)
    upper.setSizes(list(widths))
    whole = QSplitter(Qt.Orientation.Vertical)
    whole.addWidget(upper)
    whole.addWidget(below)
    whole.setStretchFactor(0, 3)
    whole.setStretchFactor(1, stretch_below)
    whole.setSizes(list(heights))
    for splitter in (upper, whole):
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(8)
    return whole
