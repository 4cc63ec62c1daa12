from __future__ import annotations

import pytest

from fer_core.analysis.pace import MEASURED_SECONDS, Pace


def test_before_two_steps_nothing_is_said() -> None:
    pace = Pace()
    assert pace.left_s(60.0) is None
    pace.reached(0.375, 10.0)
    assert pace.left_s(60.0) is None


def test_what_is_left_takes_as_long_as_the_last_seconds_did() -> None:
    pace = Pace()
    for step in range(11):
        pace.reached(3.0 * step, 100.0 + step)
    assert pace.left_s(60.0) == pytest.approx(10.0)
    assert pace.left_s(30.0) == 0.0
    assert pace.left_s(20.0) == 0.0  # the header promised less


def test_a_slow_beginning_is_forgotten() -> None:
    pace = Pace()
    pace.reached(0.0, 0.0)
    pace.reached(1.0, 30.0)
    for step in range(1, 40):
        pace.reached(1.0 + 3 * step, 30.0 + step)
    assert pace.left_s(148.0) == pytest.approx(10.0)
    assert len(pace._seen) <= MEASURED_SECONDS + 2


def test_a_rest_does_not_count() -> None:
    pace = Pace()
    pace.reached(0.0, 0.0)
    pace.reached(3.0, 1.0)
    pace.rest()
    pace.reached(3.0, 1000.0)
    pace.reached(6.0, 1001.0)
    assert pace.left_s(12.0) == pytest.approx(2.0)
