from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from fer_desktop.ui.theme import DARK
from fer_desktop.ui.timeline import SessionTimeline, clock

HOP = 0.375


def scores(winner: int) -> np.ndarray:
    values = np.full(8, 0.05, np.float32)
    values[winner] = 0.65
    return values


@pytest.fixture
def timeline(qtbot) -> SessionTimeline:
    timeline = SessionTimeline()
    qtbot.addWidget(timeline)
    timeline.resize(1000, 200)
    timeline.build()
    timeline.show()
    return timeline


def feed(timeline: SessionTimeline, count: int, winner: int = 2) -> None:
    start = timeline.history.last_s or 0.0
    for i in range(count):
        timeline.append(start + (i + 1) * HOP, scores(winner), uncertain=False)


def test_the_plot_is_built_only_after_the_first_paint(qtbot) -> None:
    timeline = SessionTimeline()
    qtbot.addWidget(timeline)
    timeline.append(1.0, scores(0), uncertain=False)  # before there is a plot: kept
    assert timeline.plot is None
    timeline.show()
    qtbot.waitUntil(lambda: timeline.plot is not None)
    assert len(timeline.history) == 1


def test_it_follows_the_newest_minute(timeline: SessionTimeline) -> None:
    feed(timeline, 400)
    start, end = timeline.shown()
    assert start == pytest.approx(400 * HOP - 60)
    assert end > 400 * HOP


def test_looking_back_stops_following_until_live_is_pressed(timeline: SessionTimeline) -> None:
    feed(timeline, 400)
    box = timeline.plot.getViewBox()
    box.setXRange(10, 40, padding=0)
    box.sigRangeChangedManually.emit([True, False])  # what a drag emits
    assert timeline.live.isVisible()
    feed(timeline, 10)
    assert timeline.shown() == pytest.approx((10, 40))
    timeline.live.click()
    assert timeline.follows
    assert not timeline.live.isVisible()
    assert timeline.shown()[0] == pytest.approx(410 * HOP - 60)


def test_keys_look_back_and_closer_as_the_mouse_does(timeline: SessionTimeline) -> None:
    feed(timeline, 400)
    newest_s = timeline.shown()[1]
    timeline.zoom_in()
    start, end = timeline.shown()
    assert end == pytest.approx(newest_s)
    assert end - start == pytest.approx(62.4 / 1.6)
    assert not timeline.follows
    timeline.turn_page(-1)
    assert timeline.shown()[1] == pytest.approx(end - 0.8 * (end - start))
    timeline.turn_page(-10)
    assert timeline.shown()[0] == pytest.approx(HOP)  # there is nothing before the first answer
    for _ in range(10):
        timeline.zoom_out()
    assert timeline.shown() == pytest.approx((HOP, newest_s))
    for _ in range(20):
        timeline.zoom_in()
    assert np.diff(timeline.shown()) == pytest.approx(3.0)
    timeline.follow()
    assert timeline.shown() == pytest.approx((newest_s - 62.4, newest_s))


def test_who_scrolls_on_to_the_newest_minute_follows_it(timeline: SessionTimeline) -> None:
    feed(timeline, 100)
    timeline.turn_page(-1)  # there is no more than this minute
    assert timeline.follows
    feed(timeline, 300)
    timeline.turn_page(-1)
    assert not timeline.follows
    timeline.turn_page(1)
    timeline.turn_page(1)
    assert timeline.follows
    assert not timeline.live.isVisible()


def test_keys_do_nothing_before_there_is_a_plot(qtbot) -> None:
    timeline = SessionTimeline()
    qtbot.addWidget(timeline)
    timeline.turn_page(-1)
    timeline.zoom_in()
    assert timeline.follows


def test_a_gap_breaks_the_curves(timeline: SessionTimeline) -> None:
    feed(timeline, 4)
    timeline.append(5 * HOP, None, uncertain=False)
    timeline.append(6 * HOP, scores(2), uncertain=False)
    _, drawn = timeline.curves[2].getData()
    assert np.isnan(drawn[4])
    assert timeline.curves[2].opts["connect"] == "finite"


def test_an_hour_draws_no_more_points_than_the_screen_shows(timeline: SessionTimeline) -> None:
    for i in range(9600):
        timeline.history.append((i + 1) * HOP, scores(i // 100 % 8), 0)
    timeline._unfollow()
    timeline._refresh()
    timeline.plot.setXRange(0, 3600, padding=0)
    x, _ = timeline.curves[0].getData()
    assert 200 < len(x) <= 601


def test_the_ribbon_shows_the_leader_and_grey_where_it_is_uncertain(
    timeline: SessionTimeline,
) -> None:
    feed(timeline, 80, winner=3)
    for i in range(80):
        timeline.append((81 + i) * HOP, scores(3), uncertain=True)
    pixels = timeline._ribbon.image[:, 0]
    assert tuple(pixels[200]) == QColor(DARK.emotions[3]).getRgb()
    assert tuple(pixels[600]) == QColor(DARK.line).getRgb()


def test_the_leader_is_named_and_drawn_thicker(timeline: SessionTimeline) -> None:
    feed(timeline, 20, winner=6)
    widths = [curve.opts["pen"].widthF() for curve in timeline.curves]
    assert widths.index(max(widths)) == 6
    assert timeline._name.toPlainText() == "disgust"


def test_values_are_told_under_the_mouse(timeline: SessionTimeline) -> None:
    feed(timeline, 20, winner=7)
    assert timeline.text_at(3.0).startswith("0:03   surprised 65%")
    timeline.append(21 * HOP, None, uncertain=False)
    assert "no prediction" in timeline.text_at(21 * HOP)


def test_a_new_session_starts_empty(timeline: SessionTimeline) -> None:
    feed(timeline, 400)
    timeline.clear()
    assert len(timeline.history) == 0
    assert timeline.shown()[0] == 0
    feed(timeline, 1)
    assert len(timeline.history) == 1


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [
        (0, 0, "0:00"),
        (59.6, 0, "0:59"),
        (2.9999999, 0, "0:03"),
        (3725, 0, "1:02:05"),
        (-3, 0, "-0:03"),
        (1.97, 1, "0:01.9"),
        (1.5, 3, "0:01.500"),
        (59.9996, 3, "1:00.000"),
        (3723.25, 3, "1:02:03.250"),
    ],
)
def test_times_are_written_as_clocks_that_never_run_ahead(
    seconds: float, decimals: int, text: str
) -> None:
    assert clock(seconds, decimals) == text
