from __future__ import annotations

import pytest
from PySide6.QtWidgets import QStyleOptionComboBox

from fer_desktop.ui.elided_combo import ElidedComboBox


def shown(combo: ElidedComboBox) -> str:
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    return option.currentText


@pytest.mark.parametrize("pixels", [12, 20])
def test_a_text_is_whole_where_it_has_room_and_else_ends_with_an_ellipsis(qtbot, pixels) -> None:
    combo = ElidedComboBox()
    qtbot.addWidget(combo)
    font = combo.font()
    font.setPixelSize(pixels)
    combo.setFont(font)
    combo.addItem("Face 1: 8 s from 0:02")
    combo.resize(combo.sizeHint())
    assert shown(combo) == "Face 1: 8 s from 0:02"
    combo.resize(combo.width() - 40, combo.height())
    assert shown(combo).startswith("Face 1")
    assert shown(combo).endswith("…")
