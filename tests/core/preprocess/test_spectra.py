from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, Waveform
from fer_core.model.inputs import (
    LOG_FLOOR,
    LOWEST_PITCH_HZ,
    MEL_BINS,
    MEL_FRAMES,
    PITCH_BINS_PER_OCTAVE,
    SPECTRA_BINS,
)
from fer_core.preprocess.spectra import LogMel, Spectra, pitch_frequencies


def tone(frequency: float, amplitude: float = 0.5) -> Tensor:
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    return torch.from_numpy((amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32))


def pitch_of(waveform: Tensor) -> Tensor:
    spectra: Tensor = Spectra()(waveform)
    return spectra[..., MEL_BINS:]


def slaney_mel(frequency: float) -> float:
    """Even up to 1 kHz, then logarithmic, written here once more to check the library's."""
    if frequency < 1000:
        return frequency * 3 / 200
    return float(15 + 27 * np.log(frequency / 1000) / np.log(6.4))


def test_three_seconds_give_301_frames_of_both() -> None:
    assert Spectra()(torch.zeros(CLIP_SAMPLES)).shape == (MEL_FRAMES, SPECTRA_BINS)
    assert Spectra()(torch.zeros(2, CLIP_SAMPLES)).shape == (2, MEL_FRAMES, SPECTRA_BINS)


@pytest.mark.parametrize("samples", [16_000, 16_001, 16_157, 16_159])
def test_any_length_has_as_many_frames_of_pitch_as_of_mel(samples: int) -> None:
    assert Spectra()(torch.zeros(samples)).shape == (101, SPECTRA_BINS)


def test_digital_silence_is_the_floor_everywhere() -> None:
    np.testing.assert_allclose(Spectra()(torch.zeros(CLIP_SAMPLES)), LOG_FLOOR, rtol=1e-6)


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_peaks_in_its_own_mel_bin(frequency: float) -> None:
    mel = LogMel()(tone(frequency))
    expected = slaney_mel(frequency) * (MEL_BINS + 1) / slaney_mel(SAMPLE_RATE / 2) - 1
    assert mel[150].argmax().item() == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("frequency", [80.0, 100.0, 220.0, 440.0, 880.0, 1200.0])
def test_a_tone_peaks_in_its_own_bin_of_pitch(frequency: float) -> None:
    expected = PITCH_BINS_PER_OCTAVE * np.log2(frequency / LOWEST_PITCH_HZ)
    assert pitch_of(tone(frequency))[150].argmax().item() == pytest.approx(expected, abs=1.5)


def test_a_voice_an_octave_higher_is_eighteen_bins_up() -> None:
    low, high = (
        pitch_of(sum((tone(k * f, 0.2 / k) for k in (1, 2, 3)), torch.zeros(CLIP_SAMPLES)))[150]
        for f in (150.0, 300.0)
    )
    moved = [torch.corrcoef(torch.stack([low[: 80 - k], high[k:]]))[0, 1] for k in range(10, 27)]
    assert 10 + int(torch.stack(moved).argmax()) == PITCH_BINS_PER_OCTAVE


def test_harmonics_that_mel_blurs_are_told_apart() -> None:
    """Of a man's voice at 90 Hz."""
    voice = sum((tone(90.0 * k, 0.1) for k in range(2, 8)), torch.zeros(CLIP_SAMPLES))
    spectrum = pitch_of(voice)[150]
    valley, hill = (
        spectrum[int(np.abs(pitch_frequencies() - f).argmin())].item() for f in (225.0, 270.0)
    )
    assert hill - valley > np.log(100)
    mel = LogMel()(voice)[150, 5:7]  # 223 and 261 Hz
    assert (mel[1] - mel[0]).abs() < np.log(100) / 2


def test_a_tone_is_about_as_loud_in_both() -> None:
    spectra = Spectra()(tone(440.0))[150]
    assert spectra[:MEL_BINS].max() == pytest.approx(spectra[MEL_BINS:].max(), abs=2.5)


def test_ten_times_the_amplitude_adds_ln_100() -> None:
    quiet, loud = (Spectra()(tone(1000, a))[150] for a in (0.05, 0.5))
    for part in (slice(0, MEL_BINS), slice(MEL_BINS, None)):
        assert loud[part].max() - quiet[part].max() == pytest.approx(np.log(100), abs=1e-3)


def test_sound_moved_by_whole_hops_gives_the_same_frames(noise: Waveform) -> None:
    whole = torch.from_numpy(np.concatenate([noise, noise[:320]]))
    first, second = Spectra()(whole[:CLIP_SAMPLES]), Spectra()(whole[320:])
    torch.testing.assert_close(first[9:-9], second[7:-11], atol=1e-3, rtol=1e-4)
