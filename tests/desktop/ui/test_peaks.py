from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fer_core.analysis.peaks import Peak
from fer_desktop.ui.peaks import PeakGrid

FIRST, SECOND, THIRD = (Peak("happy", t, 0.9 - t / 100, None) for t in (5.0, 20.0, 65.0))


@pytest.fixture
def grid(qtbot) -> PeakGrid:
    grid = PeakGrid()
    qtbot.addWidget(grid)
    grid.resize(330, 400)
    grid.show()
    return grid


def centre(tile) -> tuple[int, int, int]:
    return tile.grab().toImage().pixelColor(40, 40).getRgb()[:3]


def test_a_click_and_enter_go_there(grid: PeakGrid, qtbot) -> None:
    grid.set_peaks([FIRST, SECOND])
    with qtbot.waitSignal(grid.seek_requested) as wanted:
        qtbot.mouseClick(grid.tiles[1], Qt.MouseButton.LeftButton)
    assert wanted.args == [20.0]
    with qtbot.waitSignal(grid.seek_requested) as wanted:
        qtbot.keyClick(grid.tiles[0], Qt.Key.Key_Return)
    assert wanted.args == [5.0]


def test_a_picture_comes_later_and_stays_while_its_peak_does(grid: PeakGrid) -> None:
    grid.set_peaks([FIRST])
    assert centre(grid.tiles[0]) != (200, 30, 40)
    grid.set_picture(FIRST, np.full((160, 160, 3), (200, 30, 40), np.uint8))
    grid.set_peaks([SECOND, FIRST, THIRD])
    assert [tile.peak for tile in grid.tiles] == [SECOND, FIRST, THIRD]
    assert centre(grid.tiles[1]) == (200, 30, 40)


def test_tiles_stand_in_the_order_of_the_peaks(grid: PeakGrid) -> None:
    grid.set_peaks([FIRST, THIRD])
    grid.set_peaks([SECOND, FIRST])
    grid.set_peaks([THIRD, SECOND, FIRST])
    assert [tile.peak for tile in grid.tiles] == [THIRD, SECOND, FIRST]
    assert grid.tiles[2].x() > grid.tiles[1].x() > grid.tiles[0].x()


def test_tiles_wrap_where_the_room_ends(grid: PeakGrid) -> None:
    grid.set_peaks([Peak("happy", 5.0 * n, 0.9, None) for n in range(8)])
    assert len({tile.x() for tile in grid.tiles}) == 3
    assert len({tile.y() for tile in grid.tiles}) == 3
    grid.resize(1000, 400)
    assert len({tile.y() for tile in grid.tiles}) == 1


def test_a_picture_of_a_peak_that_has_gone_is_ignored(grid: PeakGrid) -> None:
    grid.set_peaks([FIRST])
    grid.set_peaks([])
    grid.set_picture(FIRST, np.zeros((160, 160, 3), np.uint8))
    assert not grid.tiles
    assert grid._nothing.isVisible()


def test_a_tile_says_what_it_shows(grid: PeakGrid) -> None:
    grid.set_peaks([THIRD])
    assert grid.tiles[0].accessibleName() == "happy 25% at 1:05.000"
