from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget

from fer_core.labels import EMOTIONS
from fer_desktop.ui.bars import SegmentBars
from fer_desktop.ui.painted_font import painted_font, painted_size


def with_font(qtbot, widget: QWidget, pixels: int) -> QWidget:
    qtbot.addWidget(widget)
    font = widget.font()
    font.setPixelSize(pixels)
    widget.setFont(font)
    return widget


@pytest.mark.parametrize(("system", "painted"), [(11, 13), (13, 13), (20, 20), (26, 26)])
def test_painted_words_are_as_large_as_the_labels_around_them(qtbot, system, painted) -> None:
    widget = with_font(qtbot, QWidget(), system)
    assert painted_size(widget, 13) == painted
    assert painted_font(widget, 13).pixelSize() == painted


def test_painted_words_grow_no_further_than_their_place(qtbot) -> None:
    widget = with_font(qtbot, QWidget(), 26)
    assert painted_size(widget, 13, most=18) == 18
    assert painted_size(widget, 13, most=5) == 13, "nor do they shrink"


@pytest.mark.parametrize("size", [(400, 170), (400, 240), (600, 320), (640, 460)])
@pytest.mark.parametrize("pixels", [12, 21])
def test_no_label_of_the_bars_is_cut_or_touches_the_next(qtbot, size, pixels) -> None:
    bars = with_font(qtbot, SegmentBars(), pixels)
    bars.resize(*size)
    font = bars._label_font()
    metrics = QFontMetricsF(font)
    assert bars.cell_rect(1, 0).top() - bars.cell_rect(0, 0).top() >= font.pixelSize()
    widest = max(metrics.horizontalAdvance(label) for label in EMOTIONS)
    assert 32 + widest <= bars.cell_rect(0, 0).left()
    assert bars.sum_rect(7).bottom() <= bars.height() - bars._footer
    assert bars.rect().contains(bars.sum_rect(0).topLeft().toPoint())
    assert bars.text_at(QPointF(10, 2)) == ""
