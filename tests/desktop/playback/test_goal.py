import math

import pytest

from fer_desktop.playback.goal import (
    PATIENCE_AT_END_SECONDS,
    PATIENCE_SECONDS,
    Goal,
    goal_of_step,
)

NOW = 100.0


@pytest.mark.parametrize(
    ("start_s", "end_s", "suits"),
    [
        (0.96, 1.00, False),  # ends where the other begins
        (1.00, 1.04, True),
        (1.04, 1.08, False),
        (0.20, 2.00, True),  # one picture a second or less
        (0.9999, 1.0399, True),  # rounded otherwise
    ],
)
def test_only_the_picture_shown_at_that_time_answers_while_it_pauses(start_s, end_s, suits):
    assert Goal(1.0, NOW).suits(start_s, end_s, played_s=None) is suits


def test_a_picture_of_later_is_right_when_playback_has_come_so_far():
    goal = Goal(1.0, NOW)
    assert not goal.suits(1.44, 1.48, played_s=1.2)
    assert goal.suits(1.44, 1.48, played_s=1.45)
    assert not goal.suits(0.5, 0.54, played_s=1.45), "of before the seek"


def test_a_step_on_is_not_answered_by_the_same_picture_again():
    goal = goal_of_step(1, (1.0, None), 0.0, 10.0, NOW)
    assert goal is not None
    assert not goal.suits(1.0, 1.04, None)


@pytest.mark.parametrize(
    ("time_s", "patience_s"), [(1.0, PATIENCE_SECONDS), (9.9, PATIENCE_AT_END_SECONDS)]
)
def test_the_file_is_asked_when_the_player_took_too_long_and_only_once(time_s, patience_s):
    goal = Goal(time_s, NOW)
    assert not goal.must_be_read(NOW + patience_s / 2, duration_s=10.0)
    assert goal.must_be_read(NOW + patience_s * 1.1, duration_s=10.0)
    goal.reading = True
    assert not goal.must_be_read(NOW + patience_s * 1.1, duration_s=10.0)


@pytest.mark.parametrize(
    ("direction", "shown", "where"),
    [
        (1, (1.0, 1.04), 1.04),
        (-1, (1.0, 1.04), 0.999),
        (-1, (1.0, None), 0.999),
        (1, (1.0, None), 1.0),
        (-1, (0.02, 0.06), None),  # the first
        (1, (9.96, 10.0), None),  # the last
    ],
)
def test_a_step_goes_to_the_neighbour_of_what_is_shown(direction, shown, where):
    goal = goal_of_step(direction, shown, first_s=0.02, last_s=10.0, now=NOW)
    assert (goal and goal.time_s) == (where and pytest.approx(where))
    if goal is not None:
        assert goal.to_beginning


def test_the_end_of_a_picture_that_was_read_is_not_known_so_the_next_is_read_too():
    goal = goal_of_step(1, (1.0, None), 0.0, 10.0, NOW)
    assert goal is not None
    assert goal.after_s == 1.0
    assert goal.since == -math.inf
