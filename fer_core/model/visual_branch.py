"""The visual branch: pictures (N, 3, 224, 224) to one vector a frame (N, D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from fer_core.config import RoiConfig, VisionConfig
from fer_core.model.attention_pooling import AttentionPooling
from fer_core.model.roi_compression import (
    RoiTokenCompression,
    block_of_roi,
    central_roi,
    patches_of_roi,
)
from fer_core.model.vision_encoder import VisionEncoder
from fer_core.patches import PATCHES


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """What is remembered of a frame, so that no frame is encoded twice."""

    vectors: Tensor  # (N, D)
    kept: Tensor  # (N, K) long, the patches kept, ascending


class VisualBranch(nn.Module):
    """An encoder of patches, ROI token compression, and one learned query over what is kept.

    ``place`` says where compression happens, with the same weights: ``after`` the encoder by
    importance; ``early``, by the ROI alone, so that only K patches enter the transformer, each with
    the position embedding of its place; ``none`` keeps all 196.

    With a convolutional stem a square block enters, the 8x8 patches that hold most of the ROI.
    """

    def __init__(self, config: VisionConfig, roi: RoiConfig, pooling_heads: int) -> None:
        super().__init__()
        self.frozen = config.frozen
        self.place = roi.place
        self.keep = roi.keep
        self.in_block = config.stem == "conv" and roi.place == "early"
        self.encoder = VisionEncoder(config, self.in_block)
        self.encoder.requires_grad_(not config.frozen)
        kept = PATCHES if roi.place == "none" else roi.keep
        self.compression = RoiTokenCompression(config.width, kept)
        self.pooling = AttentionPooling(config.width, heads=pooling_heads)

    def forward(self, pixels: Tensor, roi: Tensor | None) -> FrameFeatures:
        """(N, 3, 224, 224) -1 to 1, (N, 196) bool or None where the face is not known."""
        if self.place == "early":
            if roi is None:
                roi = central_roi().to(pixels.device).expand(len(pixels), -1)
            # (N, K)
            patches = block_of_roi(roi) if self.in_block else patches_of_roi(roi, self.keep)
            tokens = self.encoder(pixels, patches)  # (N, K, D)
            roi = torch.take_along_dim(roi, patches, dim=1)
            compressed, kept = self.compression(tokens, roi)
            patches = torch.take_along_dim(patches, kept, dim=1)
        else:
            tokens = self.encoder(pixels)  # (N, 196, D)
            compressed, patches = self.compression(tokens, roi)
        vectors, _ = self.pooling(compressed)  # (N, K + 4, D) -> (N, 1, D)
        return FrameFeatures(vectors.squeeze(1), patches)

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``, but a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self
