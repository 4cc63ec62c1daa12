"""Variation of sound: first of the waveform, then of its spectra.

What moves speech along time or pitch is done by interpolation, in less than a millisecond a clip;
a phase vocoder would take longer than the network's own step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from fer_core.data.augment.limits import refuse_unusable
from fer_core.media import CLIP_SAMPLES, CLIP_SECONDS, SAMPLE_RATE, BoolArray, Waveform
from fer_core.model.inputs import LOG_FLOOR, MEL_BINS, MEL_FRAMES, PITCH_BINS
from fer_core.preprocess.audio import level_dbfs
from fer_core.preprocess.spectra import pitch_frequencies

HZ_PER_LOW_BIN = 37.2  # of the mel axis, up to 1 kHz
MICROPHONE_DBFS = (-45.0, -12.0)  # speech and its pauses: from far away, and too near


@dataclass(frozen=True)
class SoundAugmentation:
    """How strongly sound is varied; 0 is not at all."""

    stretch: float = 0.12  # natural logarithm of the largest change of speed, both ways
    pitch_bins: float = 2.5  # largest shift along the axes of frequency, each 4 %
    # And the largest one beside it of the spectrogram of pitch alone: a small head may have a deep
    # voice, and most pairs of the two are nobody's in a corpus of a few speakers.
    apart_bins: float = 0.0
    gain_db: float = 8.0  # largest change of level, down; up it is half of that
    # How often it is heard through another microphone, whose level tells nothing of the voice and
    # whose noise is always there. Studio recordings shout 17 dB above neutral speech, and a usual
    # microphone's neutral speech is louder than that.
    microphone: float = 0.5
    noise: float = 0.5  # how often noise is added, 10 to 40 dB under the speech
    room: float = 0.2  # how often it is heard in a room, with a reverberation time of 0.1 to 0.6 s
    clip: float = 0.1  # how often it is too loud for its microphone, by up to 12 dB
    codec: float = 0.1  # how often it comes over a telephone line: eight bits, mu-law (ITU-T G.711)
    band: float = 0.2  # how often frequencies are cut off: under 400 Hz, or above 2.5 kHz
    tilt_db: float = 5.0  # of the random frequency response from the lowest bin to the highest
    time_masks: int = 2  # SpecAugment (Park et al. 2019)
    time_mask_frames: int = 30  # the longest
    frequency_masks: int = 2
    frequency_mask_bins: int = 10  # the widest

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("microphone", "noise", "room", "clip", "codec", "band"), 1.0)
        bins = dict.fromkeys(("pitch_bins", "apart_bins", "frequency_mask_bins"), MEL_BINS)
        decibels = dict.fromkeys(("gain_db", "tilt_db"), 60.0)
        ranges = {"stretch": 1.0, "time_mask_frames": MEL_FRAMES}
        refuse_unusable(self, {**shares, **bins, **decibels, **ranges})


def stretched_seconds(config: SoundAugmentation, rng: Generator) -> float:
    """How much of the recording becomes the 3 s of the clip."""
    return CLIP_SECONDS * float(np.exp(rng.uniform(-config.stretch, config.stretch)))


def vary_waveform(
    samples: Waveform, real: BoolArray, config: SoundAugmentation, rng: Generator
) -> tuple[Waveform, BoolArray]:
    """(n,) of any length near 48,000 -> (48000,): played faster or slower, louder, with noise."""
    if len(samples) != CLIP_SAMPLES:
        places = np.linspace(0, len(samples) - 1, CLIP_SAMPLES)
        samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
        real = real[places.round().astype(np.int64)]
    level = level_dbfs(samples[real])  # None where nothing is
    other = level is not None and rng.random() < config.microphone
    gain_db = rng.uniform(-config.gain_db, config.gain_db / 2)
    if level is not None and other:
        gain_db = rng.uniform(*MICROPHONE_DBFS) - level
    samples = samples * np.float32(10 ** (gain_db / 20))
    if rng.random() < config.room:
        samples = _in_a_room(samples, rng)
    if rng.random() < config.clip:
        samples = _clipped(samples, rng)
    if rng.random() < config.codec:
        samples = _over_the_telephone(samples)
    level = level_dbfs(samples[real])
    if level is not None and (other or rng.random() < config.noise):
        noise_db = level - rng.uniform(10, 40)
        samples = samples + np.float32(10 ** (noise_db / 20)) * _coloured_noise(rng)
    return np.where(real, np.clip(samples, -1, 1), np.float32(0)), real


def _in_a_room(samples: Waveform, rng: Generator) -> Waveform:
    """With echoes whose energy falls by 60 dB in the room's reverberation time (Polack 1988)."""
    seconds = rng.uniform(0.1, 0.6)
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echoes = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / seconds)
    echoes *= rng.uniform(0.1, 0.7) / np.sqrt(np.square(echoes).sum())  # of the direct sound
    echoes[0] = 1.0
    length = 1 << (len(samples) + len(echoes)).bit_length()  # the FFT likes powers of two
    spectrum = np.fft.rfft(samples, length) * np.fft.rfft(echoes, length)
    return np.asarray(np.fft.irfft(spectrum, length)[: len(samples)], np.float32)


def _clipped(samples: Waveform, rng: Generator) -> Waveform:
    """Its peaks cut off, 1 to 12 dB under the highest."""
    limit = np.float32(np.abs(samples).max() * 10 ** (-rng.uniform(1, 12) / 20))
    return np.clip(samples, -limit, limit)


def _over_the_telephone(samples: Waveform) -> Waveform:
    """Each sample in eight bits, finer near zero."""
    squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    squeezed = np.round(127 * np.clip(squeezed, -1, 1)) / 127
    return np.asarray(
        np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log(256)) / 255, np.float32
    )


def _coloured_noise(rng: Generator) -> Waveform:
    """(48000,) of power 1, between white and brown."""
    spectrum = np.fft.rfft(rng.standard_normal(CLIP_SAMPLES))
    frequency = np.fft.rfftfreq(CLIP_SAMPLES, 1 / SAMPLE_RATE)
    spectrum /= np.maximum(frequency, 50.0) ** rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, CLIP_SAMPLES)
    return np.asarray(noise / noise.std(), np.float32)


def vary_spectra(
    spectra: Tensor, blank: Tensor, config: SoundAugmentation, rng: Generator
) -> Tensor:
    """Shift the pitch, bend the frequency response, and hide bands and stretches of time.

    Args:
        spectra: (301, 160), log-mel and log-pitch.
        blank: (160,), what is put where something is hidden: the mean of speech.
    """
    # Bins of both are equally far apart, so that one shift is the same pitch in both.
    shift = rng.uniform(-config.pitch_bins, config.pitch_bins)
    mel, pitch = spectra.split([MEL_BINS, PITCH_BINS], dim=1)
    mel = _shifted(mel, shift)
    pitch = _shifted(pitch, shift + rng.uniform(-config.apart_bins, config.apart_bins))
    bins = np.arange(MEL_BINS)
    response_db = rng.uniform(-config.tilt_db, config.tilt_db) * (bins / (MEL_BINS - 1) - 0.5)
    if rng.random() < config.band:
        response_db = response_db + _cut_off_db(rng)
    at_pitch = np.interp(pitch_frequencies() / HZ_PER_LOW_BIN - 1, bins, response_db)
    # Decibels of power to natural logarithm: 10 dB are a factor of ten.
    response = torch.from_numpy(np.concatenate([response_db, at_pitch]) * np.log(10) / 10)
    spectra = (torch.cat([mel, pitch], dim=1) + response.to(mel.dtype)).clamp(min=LOG_FLOOR)
    for begin, bins_there in ((0, MEL_BINS), (MEL_BINS, PITCH_BINS)):
        for _ in range(config.frequency_masks):
            first, end = _stretch(bins_there, config.frequency_mask_bins, rng)
            spectra[:, begin + first : begin + end] = blank[begin + first : begin + end]
    for _ in range(config.time_masks):
        first, end = _stretch(MEL_FRAMES, config.time_mask_frames, rng)
        spectra[first:end] = blank
    return spectra


def _shifted(spectrogram: Tensor, shift: float) -> Tensor:
    """(301, F) moved down by ``shift`` bins."""
    count = spectrogram.shape[1]
    bins = np.arange(count)
    # The lowest ten bins move less: there is nothing below to move in.
    places = np.clip(bins + shift * np.minimum(1, bins / 10), 0, count - 1)
    low = np.minimum(places.astype(np.int64), count - 2)
    share = torch.from_numpy(places - low).to(spectrogram.dtype)
    return spectrogram[:, low] * (1 - share) + spectrogram[:, low + 1] * share


def _cut_off_db(rng: Generator) -> NDArray[np.float64]:
    """(80,): less by 3 to 12 dB with each bin under one of the lowest, or above a high one."""
    bins = np.arange(MEL_BINS)
    under, above = rng.integers(2, 10), rng.integers(50, 72)  # 100 to 400 Hz, 2.5 to 6 kHz
    beyond = under - bins if rng.random() < 0.5 else bins - above
    return -rng.uniform(3, 12) * np.maximum(beyond, 0)


def _stretch(of: int, longest: int, rng: Generator) -> tuple[int, int]:
    length = int(rng.integers(0, longest + 1))
    first = int(rng.integers(0, of - length + 1))
    return first, first + length
