from __future__ import annotations

import pytest

from fer_desktop.ui.level_meter import FLOOR_DBFS, LevelMeter
from fer_desktop.ui.theme import DARK


@pytest.fixture
def meter(qtbot) -> LevelMeter:
    meter = LevelMeter()
    qtbot.addWidget(meter)
    meter.resize(400, 22)
    return meter


def test_the_peak_stays_a_while_and_comes_down(meter: LevelMeter) -> None:
    meter.show_level(-10.0)
    meter.show_level(-40.0)
    assert -13 < meter.peak_dbfs < -10
    for _ in range(60):
        meter.show_level(-40.0)
    assert meter.peak_dbfs == -40.0


def test_the_bar_is_as_long_as_the_sound_is_loud(meter: LevelMeter) -> None:
    meter.show_level(-30.0)
    picture = meter.grab().toImage()
    assert picture.pixelColor(100, 11).name() == DARK.live
    assert picture.pixelColor(250, 11).name() != DARK.live


@pytest.mark.parametrize(("level", "text"), [(None, "off"), (-80.0, "silent"), (-18.4, "-18 dB")])
def test_it_says_in_words_what_it_shows(meter: LevelMeter, level: float | None, text: str) -> None:
    meter.show_level(level)
    assert meter.text() == meter.accessibleDescription() == text


def test_a_closed_microphone_forgets_the_peak(meter: LevelMeter) -> None:
    meter.show_level(-3.0)
    meter.show_level(None)
    assert meter.peak_dbfs == FLOOR_DBFS
