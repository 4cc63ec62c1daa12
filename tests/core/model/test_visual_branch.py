from __future__ import annotations

import torch

from fer_core.config import FERConfig, RoiConfig
from fer_core.model.roi_compression import central_roi
from fer_core.model.visual_branch import VisualBranch


@torch.inference_mode()
def test_early_never_looks_outside_the_face(tiny_config: FERConfig) -> None:
    branch = VisualBranch(tiny_config.vision, RoiConfig("early"), pooling_heads=2).eval()
    roi = central_roi().unsqueeze(0)
    pixels = torch.rand(1, 3, 224, 224)
    outside = pixels.clone()
    outside[..., :48, :] = 0.5  # the central ROI starts at patch row 3
    one, other = branch(pixels, roi), branch(outside, roi)
    assert torch.equal(one.vectors, other.vectors)
    assert one.vectors.shape == (1, 16)
    assert one.kept.shape == (1, 64)


@torch.inference_mode()
def test_none_keeps_every_patch(tiny_config: FERConfig) -> None:
    branch = VisualBranch(tiny_config.vision, RoiConfig("none"), pooling_heads=2).eval()
    assert branch(torch.rand(1, 3, 224, 224), None).kept[0].tolist() == list(range(196))
