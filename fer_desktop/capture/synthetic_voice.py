"""A synthetic voice: harmonics of a gliding pitch, shaped by moving formants, in syllables.

A source and filter in the frequency domain: the vocal folds give harmonics that fall with their
number, the mouth gives three resonances that glide from vowel to vowel (Fant, Acoustic Theory of
Speech Production, 1960). Each phrase has the prosody of an emotion, that of the drawn face: high
and lively if surprised, soft and dull if sad. Everything is a function of time alone, so that any
stretch can be made without the one before it, and the drawn mouth moves with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.media import Waveform

VOICE_RATE = 48_000  # Hz, as most microphones: the resampler has work to do

SYLLABLES_PER_SECOND = 4.0
SPOKEN = 11  # syllables of a phrase ...
PHRASE = 16  # ... then a pause up to this many: 2.75 s of speech, 1.25 s of silence
PHRASE_SECONDS = PHRASE / SYLLABLES_PER_SECOND
SPOKEN_SECONDS = SPOKEN / SYLLABLES_PER_SECOND
HARMONICS = 36
BREATH = 2e-4  # amplitude of the noise that is always there, -74 dBFS

# Centre frequencies of the first three formants of a, e, i, o, u (Peterson and Barney, 1952).
VOWELS = np.array(
    [
        (730, 1090, 2440),
        (530, 1840, 2480),
        (270, 2290, 3010),
        (570, 840, 2410),
        (300, 870, 2240),
    ],
    dtype=np.float32,
)
BANDWIDTHS = np.array((90, 110, 160), dtype=np.float32)
ORDER = np.array((0, 2, 1, 3, 0, 4, 1, 0, 2, 3, 1))  # of vowels; its length does not divide PHRASE

_NOISE = np.random.default_rng(7).standard_normal(VOICE_RATE).astype(np.float32)

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prosody:
    """How a phrase is spoken."""

    pitch: float  # Hz, where the phrase begins
    rise: float  # of the pitch until the phrase ends, as a share of it
    swing: float  # of the pitch up and down, as a share of it
    swings: float  # a second
    dullness: float  # harmonics fall with this power of their number
    loudness: float


# In the order of the drawn face's expressions.
PROSODIES = (
    Prosody(222, -0.46, 0.12, 1.33, 0.74, 0.6),  # neutral
    Prosody(294, -0.4, 0.18, 1.3, 0.4, 0.4),  # happy
    Prosody(338, -0.4, 0.3, 1.5, 1.5, 0.9),  # surprised
    Prosody(219, 0.56, 0.03, 1.6, 1.17, 0.3),  # sad
    Prosody(297, -0.5, 0.21, 1.34, 0.4, 0.6),  # angry
)


def openness(times: Times) -> Waveform:
    """How far the mouth is open, 0 in pauses to 1 in the middle of a syllable."""
    position = times * SYLLABLES_PER_SECOND
    syllable = np.floor(position)
    spoken = syllable % PHRASE < SPOKEN
    accent = 0.75 + 0.25 * np.cos(syllable * 2.1)
    opened: Waveform = (spoken * accent * np.sin(np.pi * (position - syllable)) ** 0.8).astype(
        np.float32
    )
    return opened


def speech(start_s: float, n: int) -> Waveform:
    """``n`` samples at 48 kHz of the voice from ``start_s`` on."""
    times = start_s + np.arange(n) / VOICE_RATE
    envelope = openness(times)
    sound = BREATH * _noise(times)
    if envelope.any():
        loudness = _prosody("loudness", times).astype(np.float32)
        sound += loudness * envelope * _voiced(times) + 0.04 * _consonants(times)
    return sound.astype(np.float32)


def _voiced(times: Times) -> Waveform:
    pitch, cycles = _pitch(times)
    number = np.arange(1, HARMONICS + 1, dtype=np.float32)[:, None]  # (K, 1)
    frequency = number * pitch.astype(np.float32)  # (K, n)
    fall = number ** _prosody("dullness", times).astype(np.float32)
    gain = _formant_gain(frequency, _formants(times)) / fall
    # Cycles are reduced before they become float32, which could not tell late times apart.
    phase = number * (cycles % 1.0).astype(np.float32)
    voiced: Waveform = (gain * np.sin(2 * np.pi * phase)).sum(axis=0)
    return voiced


def _pitch(times: Times) -> tuple[Times, Times]:
    """In Hz, and its integral in cycles since the phrase began: in pauses nobody hears a jump."""
    since = times % PHRASE_SECONDS
    base, rise, swing, swings = (
        _prosody(name, times) for name in ("pitch", "rise", "swing", "swings")
    )
    angle = 2 * np.pi * swings * since
    pitch = base * (1 + rise * since / SPOKEN_SECONDS + swing * np.sin(angle))
    risen = since + rise * since**2 / (2 * SPOKEN_SECONDS)
    cycles = base * (risen - swing * (np.cos(angle) - 1) / (2 * np.pi * swings))
    return pitch, cycles


def _prosody(name: str, times: Times) -> Times:
    """This number of the phrase that is spoken at each time."""
    phrase = np.floor(times / PHRASE_SECONDS).astype(np.int64) % len(PROSODIES)
    return np.array([getattr(prosody, name) for prosody in PROSODIES])[phrase]


def _formants(times: Times) -> NDArray[np.float32]:
    """(3, n): the formants glide from the middle of one vowel to the middle of the next."""
    position = times * SYLLABLES_PER_SECOND - 0.5
    index = np.floor(position).astype(np.int64)
    glide = (0.5 - 0.5 * np.cos(np.pi * (position - index))).astype(np.float32)
    here, there = VOWELS[ORDER[index % len(ORDER)]].T, VOWELS[ORDER[(index + 1) % len(ORDER)]].T
    return here + glide * (there - here)


def _formant_gain(frequency: Waveform, formants: Waveform) -> Waveform:
    """Resonances at (3, n) ``formants``, taken at (K, n) ``frequency``."""
    gain: Waveform = np.full_like(frequency, 0.01)
    for centre, bandwidth, weight in zip(formants, BANDWIDTHS, (1.0, 0.6, 0.35), strict=True):
        gain += weight / (1 + ((frequency - centre) / bandwidth) ** 2)
    return gain


def _consonants(times: Times) -> Waveform:
    """A breath of noise where a syllable begins."""
    position = times * SYLLABLES_PER_SECOND
    syllable = np.floor(position)
    burst = np.exp(-(((position - syllable - 0.08) / 0.05) ** 2)) * (syllable % PHRASE < SPOKEN)
    consonants: Waveform = _noise(times) * burst.astype(np.float32)
    return consonants


def _noise(times: Times) -> Waveform:
    """White noise that is the same whenever the same time is asked for."""
    noise: Waveform = _NOISE[np.rint(times * VOICE_RATE).astype(np.int64) % len(_NOISE)]
    return noise
