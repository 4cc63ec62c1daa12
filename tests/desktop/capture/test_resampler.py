from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fer_core.media import SAMPLE_RATE, AudioBlock
from fer_desktop.capture.resampler import StreamResampler


def tone(rate: int, seconds: float, hertz: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def cut(samples: np.ndarray, rate: int, start_s: float = 5.0) -> list[AudioBlock]:
    step = rate // 50
    return [
        AudioBlock(samples[i : i + step], rate, start_s + i / rate)
        for i in range(0, len(samples), step)
    ]


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
def test_blocks_join_without_a_seam(rate):
    resampler = StreamResampler()
    blocks = [resampler.process(block) for block in cut(tone(rate, 2), rate)]
    sound = np.concatenate([block.samples for block in blocks])
    expected = tone(SAMPLE_RATE, 2)[: len(sound)]
    assert len(sound) > 1.9 * SAMPLE_RATE
    inner = slice(200, len(sound) - 200)
    assert np.abs(sound[inner] - expected[inner]).max() < 0.01


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_times_are_those_of_the_sound_and_not_of_its_delivery(rate):
    click = np.zeros(2 * rate, np.float32)
    click[rate] = 1.0
    resampler = StreamResampler()
    for block in cut(click, rate):
        resampled = resampler.process(block)
        peak = int(np.argmax(resampled.samples)) if len(resampled.samples) else 0
        if len(resampled.samples) and resampled.samples[peak] > 0.2:
            assert resampled.time_s + peak / SAMPLE_RATE == pytest.approx(6.0, abs=0.0005)
            break
    else:
        pytest.fail("the click was lost")


def test_each_block_begins_where_the_last_ended():
    resampler = StreamResampler()
    blocks = [resampler.process(block) for block in cut(tone(44_100, 1), 44_100)]
    for before, after in pairwise(blocks):
        assert after.time_s == pytest.approx(before.time_s + len(before.samples) / SAMPLE_RATE)


def test_after_a_gap_the_filter_forgets_what_was_before():
    resampler = StreamResampler()
    for block in cut(np.ones(48_000, np.float32), 48_000):
        resampler.process(block)
    silence = cut(np.zeros(48_000, np.float32), 48_000, start_s=7.0)
    resampled = [resampler.process(block) for block in silence]
    assert resampled[0].time_s == pytest.approx(7.0)
    assert max(np.abs(block.samples).max(initial=0) for block in resampled) == 0


def test_an_overflow_is_passed_on_and_ends_continuity():
    resampler = StreamResampler()
    blocks = cut(np.ones(9_600, np.float32), 48_000)
    for block in blocks[:-1]:
        resampler.process(block)
    lost = AudioBlock(blocks[-1].samples, 48_000, blocks[-1].time_s + 0.03, overflowed=True)
    resampled = resampler.process(lost)
    assert resampled.overflowed
    assert resampled.time_s == pytest.approx(lost.time_s)


def test_another_rate_in_the_middle_is_taken_up():
    resampler = StreamResampler()
    for block in cut(tone(48_000, 0.5), 48_000):
        resampler.process(block)
    blocks = [resampler.process(b) for b in cut(tone(44_100, 1), 44_100, start_s=5.5)]
    assert sum(len(block.samples) for block in blocks) == pytest.approx(16_000, abs=700)


def test_sound_at_16_khz_passes_untouched():
    block = AudioBlock(tone(16_000, 0.02), 16_000, 1.0)
    assert StreamResampler().process(block) is block
