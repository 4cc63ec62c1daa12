from __future__ import annotations

import numpy as np

from fer_desktop.ui.score_history import ScoreHistory

HOP = 0.375


def scores(winner: int) -> np.ndarray:
    values = np.full(8, 0.05, np.float32)
    values[winner] = 0.65
    return values


def filled(rows: int, kept: int = 1000) -> ScoreHistory:
    history = ScoreHistory(kept)
    for i in range(rows):
        history.append((i + 1) * HOP, scores(i % 8), i % 8)
    return history


def test_memory_stays_constant_and_the_newest_rows_are_kept() -> None:
    history = filled(10, kept=100)
    before = history.nbytes
    for i in range(10, 1234):
        history.append((i + 1) * HOP, scores(i % 8), i % 8)
    assert history.nbytes == before
    assert len(history) == 100
    times, values = history.between(0, 1e9, most=1000)
    np.testing.assert_allclose(times, np.arange(1135, 1235) * HOP)
    np.testing.assert_array_equal(values.argmax(axis=1), np.arange(1134, 1234) % 8)


def test_four_hours_fit_into_a_few_megabytes() -> None:
    assert ScoreHistory().nbytes < 4e6


def test_only_what_is_visible_is_returned_with_one_row_beyond_each_end() -> None:
    times, values = filled(100).between(3.0, 6.0, most=1000)
    assert times[0] == 3.0 - HOP
    assert times[-1] == 6.0 + HOP
    assert len(times) == len(values) == 11


def test_a_long_range_is_averaged_down() -> None:
    times, values = filled(800).between(0, 1e9, most=100)
    assert len(times) <= 101
    np.testing.assert_allclose(values, 0.125, atol=1e-6)  # eight winners in turn, eight a group


def test_no_prediction_is_a_gap() -> None:
    history = filled(4)
    history.append(5 * HOP, None, None)
    history.append(6 * HOP, scores(2), 2)
    _, values = history.between(0, 10, most=1000)
    assert np.isnan(values[4]).all()
    assert not np.isnan(values[[3, 5]]).any()


def test_a_long_silence_is_a_gap_too() -> None:
    history = filled(4)
    history.append(30.0, scores(1), 1)
    times, values = history.between(0, 40, most=1000)
    assert len(times) == 6
    assert np.isnan(values[4]).all()


def test_a_gap_shorter_than_a_group_does_not_empty_the_group() -> None:
    history = ScoreHistory(1000)
    for i in range(100):
        history.append((i + 1) * HOP, None if i % 10 == 0 else scores(3), 3)
    _, values = history.between(0, 1e9, most=10)
    np.testing.assert_allclose(values[:, 3], 0.65, rtol=1e-6)


def test_a_time_that_goes_back_is_ignored() -> None:
    history = filled(4)
    history.append(1.0, scores(0), 0)
    assert len(history) == 4


def test_winners_by_time_tell_uncertain_from_absent() -> None:
    history = ScoreHistory(10)
    history.append(3.0, scores(4), 4)
    history.append(3.375, scores(4), None)
    history.append(3.75, None, None)
    winners = history.winners_at(np.array([0.0, 2.9, 3.2, 3.6, 4.0]))
    assert winners.tolist() == [-2, 4, -1, -2, -2]
