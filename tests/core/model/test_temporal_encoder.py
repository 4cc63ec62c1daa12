from __future__ import annotations

import pytest
import torch

from fer_core.config import TemporalConfig
from fer_core.model.temporal_encoder import GatedSelectiveConvolution, TemporalEncoder


@pytest.fixture
def encoder() -> TemporalEncoder:
    torch.manual_seed(0)
    return TemporalEncoder(16, TemporalConfig()).eval()


@torch.inference_mode()
def test_a_clip_without_frames_gives_zeros(encoder: TemporalEncoder) -> None:
    nothing = torch.zeros(2, 16, dtype=torch.bool)
    assert torch.equal(encoder(torch.zeros(2, 16, 16), nothing), torch.zeros(2, 16, 16))


@torch.inference_mode()
def test_the_first_frame_knows_the_last(encoder: TemporalEncoder) -> None:
    frames, mask = torch.randn(1, 16, 16), torch.ones(1, 16, dtype=torch.bool)
    before = encoder(frames, mask)
    frames[0, -1] += torch.randn(16)
    assert (encoder(frames, mask)[0, 0] - before[0, 0]).abs().max() > 1e-4


@torch.inference_mode()
def test_hidden_frames_contribute_nothing_to_real_ones(encoder: TemporalEncoder) -> None:
    frames, mask = torch.randn(1, 16, 16), torch.ones(1, 16, dtype=torch.bool)
    mask[0, [4, 9]] = False
    before = encoder(frames, mask)
    frames[0, [4, 9]] += 5
    assert torch.equal(encoder(frames, mask), before)


@torch.inference_mode()
@pytest.mark.parametrize("kernel", [3, 4])
def test_a_convolution_reaches_both_ways_and_as_far_as_its_kernel(kernel: int) -> None:
    layer = GatedSelectiveConvolution(8, kernel, dropout=0.0).eval()
    frames, mask = torch.randn(1, 16, 8), torch.ones(1, 16, dtype=torch.bool)
    before = layer(frames, mask)
    frames[0, 8] += torch.randn(8)
    touched = (layer(frames, mask) != before).any(-1)[0].nonzero().squeeze(1).tolist()
    assert touched == ([7, 8, 9] if kernel == 3 else [7, 8, 9, 10])
