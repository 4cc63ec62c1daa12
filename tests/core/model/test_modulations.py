from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fer_core.model.inputs import LOG_FLOOR
from fer_core.model.modulations import FILTERS, MODULATIONS, RATES, SCALES, ZONES, Modulations

ALL = torch.ones(1, 301)
# The filters in their order: all that ripple one way only, or both ways and up; then those down.
UP = [(rate, scale) for rate in RATES for scale in SCALES if rate or scale]
BOTH_WAYS = [(rate, scale) for rate, scale in UP if rate and scale]
NAMES = [(*own, "up") for own in UP] + [(*own, "down") for own in BOTH_WAYS]


def rippling(rate: float, scale: float) -> Tensor:
    """(1, 301, 160): both spectrograms ripple along time and frequency, in cycles per place."""
    frame, bins = torch.arange(301.0).unsqueeze(1), torch.arange(80.0)
    wave = torch.cos(2 * math.pi * (rate * frame + scale * bins)) - 7
    return torch.cat([wave, wave], dim=1).unsqueeze(0)


def means(found: Tensor) -> Tensor:
    """(FILTERS,): what each finds in the middle of the log-mel spectrogram, where nothing ends."""
    return found[0, : MODULATIONS // 2].unflatten(0, (2, FILTERS, ZONES))[0, :, ZONES // 2]


def strongest(found: Tensor) -> tuple[float, float, str]:
    return NAMES[int(means(found).argmax())]


@torch.inference_mode()
@pytest.mark.parametrize("rate", RATES[1:])
@pytest.mark.parametrize("scale", SCALES[1:])
def test_a_ripple_is_found_by_its_own_filter(rate: float, scale: float) -> None:
    bank = Modulations()
    assert strongest(bank(rippling(rate, scale), ALL)) == (rate, scale, "up")
    assert strongest(bank(rippling(rate, -scale), ALL)) == (rate, scale, "down")


@torch.inference_mode()
def test_how_loud_a_voice_is_makes_no_ripple() -> None:
    bank, voice = Modulations(), rippling(0.05, 0.12)
    rippled = torch.tensor([bool(rate and scale) for rate, scale, _ in NAMES])
    found, louder = means(bank(voice, ALL)), means(bank(voice + 3, ALL))
    assert torch.allclose(found[rippled], louder[rippled], atol=1e-2)


@torch.inference_mode()
def test_where_nothing_counts_nothing_is_found() -> None:
    silence = torch.full((1, 301, 160), LOG_FLOOR)
    found = Modulations()(silence, torch.zeros(1, 301))
    assert found.shape == (1, MODULATIONS)
    assert torch.equal(found, torch.zeros_like(found))
