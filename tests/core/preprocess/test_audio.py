from __future__ import annotations

import numpy as np
import pytest
import torch

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES, Waveform
from fer_core.model.inputs import LOG_MEL_FLOOR, MEL_BINS, MEL_FRAMES
from fer_core.preprocess.audio import LOWEST_DBFS, LogMel, heard_segments, level_dbfs

EVERYTHING = np.ones(CLIP_SAMPLES, bool)


def sine(frequency: float, amplitude: float = 0.5) -> Waveform:
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def slaney_mel(frequency: float) -> float:
    """Even up to 1 kHz, then logarithmic, written here once more to check the library's."""
    if frequency < 1000:
        return frequency * 3 / 200
    return float(15 + 27 * np.log(frequency / 1000) / np.log(6.4))


def test_three_seconds_give_301_mel_frames() -> None:
    assert LogMel()(torch.zeros(CLIP_SAMPLES)).shape == (MEL_FRAMES, MEL_BINS)
    assert LogMel()(torch.zeros(2, CLIP_SAMPLES)).shape == (2, MEL_FRAMES, MEL_BINS)


def test_digital_silence_is_the_floor_everywhere() -> None:
    mel = LogMel()(torch.zeros(CLIP_SAMPLES))
    np.testing.assert_allclose(mel, LOG_MEL_FLOOR, rtol=1e-6)


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 3000.0, 7000.0])
def test_sine_peaks_in_its_own_bin(frequency: float) -> None:
    mel = LogMel()(torch.from_numpy(sine(frequency)))
    expected = slaney_mel(frequency) * (MEL_BINS + 1) / slaney_mel(SAMPLE_RATE / 2) - 1
    assert mel[150].argmax().item() == pytest.approx(expected, abs=1)


def test_ten_times_the_amplitude_adds_ln_100() -> None:
    quiet, loud = (LogMel()(torch.from_numpy(sine(1000, a)))[150].max() for a in (0.05, 0.5))
    assert loud - quiet == pytest.approx(np.log(100), abs=1e-3)


def test_sound_moved_by_whole_mel_hops_gives_the_same_mel_frames(noise: Waveform) -> None:
    whole = torch.from_numpy(np.concatenate([noise, noise[:320]]))
    first, second = LogMel()(whole[:CLIP_SAMPLES]), LogMel()(whole[320:])
    torch.testing.assert_close(first[4:-4], second[2:-6])


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
