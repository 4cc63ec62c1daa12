"""Mixup and CutMix: two clips in one, answered by the shares of their labels."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from fer_core.data.batch import Batch
from fer_core.patches import IMAGE_SIZE, ROI_SIDE
from fer_core.patches import PATCH_SIZE as PATCH
from fer_core.training.config import TrainingConfig


def mixed(batch: Batch, config: TrainingConfig) -> tuple[Batch, Tensor | None, float]:
    """``batch`` mixed with itself in another order, that order, and the own label's share.

    Mixup (Zhang et al. 2018) averages whatever the batch shows; what either clip has is then
    present. CutMix (Yun et al. 2019) puts a rectangle of one face into the other, for single
    pictures without a voice, which would stay whole. Drawn from torch's generator.
    """
    cuts = config.cutmix > 0 and _are_faces(batch)
    if cuts and config.mixup:
        cuts = torch.rand(()).item() < 0.5
    alpha = config.cutmix if cuts else config.mixup
    if not alpha or len(batch) < 2 or torch.rand(()).item() >= config.mix_share:
        return batch, None, 1.0
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    order = torch.randperm(len(batch)).to(batch.frame_mask.device)
    if cuts:
        assert batch.pictures is not None
        pictures, share = _cut(batch.pictures, order, share)
        return replace(batch, pictures=pictures), order, share

    batch = batch.without_hidden()

    def average(values: Tensor | None) -> Tensor | None:
        return None if values is None else torch.lerp(values[order], values, share)

    return (
        replace(
            batch,
            frame_mask=batch.frame_mask | batch.frame_mask[order],
            audio_mask=batch.audio_mask | batch.audio_mask[order],
            pictures=average(batch.pictures),
            rois=_either(batch.rois, order),
            vectors=average(batch.vectors),
            spectra=average(batch.spectra),
            steps=average(batch.steps),
        ),
        order,
        share,
    )


def _are_faces(batch: Batch) -> bool:
    still = batch.pictures is not None and batch.pictures.shape[1] == 1
    return still and not bool(batch.audio_mask.any())


def _either(rois: Tensor | None, order: Tensor) -> Tensor | None:
    """(B, F, 196): the own face's patches, or the other's where there is no own."""
    return None if rois is None else torch.where(rois.any(-1, keepdim=True), rois, rois[order])


def _cut(pictures: Tensor, order: Tensor, share: float) -> tuple[Tensor, float]:
    """A rectangle of the other face, ``1 - share`` of the face's area, and the true share left."""
    side = ROI_SIDE * PATCH
    length = int(side * (1 - share) ** 0.5)
    first = (IMAGE_SIZE - side) // 2
    x, y = (first + int(torch.randint(side - length + 1, ())) for _ in range(2))
    cut = pictures.clone()
    cut[..., y : y + length, x : x + length] = pictures[order][..., y : y + length, x : x + length]
    return cut, 1 - (length / side) ** 2
