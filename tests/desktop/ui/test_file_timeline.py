from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from fer_core.analysis.timeline import Marker
from fer_desktop.ui.file_timeline import FileTimeline
from fer_desktop.ui.theme import DARK, LIGHT, apply_theme

HAPPY, SAD = 2, 3
MINUTE = 160  # segments
Make = Callable[..., list]


@pytest.fixture
def timeline(qtbot) -> FileTimeline:
    timeline = FileTimeline()
    qtbot.addWidget(timeline)
    timeline.resize(1000, 320)
    timeline.build()
    timeline.show()
    QApplication.processEvents()
    return timeline


def place(timeline: FileTimeline, time_s: float, lane: float = 4.0) -> QPoint:
    """Where a time is, in pixels of the plot; lanes count from 0 at the bottom."""
    plot = timeline.plot
    on_scene = plot.getViewBox().mapViewToScene(QPointF(time_s, lane))
    return plot.mapFromScene(on_scene)


def colour_at(timeline: FileTimeline, time_s: float, lane: float) -> tuple[int, int, int]:
    QApplication.processEvents()
    picture = timeline.plot.grab().toImage()
    return picture.pixelColor(place(timeline, time_s, lane)).getRgb()[:3]


def drag(timeline: FileTimeline, qtbot, start_s: float, end_s: float) -> None:
    viewport = timeline.plot.viewport()
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(viewport, left, pos=place(timeline, start_s))
    for share in (0.3, 0.6, 1.0):
        qtbot.mouseMove(viewport, place(timeline, start_s + share * (end_s - start_s)))
    qtbot.mouseRelease(viewport, left, pos=place(timeline, end_s))


def test_the_plot_is_built_only_when_it_is_painted(qtbot, make_segments: Make) -> None:
    timeline = FileTimeline()
    qtbot.addWidget(timeline)
    timeline.set_duration(6.0)
    timeline.add_segments(make_segments(*[HAPPY] * 16))  # before there is a plot: kept
    timeline.set_selection(1.0, 2.0)
    assert timeline.plot is None
    timeline.show()
    qtbot.waitUntil(lambda: timeline.plot is not None)
    assert timeline.shown() == pytest.approx((0, 6.0))
    assert len(timeline.table) == 16


def test_it_fills_while_the_file_is_analysed(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    segments = make_segments(*[HAPPY] * MINUTE)
    timeline.add_segments(segments[:80])
    happy = QColor(DARK.emotions[HAPPY]).getRgb()[:3]
    assert colour_at(timeline, 15.0, 5.3) == happy
    assert colour_at(timeline, 45.0, 5.3) == QColor(DARK.surface).getRgb()[:3]
    assert timeline.shown() == pytest.approx((0, 60))
    timeline.add_segments(segments[80:])
    assert colour_at(timeline, 45.0, 5.3) == happy


def test_a_lane_is_as_high_as_its_probability(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(*[HAPPY] * MINUTE, probability=0.5))
    happy, background = (QColor(c).getRgb()[:3] for c in (DARK.emotions[HAPPY], DARK.surface))
    assert colour_at(timeline, 30.0, 5.3) == happy
    assert colour_at(timeline, 30.0, 5.7) == background


def test_stacked_emotions_fill_the_whole_height(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(*[HAPPY] * MINUTE, probability=0.72))
    timeline.view.setCurrentIndex(1)
    # Two emotions of 4 % lie under it, five above.
    for height, emotion in ((0.03, 0), (0.5, HAPPY), (0.97, 7)):
        expected = QColor(DARK.emotions[emotion]).getRgb()[:3]
        assert colour_at(timeline, 30.0, 8 * height) == expected


def test_voice_face_and_uncertain_have_lanes(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(
        [*make_segments(*[HAPPY] * 80, uncertain=True), *make_segments(*[None] * 80)]
    )
    voice, face, uncertain = -0.75, -1.75, -2.75
    background = QColor(DARK.surface).getRgb()[:3]
    assert colour_at(timeline, 15, face) == QColor(DARK.live).getRgb()[:3]
    assert colour_at(timeline, 15, uncertain) == QColor(DARK.warning).getRgb()[:3]
    assert colour_at(timeline, 15, voice) not in (background, QColor(DARK.info).getRgb()[:3])
    assert {colour_at(timeline, 45, lane) for lane in (voice, face, uncertain)} == {background}


def test_uncertain_leaders_are_pale(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(*[HAPPY] * MINUTE, uncertain=True))
    shown = colour_at(timeline, 30.0, 5.3)
    assert shown != QColor(DARK.emotions[HAPPY]).getRgb()[:3]
    assert shown != QColor(DARK.surface).getRgb()[:3]


def test_smoothed_values_rise_slowly_and_both_shows_the_raw_ones_too(
    timeline, make_segments: Make
) -> None:
    timeline.set_smoothing(1.0)
    timeline.set_duration(6.0)
    timeline.add_segments(make_segments(*[SAD] * 8, *[HAPPY] * 8, probability=0.93))
    after_the_change, high = 3.1, 5.8
    happy, background = (QColor(c).getRgb()[:3] for c in (DARK.emotions[HAPPY], DARK.surface))
    assert colour_at(timeline, after_the_change, high) == happy
    timeline.values.setCurrentIndex(1)
    assert colour_at(timeline, after_the_change, high) == background
    assert "happy 10%" in timeline.text_at(after_the_change)
    timeline.values.setCurrentIndex(2)
    column = [colour_at(timeline, after_the_change, 5 + share / 40) for share in range(30, 40)]
    assert any(colour != background for colour in column)


def test_a_click_goes_there(timeline, qtbot, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    with qtbot.waitSignal(timeline.seek_requested) as wanted:
        qtbot.mouseClick(
            timeline.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(timeline, 20.0)
        )
    assert wanted.args[0] == pytest.approx(20.0, abs=0.1)


def test_a_click_at_a_marker_goes_exactly_there(timeline, qtbot) -> None:
    timeline.set_duration(60.0)
    timeline.set_markers([Marker(20.125, "smiles <b>")])
    near = place(timeline, 20.125) + QPoint(3, 0)
    with qtbot.waitSignal(timeline.seek_requested) as wanted:
        qtbot.mouseClick(timeline.plot.viewport(), Qt.MouseButton.LeftButton, pos=near)
    assert wanted.args == [20.125]
    assert "smiles &lt;b&gt;" in timeline.text_at(20.125)


def test_a_drag_selects_and_a_selection_can_be_given_and_cleared(timeline, qtbot) -> None:
    timeline.set_duration(60.0)
    chosen: list = []
    timeline.selection_changed.connect(chosen.append)
    drag(timeline, qtbot, 40.0, 10.0)
    assert len(chosen) == 1
    assert chosen[0] == pytest.approx((10.0, 40.0), abs=0.1)
    timeline.set_selection(5.0, 6.0)
    timeline.set_selection(5.0, 6.0)
    timeline.set_selection(None)
    assert chosen[1:] == [(5.0, 6.0), None]
    assert not timeline.plot._region.isVisible()


def test_a_selection_ends_with_the_file(timeline) -> None:
    timeline.set_duration(20.0)
    timeline.set_selection(10.0, 25.0)
    assert timeline.selection == (10.0, 20.0)
    timeline.set_selection(21.0, 25.0)
    assert timeline.selection is None


def test_the_wheel_zooms_where_the_mouse_is_and_scrolls_with_shift(timeline) -> None:
    timeline.set_duration(600.0)
    viewport = timeline.plot.viewport()

    def turn(steps: int, modifiers: Qt.KeyboardModifier) -> None:
        at = QPointF(place(timeline, 300.0))
        event = QWheelEvent(
            at, viewport.mapToGlobal(at), QPoint(), QPoint(0, 120 * steps),
            Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(viewport, event)

    for _ in range(5):
        turn(1, Qt.KeyboardModifier.NoModifier)
    start, end = timeline.shown()
    assert end - start == pytest.approx(600 / 1.25**5, rel=0.01)
    assert (300 - start) / (end - start) == pytest.approx(0.5, abs=0.01)
    turn(-1, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.shown()[0] > start
    assert timeline.shown()[1] - timeline.shown()[0] == pytest.approx(end - start)


def test_it_zooms_around_the_playhead_turns_pages_and_fits(timeline) -> None:
    timeline.set_duration(600.0)
    timeline.set_playhead(100.0)
    timeline.zoom_in()
    timeline.zoom_in()
    start, end = timeline.shown()
    assert end - start == pytest.approx(600 / 1.6**2)
    assert (100 - start) / (end - start) == pytest.approx(100 / 600)
    timeline.turn_page(1)
    assert timeline.shown()[0] == pytest.approx(start + 0.8 * (end - start))
    assert timeline.bar.value() == pytest.approx(timeline.shown()[0] * 1000, abs=1)
    timeline.turn_page(-1)
    assert timeline.shown()[0] == pytest.approx(start)
    timeline.zoom_out()
    timeline.zoom_out()
    assert timeline.shown() == pytest.approx((0, 600))
    timeline.zoom_in()
    timeline.fit()
    assert timeline.shown() == pytest.approx((0, 600))


def test_it_never_shows_what_lies_outside_the_file(timeline) -> None:
    timeline.set_duration(600.0)
    timeline.zoom(10)
    timeline.show_from(-50)
    assert timeline.shown()[0] == pytest.approx(0)
    timeline.show_from(900)
    assert timeline.shown()[1] == pytest.approx(600)
    timeline.zoom(0.001)
    assert timeline.shown() == pytest.approx((0, 600))


def test_the_bar_scrolls(timeline) -> None:
    timeline.set_duration(600.0)
    timeline.zoom(4)
    timeline.bar.setValue(200_000)
    assert timeline.shown() == pytest.approx((200, 350))


def test_what_is_shown_follows_the_playhead_but_not_after_looking_elsewhere(timeline) -> None:
    timeline.set_duration(600.0)
    timeline.zoom(10)  # 0 to 60
    timeline.set_playhead(59.0)
    assert timeline.shown()[0] == pytest.approx(0)
    timeline.set_playhead(61.0)
    assert timeline.shown() == pytest.approx((55.0, 115.0))
    timeline.show_from(300)
    timeline.set_playhead(62.0)
    assert timeline.shown()[0] == pytest.approx(300)


def test_values_are_told_under_the_mouse(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(HAPPY, None))
    told = timeline.text_at(0.1)
    assert told.startswith("0:00.100")
    assert told.index("happy 72%") < told.index("sad 4%")
    assert "neither face nor voice" in timeline.text_at(0.5)
    assert "not analysed yet" in timeline.text_at(30.0)


def test_a_longer_file_than_its_header_says_is_shown_whole(timeline, make_segments: Make) -> None:
    timeline.set_duration(3.0)
    timeline.add_segments(make_segments(*[HAPPY] * 16))
    assert timeline.shown() == pytest.approx((0, 6.0))


def test_another_file_begins_empty(timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(*[HAPPY] * MINUTE))
    timeline.set_selection(1.0, 2.0)
    timeline.set_markers([Marker(3.0)])
    timeline.zoom(5)
    timeline.clear()
    timeline.set_duration(10.0)
    assert (len(timeline.table), timeline.selection) == (0, None)
    assert timeline.shown() == pytest.approx((0, 10))
    assert timeline.plot.marker_near(3.0) is None


def test_a_change_of_theme_changes_its_colours(qapp, timeline, make_segments: Make) -> None:
    timeline.set_duration(60.0)
    timeline.add_segments(make_segments(*[HAPPY] * MINUTE))
    apply_theme(qapp, "light")
    assert colour_at(timeline, 30.0, 5.3) == QColor(LIGHT.emotions[HAPPY]).getRgb()[:3]
    assert colour_at(timeline, 30.0, 7.8) == QColor(LIGHT.surface).getRgb()[:3]


def test_two_hours_scroll_as_fast_as_a_minute(timeline, make_segments: Make) -> None:
    def steps_ms(count: int) -> float:
        timeline.clear()
        timeline.set_duration(count * 0.375)
        timeline.add_segments(make_segments(*[HAPPY, SAD, None, 5] * (count // 4)))
        timeline.zoom(3)
        taken = []
        for step in range(30):
            began = time.perf_counter()
            timeline.show_from(step * count * 0.375 / 60)
            QApplication.processEvents()
            taken.append(1000 * (time.perf_counter() - began))
        return float(np.median(taken))

    short, long = steps_ms(MINUTE), steps_ms(120 * MINUTE)
    assert long < 3 * short + 5  # measured: 8 ms both, on a core that trains beside it


@pytest.mark.parametrize("pixels", [12, 21])
def test_all_names_of_the_legend_have_room(qtbot, pixels) -> None:
    timeline = FileTimeline()
    qtbot.addWidget(timeline)
    font = timeline.font()
    font.setPixelSize(pixels)
    timeline.setFont(font)
    timeline.resize(1260, 230)
    timeline.show()
    assert timeline.readout.sizeHint().width() <= timeline.readout.width()


@pytest.mark.parametrize(("points", "least"), [(9, 9), (18, 13)])
@pytest.mark.parametrize("view", ["lanes", "stacked"])
@pytest.mark.parametrize("height", [150, 200, 320, 480])
def test_names_of_lanes_can_be_read_and_do_not_touch(
    qtbot, letters_of: Callable[[float], None], points: int, least: int, view: str, height: int
) -> None:
    letters_of(points)
    timeline = FileTimeline()
    qtbot.addWidget(timeline)
    timeline.resize(1000, height)
    timeline.view.setCurrentIndex(timeline.view.findData(view))
    timeline.build()
    timeline.show()
    QApplication.processEvents()
    axis = timeline.plot.getAxis("left")
    letters = axis.style["tickFont"].pixelSize()
    assert letters >= least  # pixels
    lane = place(timeline, 0, 0).y() - place(timeline, 0, 1).y()
    (named,) = axis._tickLevels
    for (lower, _), (higher, name) in pairwise(sorted(named)):
        assert (higher - lower) * lane >= 0.9 * letters, name
    if height == 480:
        assert len(named) == {"lanes": 11, "stacked": 6}[view]
