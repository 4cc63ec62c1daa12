from __future__ import annotations

import numpy as np
import pytest

from fer_core.media import HOP_SECONDS, AudioBlock
from fer_desktop.live.recording_clock import RecordingClock


def test_it_begins_at_the_next_whole_hop() -> None:
    clock = RecordingClock(100.1)
    assert clock.at(100.1) is None
    assert clock.at(100.125) == 0.0
    assert clock.at(101.0) == pytest.approx(0.875)
    assert clock.elapsed(100.0) == 0.0
    assert clock.elapsed(103.125) == 3.0


def test_it_stands_still_in_pauses_and_goes_on_at_a_whole_hop_of_both_clocks() -> None:
    clock = RecordingClock(0.0)
    clock.pause(1.0)
    assert clock.paused
    clock.pause(1.05)  # it stands still already
    assert clock.at(0.9) == 0.9, "what was under way"
    assert clock.at(1.0) is None
    assert clock.at(1.1) is None
    assert clock.elapsed(50.0) == 1.0
    clock.resume(50.1)
    assert not clock.paused
    assert clock.at(50.0) is None
    assert clock.goes_on_from_s == 1.125
    assert clock.at(50.25) == 1.125
    assert clock.goes_on_from_s % HOP_SECONDS == 0


def test_pausing_before_it_has_begun_costs_nothing() -> None:
    clock = RecordingClock(0.1)
    clock.pause(0.2)
    clock.pause(0.3)
    clock.resume(9.0)
    assert clock.at(9.0) == 0.0


def test_going_on_without_a_pause_changes_nothing() -> None:
    clock = RecordingClock(0.0)
    clock.resume(5.0)
    assert clock.at(6.0) == 6.0
    assert clock.goes_on_from_s == 0.0


def test_a_pause_before_it_has_gone_on_repeats_no_moment() -> None:
    clock = RecordingClock(0.0)
    clock.pause(1.0)
    clock.resume(50.1)  # from 50.25 on, with 1.125
    clock.pause(50.2)
    clock.resume(60.1)
    assert clock.at(60.375) == 1.125


def test_sound_is_cut_to_the_sample() -> None:
    rate = 1000
    clock = RecordingClock(10.2)  # begins at 10.5
    samples = np.arange(100, dtype=np.float32)
    cut = clock.cut(AudioBlock(samples, rate, 10.47, overflowed=True))
    assert cut is not None
    assert cut.samples.tolist() == samples[30:].tolist()
    assert cut.time_s == pytest.approx(0.0, abs=1e-9)
    assert cut.overflowed
    assert clock.cut(AudioBlock(samples, rate, 10.3)) is None
    clock.pause(11.0)
    cut = clock.cut(AudioBlock(samples, rate, 10.98))
    assert cut is not None
    assert len(cut.samples) == 20
    assert clock.cut(AudioBlock(samples, rate, 11.0)) is None
