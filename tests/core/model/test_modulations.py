from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fer_core.model.inputs import LOG_FLOOR
from fer_core.model.modulations import FILTERS, MODULATIONS, RATES, SCALES, ZONES, Modulations

ALL = torch.ones(1, 301)
# The filters in their order: a rate, a scale, and where it ripples both ways, up and then down.
NAMES = [
    (rate, scale, way)
    for rate in RATES
    for scale in SCALES
    if rate or scale
    for way in (("up", "down") if rate and scale else ("",))
]


def rippling(rate: float, scale: float) -> Tensor:
    """(1, 301, 160): both spectrograms ripple along time and frequency, in cycles per place."""
    frame, bins = torch.arange(301.0).unsqueeze(1), torch.arange(80.0)
    wave = torch.cos(2 * math.pi * (rate * frame + scale * bins)) - 7
    return torch.cat([wave, wave], dim=1).unsqueeze(0)


def strongest(found: Tensor) -> tuple[float, float, str]:
    """The filter that finds most in the middle of the log-mel spectrogram."""
    means = found[0, : MODULATIONS // 2].unflatten(0, (FILTERS, 2, ZONES))[:, 0, ZONES // 2]
    return NAMES[int(means.argmax())]


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
    middle = slice(ZONES // 2, MODULATIONS // 2, ZONES)  # the zone at whose ends nothing ends
    found, louder = bank(voice, ALL), bank(voice + 3, ALL)
    rippled = [place for place, (rate, scale, _) in enumerate(NAMES) if rate and scale]
    for place in rippled:
        assert torch.allclose(found[0, middle][2 * place], louder[0, middle][2 * place], atol=1e-2)


@torch.inference_mode()
def test_where_nothing_counts_nothing_is_found() -> None:
    silence = torch.full((1, 301, 160), LOG_FLOOR)
    found = Modulations()(silence, torch.zeros(1, 301))
    assert found.shape == (1, MODULATIONS)
    assert torch.equal(found, torch.zeros_like(found))
