from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fer_desktop.live.smoothing import STRONGEST
from fer_desktop.playback.segment_table import SegmentTable

Make = Callable[..., list]
HAPPY, SAD = 2, 3


def test_a_narrow_column_is_the_segment_in_which_it_begins(make_segments: Make) -> None:
    table = SegmentTable()
    table.add(make_segments(HAPPY, SAD, None))
    columns = table.columns(np.linspace(0, 1.125, 31))
    assert list(columns.raw[:10].argmax(axis=1)) == [HAPPY] * 10
    assert list(columns.raw[10:20].argmax(axis=1)) == [SAD] * 10
    assert np.isnan(columns.raw[20:]).all()
    assert columns.known.all()


def test_a_wide_column_is_the_mean_of_its_segments(make_segments: Make) -> None:
    table = SegmentTable()
    table.add(make_segments(HAPPY, SAD, None, None))
    columns = table.columns(np.array([0.0, 1.5]))
    assert columns.raw[0, [HAPPY, SAD]] == pytest.approx([0.38, 0.38])  # of what is there
    assert columns.raw[0].sum() == pytest.approx(1)
    assert columns.seen[0] == 0.5
    assert columns.speech[0] == 0.25


def test_outside_the_analysed_time_nothing_is_known(make_segments: Make) -> None:
    table = SegmentTable()
    table.add(make_segments(HAPPY, HAPPY))
    columns = table.columns(np.array([-2.0, -1.0, 0.0, 0.75, 1.0, 9.0]))
    assert list(columns.known) == [False, False, True, False, False]
    assert np.isnan(columns.raw[[0, 1, 3, 4]]).all()


def test_segments_added_one_by_one_are_the_same_as_all_at_once(make_segments: Make) -> None:
    leaders = [HAPPY, SAD, None, SAD, 5] * 500
    segments = make_segments(*leaders)
    whole, grown = SegmentTable(), SegmentTable()
    whole.add(segments)
    for first in range(0, len(segments), 7):
        grown.add(segments[first : first + 7])
    edges = np.linspace(0, len(segments) * 0.375, 400)
    for name in ("raw", "smoothed", "speech", "seen", "uncertain"):
        expected = getattr(whole.columns(edges), name)
        assert getattr(grown.columns(edges), name) == pytest.approx(expected, nan_ok=True), name


def test_smoothing_is_that_of_live_and_begins_anew_after_a_gap(make_segments: Make) -> None:
    table = SegmentTable(strength=1.0)
    table.add(make_segments(HAPPY, SAD, None, SAD))
    first, second, after = (table.values_at(t, smooth=True) for t in (0.1, 0.5, 1.2))
    assert first is not None and first[HAPPY] == pytest.approx(0.72)  # noqa: PT018
    assert second is not None
    assert second[SAD] == pytest.approx((1 - STRONGEST) * 0.72 + STRONGEST * 0.04)
    assert after is not None
    assert after[SAD] == pytest.approx(0.72)
    assert table.values_at(0.9, smooth=True) is None


def test_another_strength_holds_for_what_is_there(make_segments: Make) -> None:
    table = SegmentTable(strength=1.0)
    table.add(make_segments(HAPPY, SAD))
    table.smooth(0.0)
    columns = table.columns(np.array([0.0, 0.375, 0.75]))
    assert columns.smoothed == pytest.approx(columns.raw)


def test_uncertain_is_what_has_an_emotion_but_no_certain_one(make_segments: Make) -> None:
    table = SegmentTable()
    table.add(make_segments(HAPPY, None, uncertain=True))
    assert list(table.columns(np.array([0.0, 0.375, 0.75])).uncertain) == [1.0, 0.0]


def test_a_cleared_table_takes_another_file(make_segments: Make) -> None:
    table = SegmentTable()
    table.add(make_segments(HAPPY, HAPPY, HAPPY))
    table.clear()
    table.add(make_segments(SAD))
    assert len(table) == 1
    columns = table.columns(np.array([0.0, 0.375, 0.75]))
    assert columns.raw[0].argmax() == SAD
    assert not columns.known[1]
