"""The visual branch: pictures (N, 3, 224, 224) to one vector a frame (N, D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from transformers.models.siglip.configuration_siglip import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from fer_core.config import RoiConfig, VisionConfig, head_width
from fer_core.model.attention_pooling import AttentionPooling
from fer_core.model.conv_stem import ConvStem
from fer_core.model.initialisation import initialise
from fer_core.model.roi_compression import (
    RoiTokenCompression,
    block_of_roi,
    central_roi,
    patches_of_roi,
)
from fer_core.patches import GRID, IMAGE_SIZE, PATCH_SIZE, PATCHES, ROI_SIDE


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

    With a convolutional stem a square block enters, the 8x8 patches that hold most of the ROI: only
    its pixels are convolved, a third of the picture's.
    """

    def __init__(self, config: VisionConfig, roi: RoiConfig, pooling_heads: int) -> None:
        super().__init__()
        self.frozen = config.frozen
        self.place = roi.place
        self.keep = roi.keep
        self.encoder = SiglipVisionModel(encoder_config(config))
        if config.heads * head_width(config, config.width) != config.width:
            _use_fewer_heads(self.encoder, config)
        initialise(self.encoder)
        self.crops = config.stem == "conv" and roi.place == "early"
        if config.stem == "conv":
            self.encoder.embeddings.patch_embedding = ConvStem(config.width, config.stem_blocks)
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
            patches = block_of_roi(roi) if self.crops else patches_of_roi(roi, self.keep)
            tokens = self.encode(pixels, patches)  # (N, K, D)
            roi = torch.take_along_dim(roi, patches, dim=1)
            compressed, kept = self.compression(tokens, roi)
            patches = torch.take_along_dim(patches, kept, dim=1)
        else:
            tokens = self.encode(pixels)  # (N, 196, D)
            compressed, patches = self.compression(tokens, roi)
        vectors, _ = self.pooling(compressed)  # (N, K + 4, D) -> (N, 1, D)
        return FrameFeatures(vectors.squeeze(1), patches)

    def encode(self, pixels: Tensor, patches: Tensor | None = None) -> Tensor:
        """The tokens of all 196 patches, or of ``patches`` (N, K), encoded on their own."""
        embeddings = self.encoder.embeddings
        if self.crops and patches is not None:
            pixels = _pixels_of_block(pixels, patches[:, 0])  # (N, 3, 224, 224) -> (N, 3, 128, 128)
        tokens = embeddings.patch_embedding(pixels).flatten(2).mT  # (N, 3, H, W) -> (N, P, D)
        places = embeddings.position_embedding.weight  # (196, D)
        if patches is None:
            tokens = tokens + places
        elif self.crops:
            tokens = tokens + places[patches]
        else:
            tokens = torch.take_along_dim(tokens + places, patches.unsqueeze(-1), dim=1)
        encoded: Tensor = self.encoder.encoder(inputs_embeds=tokens).last_hidden_state
        normed: Tensor = self.encoder.post_layernorm(encoded)
        return normed

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``, but a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self


def _pixels_of_block(pixels: Tensor, first: Tensor) -> Tensor:
    """The pixels of the 8x8 patches from ``first`` (N,) on: (N, 3, H, W) -> (N, 3, 128, 128)."""
    side = torch.arange(ROI_SIDE * PATCH_SIZE, device=pixels.device)
    rows = (first // GRID * PATCH_SIZE).unsqueeze(1) + side  # (N, 128)
    columns = (first % GRID * PATCH_SIZE).unsqueeze(1) + side
    # Not take_along_dim, which looks for negative places in every one of the pixels.
    pixels = pixels.gather(2, rows[:, None, :, None].expand(-1, 3, -1, IMAGE_SIZE))
    return pixels.gather(3, columns[:, None, None, :].expand(-1, 3, len(side), -1))


def encoder_config(config: VisionConfig) -> SiglipVisionConfig:
    """``config`` in the words of transformers, without SigLIP's own pooling head.

    The heads are those that fill the width, because SiglipAttention knows no others.
    """
    width_of_head = head_width(config, config.width)
    return SiglipVisionConfig(
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.width // width_of_head,
        head_dim=width_of_head,
        intermediate_size=config.mlp,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        vision_use_head=False,
    )


def _use_fewer_heads(encoder: SiglipVisionModel, config: VisionConfig) -> None:
    """Projections to fewer heads of the same width; SiglipAttention counts heads by that alone."""
    inner = config.heads * head_width(config, config.width)
    for layer in encoder.encoder.layers:
        attention = layer.self_attn
        attention.q_proj = nn.Linear(config.width, inner)
        attention.k_proj = nn.Linear(config.width, inner)
        attention.v_proj = nn.Linear(config.width, inner)
        attention.out_proj = nn.Linear(inner, config.width)
        attention.num_heads = config.heads
    encoder.config.num_attention_heads = config.heads  # which pretrained weights are checked by
