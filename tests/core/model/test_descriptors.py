from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_core.model.descriptors import CEPSTRA, DESCRIPTORS, Descriptors, energy
from fer_core.model.inputs import LOG_FLOOR, LOWEST_PITCH_HZ, MEL_BINS, PITCH_BINS_PER_OCTAVE
from fer_core.preprocess.spectra import Spectra

PITCH = DESCRIPTORS - 6  # the place of the pitch's height; its clearness follows


def voice(hertz: float) -> Tensor:
    """The spectra (301, 160) of a voice with twelve overtones, each weaker than the one below."""
    time_s = np.arange(48_000) / 16_000
    tones = [0.7**n * np.sin(2 * np.pi * hertz * (n + 1) * time_s) for n in range(12)]
    return Spectra()(torch.from_numpy(0.1 * np.sum(tones, axis=0)).float())


@pytest.mark.parametrize("hertz", [110.0, 220.0, 330.0])
def test_a_voice_is_as_high_as_its_lowest_tone_though_it_has_overtones(hertz: float) -> None:
    height = Descriptors()(voice(hertz))[100:200, PITCH].mean()
    expected = PITCH_BINS_PER_OCTAVE * np.log2(hertz / LOWEST_PITCH_HZ)
    assert abs(float(height) - expected) < 1


def test_a_pitch_is_clearer_in_a_voice_than_in_noise() -> None:
    noise = Spectra()(0.1 * torch.randn(48_000, generator=torch.Generator().manual_seed(0)))
    describe = Descriptors()
    clearness = [float(describe(one)[100:200, PITCH + 1].mean()) for one in (voice(220), noise)]
    assert clearness[0] > 2 * clearness[1]


def test_a_louder_voice_has_more_energy_and_the_same_spectrum() -> None:
    spectra = voice(220)[100:101]
    louder = spectra + 2.0
    assert torch.allclose(energy(louder), energy(spectra) + 2)
    describe = Descriptors()
    halves = MEL_BINS // 2
    assert torch.allclose(
        describe(louder)[..., : 2 * halves], describe(spectra)[..., : 2 * halves] + 2
    )
    # Of the cepstra the first is the level; pitch and formants lie where they lay.
    first = 2 * halves
    cepstra = slice(first + 1, first + CEPSTRA)
    assert torch.allclose(
        describe(louder)[..., cepstra], describe(spectra)[..., cepstra], atol=1e-3
    )
    assert torch.equal(describe(louder)[..., PITCH], describe(spectra)[..., PITCH])


def test_digital_silence_has_numbers_too() -> None:
    described = Descriptors()(torch.full((2, 301, 160), LOG_FLOOR))
    assert described.shape == (2, 301, DESCRIPTORS)
    assert described.isfinite().all()
