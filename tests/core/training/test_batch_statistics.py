from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from fer_core.config import FERConfig
from fer_core.data.batch import Batch, Sample, collate
from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.model.visual_branch import VisualBranch
from fer_core.training.batch_statistics import BATCHES, measure_batch_norms


def faces(seed: int) -> Batch:
    """Four stills, of which one is hidden."""
    noise = torch.Generator().manual_seed(seed)
    item = Item("x", Path("x"), "still", False, True, one_emotion(2), EACH_ALONE)
    heard = torch.zeros(8, dtype=torch.bool)
    return collate(
        [
            Sample(
                item,
                torch.full((16,), number != 0),
                heard,
                pictures=torch.rand(1, 3, 224, 224, generator=noise),
                rois=torch.ones(1, 196, dtype=torch.bool),
            )
            for number in range(4)
        ]
    )


def look(branch: VisualBranch, batch: Batch) -> None:
    assert batch.pictures is not None
    assert batch.rois is not None
    real = batch.frame_mask[:, : batch.pictures.shape[1]]
    branch(batch.pictures[real], batch.rois[real])


@pytest.fixture
def branch(tiny_config: FERConfig) -> VisualBranch:
    vision = replace(tiny_config.vision, stem="conv", stem_blocks=1)
    roi = replace(tiny_config.roi, place="early")
    return VisualBranch(vision, roi, pooling_heads=2).eval()


def test_the_statistics_are_those_of_the_first_batches(branch: VisualBranch) -> None:
    norm = next(part for part in branch.modules() if isinstance(part, nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, given: seen.append(given[0].mean((0, 2, 3))))
    shown: list[int] = []

    def batches() -> Iterator[Batch]:
        for seed in range(1000):
            shown.append(seed)
            yield faces(seed % 3)

    measure_batch_norms(branch, lambda batch: look(branch, batch), batches())
    assert len(shown) == BATCHES
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, torch.stack(seen).mean(0))
    assert not branch.training


def test_what_is_frozen_keeps_its_own(branch: VisualBranch) -> None:
    branch.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in branch.state_dict().items()}
    measure_batch_norms(branch, lambda batch: look(branch, batch), [faces(0)])
    for name, tensor in branch.state_dict().items():
        assert torch.equal(tensor, before[name]), name
