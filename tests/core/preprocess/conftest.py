"""Sounds of 3 s: somebody speaking, a steady noise, nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, Waveform


@pytest.fixture(scope="session")
def voice() -> Waveform:
    """Vowels gliding between a and i at 4 syllables a second, which a detector takes for speech."""
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    pitch = 120 * (1 + 0.08 * np.sin(2 * np.pi * 0.7 * time))  # Hz
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    openness = (np.sin(2 * np.pi * 1.3 * time) + 1) / 2
    formants = (  # centre and width in Hz, strength
        (320 + 380 * openness, 90, 1.0),
        (2200 - 1050 * openness, 120, 0.5),
        (2700, 200, 0.2),
    )
    sound = np.zeros(CLIP_SAMPLES)
    for harmonic in range(1, 40):
        strength = 0.02 + sum(
            gain * np.exp(-0.5 * ((harmonic * pitch - centre) / width) ** 2)
            for centre, width, gain in formants
        )
        sound += strength * np.sin(harmonic * phase)
    sound *= np.clip(np.sin(2 * np.pi * 4 * time), 0, 1) ** 0.7
    return (0.4 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="session")
def noise() -> Waveform:
    """White noise at -20 dBFS."""
    samples = np.random.default_rng(0).standard_normal(CLIP_SAMPLES)
    return (0.1 * samples).astype(np.float32)


@pytest.fixture
def silence() -> Waveform:
    return np.zeros(CLIP_SAMPLES, np.float32)
