from __future__ import annotations

import math

import pytest
import torch

from fer_core.model.rhythms import BANDS, EDGES, LENGTH, Rhythms


@torch.inference_mode()
@pytest.mark.parametrize("band", range(BANDS))
def test_a_swing_is_found_in_its_own_band(band: int) -> None:
    cycles = (EDGES[band] + EDGES[band + 1] - 1) / 2 / LENGTH
    swing = torch.cos(2 * math.pi * cycles * torch.arange(301.0))
    apart = torch.stack([swing, 3 * swing], dim=1).unsqueeze(0)  # of two descriptors
    found = Rhythms()(apart, torch.tensor([[301.0]])).unflatten(-1, (BANDS, 2))[0]
    assert found[:, 0].argmax() == band
    assert torch.allclose(found[band, 1] - found[band, 0], torch.tensor(math.log(9)), atol=1e-3)


@torch.inference_mode()
def test_when_it_swings_makes_no_difference() -> None:
    rhythms, frames = Rhythms(), torch.tensor([[100.0]])
    swing = torch.randn(1, 100, 3, generator=torch.Generator().manual_seed(0))
    early, late = torch.zeros(2, 1, 301, 3)
    early[:, 20:120], late[:, 180:280] = swing, swing
    assert torch.allclose(rhythms(early, frames), rhythms(late, frames), atol=1e-3)


@torch.inference_mode()
def test_where_nothing_swings_every_band_has_the_same_least_power() -> None:
    found = Rhythms()(torch.zeros(1, 301, 3), torch.ones(1, 1))
    assert found.isfinite().all()
    assert (found == found[0, 0]).all()
