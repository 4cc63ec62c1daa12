"""The visual branch: pictures (N, 3, 224, 224) to one vector a frame (N, D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from transformers.models.siglip.configuration_siglip import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from fer_core.config import RoiConfig, VisionConfig
from fer_core.model.attention_pooling import AttentionPooling
from fer_core.model.initialisation import initialise
from fer_core.model.roi_compression import RoiTokenCompression, central_roi, patches_of_roi
from fer_core.patches import IMAGE_SIZE, PATCH_SIZE, PATCHES


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """What is remembered of a frame, so that no frame is encoded twice."""

    vectors: Tensor  # (N, D)
    kept: Tensor  # (N, K) long, the patches kept, ascending


class VisualBranch(nn.Module):
    """SigLIP's vision transformer (Zhai et al. 2023), ROI token compression, one learned query.

    ``place`` says where compression happens, with the same weights: ``after`` the encoder by
    importance; ``early``, by the ROI alone, so that only K patches enter the transformer, each with
    the position embedding of its place; ``none`` keeps all 196.
    """

    def __init__(self, config: VisionConfig, roi: RoiConfig, pooling_heads: int) -> None:
        super().__init__()
        self.frozen = config.frozen
        self.place = roi.place
        self.keep = roi.keep
        self.encoder = SiglipVisionModel(encoder_config(config))
        initialise(self.encoder)
        self.encoder.requires_grad_(not config.frozen)
        kept = PATCHES if roi.place == "none" else roi.keep
        self.compression = RoiTokenCompression(config.width, kept)
        self.pooling = AttentionPooling(config.width, heads=pooling_heads)

    def forward(self, pixels: Tensor, roi: Tensor | None) -> FrameFeatures:
        """(N, 3, 224, 224) -1 to 1, (N, 196) bool or None where the face is not known."""
        if self.place == "early":
            if roi is None:
                roi = central_roi().to(pixels.device).expand(len(pixels), -1)
            patches = patches_of_roi(roi, self.keep)  # (N, K)
            tokens = self.encode(pixels, patches)  # (N, K, D)
            roi = torch.take_along_dim(roi, patches, dim=1)
            compressed, _ = self.compression(tokens, roi)
        else:
            tokens = self.encode(pixels)  # (N, 196, D)
            compressed, patches = self.compression(tokens, roi)
        vectors, _ = self.pooling(compressed)  # (N, K + 4, D) -> (N, 1, D)
        return FrameFeatures(vectors.squeeze(1), patches)

    def encode(self, pixels: Tensor, patches: Tensor | None = None) -> Tensor:
        """The tokens of all 196 patches, or of ``patches`` (N, K), encoded on their own."""
        tokens = self.encoder.embeddings(pixels)  # (N, 3, 224, 224) -> (N, 196, D)
        if patches is not None:
            tokens = torch.take_along_dim(tokens, patches.unsqueeze(-1), dim=1)  # (N, K, D)
        encoded: Tensor = self.encoder.encoder(inputs_embeds=tokens).last_hidden_state
        normed: Tensor = self.encoder.post_layernorm(encoded)
        return normed

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``, but a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self


def encoder_config(config: VisionConfig) -> SiglipVisionConfig:
    """``config`` in the words of transformers, without SigLIP's own pooling head."""
    return SiglipVisionConfig(
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.mlp,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        vision_use_head=False,
    )
