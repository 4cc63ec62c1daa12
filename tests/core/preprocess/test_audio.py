from __future__ import annotations

import numpy as np
import pytest

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES, Waveform
from fer_core.preprocess.audio import LOWEST_DBFS, heard_segments, level_dbfs

EVERYTHING = np.ones(CLIP_SAMPLES, bool)


def sine(frequency: float, amplitude: float = 0.5) -> Waveform:
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


@pytest.mark.parametrize(("amplitude", "expected"), [(1.0, -3.01), (0.1, -23.01), (0.001, -63.01)])
def test_level_of_a_sine(amplitude: float, expected: float) -> None:
    assert level_dbfs(sine(440, amplitude)) == pytest.approx(expected, abs=0.01)


def test_level_of_digital_silence_is_a_number() -> None:
    assert level_dbfs(np.zeros(100, np.float32)) == LOWEST_DBFS
    assert level_dbfs(np.full(100, 1e-30, np.float32)) == LOWEST_DBFS


def test_no_sample_has_no_level() -> None:
    assert level_dbfs(np.zeros(0, np.float32)) is None


def test_quiet_segment_is_not_heard(noise: Waveform) -> None:
    sound = noise.copy()
    sound[2 * SEGMENT_SAMPLES : 3 * SEGMENT_SAMPLES] *= 0.01  # -60 dBFS
    heard = heard_segments(sound, EVERYTHING, silence_dbfs=-50)
    assert heard.tolist() == [True, True, False, True, True, True, True, True]


def test_segment_is_heard_from_half_of_its_samples(noise: Waveform) -> None:
    for real, expected in ((SEGMENT_SAMPLES // 2, True), (SEGMENT_SAMPLES // 2 - 1, False)):
        mask = np.zeros(CLIP_SAMPLES, bool)
        mask[:real] = True
        heard = heard_segments(np.where(mask, noise, np.float32(0)), mask, silence_dbfs=-50)
        assert heard.tolist() == [expected] + 7 * [False]


def test_level_of_a_segment_is_that_of_its_real_samples() -> None:
    """Zeros where sound is missing would make what is there seem quieter."""
    mask = np.zeros(CLIP_SAMPLES, bool)
    mask[: SEGMENT_SAMPLES // 2] = True
    sound = np.where(mask, sine(440, 0.01), np.float32(0))  # -43 dBFS
    assert heard_segments(sound, mask, silence_dbfs=-44)[0]
