from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.tool_row import ToolRow


@pytest.fixture
def with_letters(letters_of: Callable[[float], None], qtbot) -> Callable[[float], MainWindow]:
    """Windows in a system whose font has so many points."""

    def make(points: float) -> MainWindow:
        letters_of(points)
        window = MainWindow(Settings(theme="dark"))
        qtbot.addWidget(window)
        window.show()
        return window

    return make


def shown(row: ToolRow) -> list[QWidget]:
    """From left to right."""
    children = row.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return sorted((w for w in children if w.isVisible()), key=lambda w: w.x())


@pytest.mark.parametrize("points", [9, 11, 12, 14, 18])
@pytest.mark.parametrize("width", [900, 960, 1024, 1280])
def test_nothing_in_the_row_lies_on_another(
    with_letters: Callable[[float], MainWindow], points: float, width: int
) -> None:
    window = with_letters(points)
    window.set_state("running")
    window.resize(width, 600)
    for page in ("live", "file", "live"):
        window.show_page(page)
        QApplication.processEvents()
        widgets = shown(window.tool_row)
        for left, right in pairwise(widgets):
            assert left.geometry().right() < right.x(), left.accessibleName()
        assert widgets[-1].geometry().right() < window.tool_row.width()


def test_both_pages_have_room_on_a_small_screen_with_larger_letters(
    with_letters: Callable[[float], MainWindow],
) -> None:
    assert with_letters(12).minimumSizeHint().width() <= 960


def test_words_stay_where_there_is_room_whatever_the_theme_and_the_page(
    with_letters: Callable[[float], MainWindow], qtbot
) -> None:
    window = with_letters(9)
    window.resize(1600, 720)
    row = window.tool_row
    for change in ("theme", "theme", "file", "live"):
        if change == "theme":
            window.command("theme").trigger()
        else:
            window.show_page(change)
        QApplication.processEvents()
        assert row.privacy.text() == "All on this machine"
        assert row.start.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        assert window.width() == 1600
