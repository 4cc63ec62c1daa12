from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_core.data.augment.sound import (
    SoundAugmentation,
    stretched_seconds,
    vary_spectra,
    vary_waveform,
)
from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE
from fer_core.model.inputs import LOG_FLOOR

OFF = SoundAugmentation(
    stretch=0.0,
    pitch_bins=0.0,
    gain_db=0.0,
    microphone=0.0,
    noise=0.0,
    room=0.0,
    clip=0.0,
    codec=0.0,
    band=0.0,
    tilt_db=0.0,
    time_masks=0,
    frequency_masks=0,
)
BLANK = torch.linspace(-9.0, -5.0, 160)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def sound() -> tuple[np.ndarray, np.ndarray]:
    """A tone of 440 Hz, of which the last half second is missing."""
    real = np.arange(CLIP_SAMPLES) < CLIP_SAMPLES - 8000
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(CLIP_SAMPLES) / SAMPLE_RATE)
    return np.where(real, tone, 0).astype(np.float32), real


@pytest.fixture
def spectra() -> torch.Tensor:
    return torch.randn(301, 160, generator=torch.Generator().manual_seed(0)) - 7


def test_switched_off_it_changes_nothing(
    sound: tuple[np.ndarray, np.ndarray], spectra: torch.Tensor
) -> None:
    for seed in range(10):
        assert stretched_seconds(OFF, rng(seed)) == 3.0
        samples, real = vary_waveform(*sound, OFF, rng(seed))
        np.testing.assert_array_equal(samples, sound[0])
        np.testing.assert_array_equal(real, sound[1])
        assert torch.equal(vary_spectra(spectra, BLANK, OFF, rng(seed)), spectra)


def test_what_is_given_is_left_alone(
    sound: tuple[np.ndarray, np.ndarray], spectra: torch.Tensor
) -> None:
    samples, spectrogram = sound[0].copy(), spectra.clone()
    strong = SoundAugmentation(noise=1.0)
    for seed in range(5):
        vary_waveform(*sound, strong, rng(seed))
        vary_spectra(spectra, BLANK, strong, rng(seed))
    np.testing.assert_array_equal(sound[0], samples)
    assert torch.equal(spectra, spectrogram)


def test_more_seconds_than_three_are_played_faster() -> None:
    time = np.arange(int(3.3 * SAMPLE_RATE)) / SAMPLE_RATE
    tone = (0.3 * np.sin(2 * np.pi * 500 * time)).astype(np.float32)
    samples, real = vary_waveform(tone, np.ones(len(tone), bool), OFF, rng())
    assert samples.shape == real.shape == (CLIP_SAMPLES,)
    loudest = np.abs(np.fft.rfft(samples)).argmax() / 3
    assert loudest == pytest.approx(550, abs=1)


def test_what_is_missing_of_it_is_missing_for_as_much_less() -> None:
    real = np.arange(int(3.3 * SAMPLE_RATE)) < 2.2 * SAMPLE_RATE
    samples, there = vary_waveform(np.ones(len(real), np.float32), real, OFF, rng())
    assert there.sum() == pytest.approx(2 * SAMPLE_RATE, abs=1)
    assert there[: 2 * SAMPLE_RATE - 1].all()
    assert not samples[~there].any()


def test_stretching_stays_within_its_limits() -> None:
    seconds = [stretched_seconds(SoundAugmentation(stretch=0.2), rng(i)) for i in range(100)]
    assert 3 * np.exp(-0.2) <= min(seconds) < 2.6
    assert 3.4 < max(seconds) <= 3 * np.exp(0.2)


def test_noise_lies_ten_to_forty_decibels_under_the_speech(
    sound: tuple[np.ndarray, np.ndarray],
) -> None:
    samples, real = sound
    how = replace(OFF, noise=1.0)
    distances = []
    for seed in range(20):
        noise = vary_waveform(samples, real, how, rng(seed))[0][real] - samples[real]
        distances.append(-10 * np.log10(np.square(noise).mean() / np.square(samples[real]).mean()))
    assert min(distances) > 9
    assert 25 < max(distances) < 41


@pytest.mark.parametrize("factor", [0.01, 1.0])
def test_another_microphone_has_its_own_level_however_loud_the_voice_was(
    sound: tuple[np.ndarray, np.ndarray], factor: float
) -> None:
    samples, real = sound[0] * np.float32(factor), sound[1]
    levels = []
    for seed in range(40):
        heard = vary_waveform(samples, real, replace(OFF, microphone=1.0), rng(seed))[0]
        levels.append(10 * np.log10(np.square(heard[real]).mean()))
    assert -45.5 < min(levels) < -40
    assert -17 < max(levels) < -11.5  # with its noise


def test_missing_sound_stays_missing_and_nothing_overshoots(
    sound: tuple[np.ndarray, np.ndarray],
) -> None:
    samples, real = sound
    loud = SoundAugmentation(noise=1.0, gain_db=40.0)
    for seed in range(10):
        made, there = vary_waveform(samples, real, loud, rng(seed))
        assert np.abs(made).max() <= 1
        assert not made[~there].any()


def test_specaugment_hides_with_the_mean_of_speech(spectra: torch.Tensor) -> None:
    how = replace(OFF, time_masks=1, time_mask_frames=40, frequency_masks=1, frequency_mask_bins=20)
    widest = longest = 0
    for seed in range(10):
        made = vary_spectra(spectra, BLANK, how, rng(seed))
        hidden = made != spectra
        assert torch.equal(made[hidden], BLANK.expand_as(spectra)[hidden])
        bins, moments = hidden.all(0), hidden.all(1)
        assert torch.equal(hidden, bins | moments.unsqueeze(1))
        in_each = bins.unflatten(0, (2, 80)).sum(1)  # log-mel and pitch
        widest, longest = max(widest, int(in_each.max())), max(longest, int(moments.sum()))
    assert 10 < widest <= 20
    assert 20 < longest <= 40


def test_pitch_moves_what_is_seen_along_the_bins_of_both_alike() -> None:
    spectra = torch.full((301, 160), -10.0)
    spectra[:, [40, 80 + 40]] = 0.0
    peaks = set()
    for seed in range(20):
        made = vary_spectra(spectra, BLANK, replace(OFF, pitch_bins=3.0), rng(seed))
        assert torch.equal(made[0], made[300])
        assert torch.equal(made[:, :80], made[:, 80:])
        peaks.add(int(made[0, :80].argmax()))
    assert min(peaks) < 40 < max(peaks)
    assert peaks <= set(range(37, 44))


def test_pitch_may_move_apart_from_the_rest_of_a_voice() -> None:
    spectra = torch.full((301, 160), -10.0)
    spectra[:, [40, 80 + 40]] = 0.0
    peaks = set()
    for seed in range(20):
        made = vary_spectra(spectra, BLANK, replace(OFF, apart_bins=2.0), rng(seed))
        assert torch.equal(made[:, :80], spectra[:, :80])
        peaks.add(int(made[0, 80:].argmax()))
    assert min(peaks) < 40 < max(peaks)
    assert peaks <= set(range(38, 43))


def test_the_frequency_response_is_bent_and_silence_stays_silence(spectra: torch.Tensor) -> None:
    made = vary_spectra(spectra, BLANK, replace(OFF, tilt_db=6.0), rng(0)) - spectra
    slope = made[0, :80].diff()
    torch.testing.assert_close(made[0], made[300], atol=1e-5, rtol=0)
    torch.testing.assert_close(slope, slope[:1].expand(79), atol=1e-5, rtol=0)
    assert 0 < made[0, 79].abs() <= 0.5 * 6 * np.log(10) / 10
    silence = torch.full((301, 160), LOG_FLOOR)
    assert (vary_spectra(silence, BLANK, replace(OFF, tilt_db=6.0), rng(0)) >= LOG_FLOOR).all()


def test_the_tilt_is_in_decibels_of_power(spectra: torch.Tensor) -> None:
    how = replace(OFF, tilt_db=6.0)
    ends = [(vary_spectra(spectra, BLANK, how, rng(i)) - spectra)[0, 79] for i in range(100)]
    most = 0.5 * 6 * np.log(10) / 10
    assert 0.9 * most < max(ends) <= most + 1e-5
    assert 0.9 * most < -min(ends) <= most + 1e-5


def test_the_lowest_bins_move_less_for_there_is_nothing_below(spectra: torch.Tensor) -> None:
    for seed in range(10):
        made = vary_spectra(spectra, BLANK, replace(OFF, pitch_bins=3.0), rng(seed))
        torch.testing.assert_close(made[:, [0, 80]], spectra[:, [0, 80]])


def test_the_response_at_a_frequency_is_the_same_in_both(spectra: torch.Tensor) -> None:
    made = vary_spectra(spectra, BLANK, replace(OFF, tilt_db=6.0), rng(0)) - spectra
    bin_of_518_hz = 80 + 56  # 60 Hz * 2 ** (56 / 18) = 518 Hz, mel bins 12 and 13: 484 and 521 Hz
    assert made[0, 12:14].min() <= made[0, bin_of_518_hz] <= made[0, 12:14].max()


def test_equal_seeds_give_equal_sounds(
    sound: tuple[np.ndarray, np.ndarray], spectra: torch.Tensor
) -> None:
    how = SoundAugmentation(noise=1.0)
    one, same, other = (vary_waveform(*sound, how, rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert torch.equal(
        vary_spectra(spectra, BLANK, how, rng(1)), vary_spectra(spectra, BLANK, how, rng(1))
    )


def test_a_room_is_heard_after_the_sound() -> None:
    click, real = np.zeros(CLIP_SAMPLES, np.float32), np.ones(CLIP_SAMPLES, np.bool_)
    click[1000] = 0.5
    for seed in range(10):
        heard, _ = vary_waveform(click, real, replace(OFF, room=1.0), rng(seed))
        assert np.abs(heard[:1000]).max() < 1e-5
        assert heard[1000] == pytest.approx(0.5, abs=1e-3)
        echoes = np.square(heard[1001:])
        assert 0 < echoes[:1600].sum() < np.square(0.5)
        assert echoes[10_000:].sum() < 1e-5  # 0.6 s later it is over
        first, *_, last = np.array_split(echoes[: np.flatnonzero(echoes > 1e-13)[-1]], 5)
        assert last.mean() < 1e-3 * first.mean()  # of the 60 dB some 48 lie between their middles


def test_what_is_too_loud_loses_its_peaks(sound: tuple[np.ndarray, np.ndarray]) -> None:
    heard, _ = vary_waveform(*sound, replace(OFF, clip=1.0), rng())
    highest = np.abs(heard).max()
    assert 0.3 * 10 ** (-12 / 20) <= highest <= 0.3 * 10 ** (-1 / 20)
    below = np.abs(sound[0]) < highest
    np.testing.assert_array_equal(heard[below], sound[0][below])


def test_a_telephone_line_has_255_levels(sound: tuple[np.ndarray, np.ndarray]) -> None:
    loud = (3 * sound[0]).clip(-1, 1)
    heard, _ = vary_waveform(loud, sound[1], replace(OFF, codec=1.0), rng())
    assert 50 < len(np.unique(heard)) <= 255
    np.testing.assert_allclose(heard, loud, atol=0.025)


def test_a_narrow_band_loses_low_or_high_frequencies() -> None:
    flat = torch.zeros(301, 160)
    lost_low = lost_high = 0
    for seed in range(40):
        made = vary_spectra(flat.clone(), BLANK, replace(OFF, band=1.0), rng(seed))
        assert torch.equal(made[:, 12:48], flat[:, 12:48])
        lost_low += bool(made[0, 0] < -0.5)
        lost_high += bool(made[0, 79] < -0.5)
    assert lost_low + lost_high == 40
    assert min(lost_low, lost_high) > 8
