from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fer_desktop.playback.results import Results

HAPPY, SAD = 2, 3


@pytest.fixture
def results(make_segments: Callable[..., list]) -> Results:
    """Happy from 0 to 1.5 s, nothing to 2.25 s, sad to 3.75 s."""
    results = Results()
    results.add(make_segments(*[HAPPY] * 4, None, None, *[SAD] * 4))
    return results


def test_a_time_finds_its_segment_and_the_end_the_last_one(results: Results) -> None:
    assert results.at(0.0) is results.segments[0]
    assert results.at(0.374) is results.segments[0]
    assert results.at(0.375) is results.segments[1]
    assert results.at(3.75) is results.segments[9]
    assert results.at(-0.1) is None
    assert results.at(3.76) is None
    assert Results().at(0.0) is None


def test_a_window_is_the_eight_segments_up_to_the_playhead(results: Results) -> None:
    assert results.window(0.4) == tuple(results.segments[:2])
    assert results.window(3.5) == tuple(results.segments[2:10])
    assert results.window(9.0) == ()


def test_what_is_added_later_follows(results: Results, make_segments: Callable[..., list]) -> None:
    assert results.duration_s == 3.75
    last = replace(make_segments(SAD)[0], start_s=3.75, end_s=3.9)
    results.add([last])
    assert results.duration_s == 3.9
    assert results.at(3.85) is last


def test_a_summary_shares_the_time_of_the_selection(results: Results) -> None:
    summary = results.summary(1.125, 3.0)  # 0.375 s happy, 0.75 s nothing, 0.75 s sad
    assert summary is not None
    assert summary.shares[HAPPY] == pytest.approx(0.2)
    assert summary.shares[SAD] == pytest.approx(0.4)
    assert summary.nothing == pytest.approx(0.4)
    assert summary.segments[HAPPY] == 1
    assert summary.segments[SAD] == 2
    assert summary.probabilities is not None
    assert summary.probabilities[SAD] == pytest.approx((2 * 0.72 + 0.04) / 3)
    assert summary.probabilities.sum() == pytest.approx(1)


def test_a_segment_counts_by_what_is_selected_of_it(results: Results) -> None:
    summary = results.summary(2.0, 2.35)  # 0.25 s of nothing, 0.1 s of sad
    assert summary is not None
    assert summary.shares[SAD] == pytest.approx(0.1 / 0.35)


def test_uncertain_time_is_counted_beside_the_leader(make_segments: Callable[..., list]) -> None:
    results = Results()
    results.add(make_segments(HAPPY, HAPPY, uncertain=True))
    summary = results.summary(0.0, 10.0)  # as far as it is analysed
    assert summary is not None
    assert (summary.shares[HAPPY], summary.uncertain, summary.end_s) == (1.0, 1.0, 0.75)


def test_what_is_not_analysed_has_no_summary(results: Results) -> None:
    assert results.summary(5.0, 6.0) is None
    assert results.summary(2.0, 2.0) is None


def test_nothing_heard_or_seen_has_no_probabilities(results: Results) -> None:
    summary = results.summary(1.5, 2.25)
    assert summary is not None
    assert summary.probabilities is None
    assert summary.nothing == 1.0
    assert not np.any(summary.segments)


def test_a_peak_is_certain(make_segments) -> None:
    results = Results()
    results.add(make_segments(2, 3, uncertain=True))
    assert results.peaks() == ()


def test_where_nothing_was_found_nothing_is_doubted(make_segments) -> None:
    results = Results()
    results.add(make_segments(2, None))
    summary = results.summary(0.0, 1.0)
    assert summary is not None
    assert (summary.uncertain, summary.nothing) == (0.0, 0.5)


def test_another_file_begins_with_nothing(make_segments) -> None:
    results = Results()
    results.add(make_segments(2, 2, 2))
    results.clear()
    results.add(make_segments(4))
    summary = results.summary(0.0, 9.0)
    assert summary is not None
    assert summary.end_s == 0.375
    assert summary.segments.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
