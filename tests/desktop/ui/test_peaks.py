from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fer_core.analysis.peaks import Peak
from fer_desktop.ui.peaks import PeakStrip

FIRST, SECOND, THIRD = (Peak("happy", t, 0.9 - t / 100, None) for t in (5.0, 20.0, 65.0))


@pytest.fixture
def strip(qtbot) -> PeakStrip:
    strip = PeakStrip()
    qtbot.addWidget(strip)
    strip.resize(600, strip.height())
    strip.show()
    return strip


def centre(tile) -> tuple[int, int, int]:
    return tile.grab().toImage().pixelColor(40, 40).getRgb()[:3]


def test_a_click_and_enter_go_there(strip: PeakStrip, qtbot) -> None:
    strip.set_peaks([FIRST, SECOND])
    with qtbot.waitSignal(strip.seek_requested) as wanted:
        qtbot.mouseClick(strip.tiles[1], Qt.MouseButton.LeftButton)
    assert wanted.args == [20.0]
    with qtbot.waitSignal(strip.seek_requested) as wanted:
        qtbot.keyClick(strip.tiles[0], Qt.Key.Key_Return)
    assert wanted.args == [5.0]


def test_a_picture_comes_later_and_stays_while_its_peak_does(strip: PeakStrip) -> None:
    strip.set_peaks([FIRST])
    assert centre(strip.tiles[0]) != (200, 30, 40)
    strip.set_picture(FIRST, np.full((160, 160, 3), (200, 30, 40), np.uint8))
    strip.set_peaks([SECOND, FIRST, THIRD])
    assert [tile.peak for tile in strip.tiles] == [SECOND, FIRST, THIRD]
    assert centre(strip.tiles[1]) == (200, 30, 40)


def test_tiles_stand_in_the_order_of_the_peaks(strip: PeakStrip, qtbot) -> None:
    strip.set_peaks([FIRST, THIRD])
    strip.set_peaks([SECOND, FIRST])
    strip.set_peaks([THIRD, SECOND, FIRST])
    qtbot.waitUntil(lambda: strip.tiles[2].x() > strip.tiles[1].x() > strip.tiles[0].x())


def test_a_picture_of_a_peak_that_has_gone_is_ignored(strip: PeakStrip) -> None:
    strip.set_peaks([FIRST])
    strip.set_peaks([])
    strip.set_picture(FIRST, np.zeros((160, 160, 3), np.uint8))
    assert not strip.tiles
    assert strip._nothing.isVisible()


def test_a_tile_says_what_it_shows(strip: PeakStrip) -> None:
    strip.set_peaks([THIRD])
    assert strip.tiles[0].accessibleName() == "happy 25% at 1:05"
