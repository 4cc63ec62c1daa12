"""The encoder of pictures: (N, 3, 224, 224) to a token a patch, (N, P, D).

Another encoder is another class with this ``forward``; what is kept of its tokens is the branch's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.models.siglip.configuration_siglip import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from fer_core.config import VisionConfig, head_width
from fer_core.model.conv_stem import ConvStem
from fer_core.model.initialisation import initialise
from fer_core.patches import GRID, IMAGE_SIZE, PATCH_SIZE, ROI_SIDE


class VisionEncoder(SiglipVisionModel):
    """SigLIP's vision transformer (Zhai et al. 2023), also of some of the patches alone.

    Its pixels become tokens by one linear map a patch, or by a convolutional stem.
    """

    def __init__(self, config: VisionConfig, in_block: bool) -> None:
        """``in_block``: patches asked for are a square of 8x8, and only its pixels are convolved.

        A third of the picture's; for a convolutional stem, which else would look at all of it.
        """
        super().__init__(encoder_config(config))
        if config.heads * head_width(config, config.width) != config.width:
            self._use_fewer_heads(config)
        initialise(self)
        if config.stem == "conv":
            self.embeddings.patch_embedding = ConvStem(config.width, config.stem_blocks)
        self.in_block = in_block

    def forward(self, pixels: Tensor, patches: Tensor | None = None) -> Tensor:
        """The tokens of all 196 patches, or of ``patches`` (N, K), encoded on their own.

        Args:
            pixels: (N, 3, 224, 224), -1 to 1.

        Returns:
            (N, 196, D) or (N, K, D), each with the position embedding of its place.
        """
        if self.in_block and patches is not None:
            pixels = _pixels_of_block(pixels, patches[:, 0])  # (N, 3, 224, 224) -> (N, 3, 128, 128)
        tokens = self.embeddings.patch_embedding(pixels).flatten(2).mT  # (N, 3, H, W) -> (N, P, D)
        places = self.embeddings.position_embedding.weight  # (196, D)
        if patches is None:
            tokens = tokens + places
        elif self.in_block:
            tokens = tokens + places[patches]
        else:
            tokens = torch.take_along_dim(tokens + places, patches.unsqueeze(-1), dim=1)
        encoded: Tensor = self.encoder(inputs_embeds=tokens).last_hidden_state
        normed: Tensor = self.post_layernorm(encoded)
        return normed

    def _use_fewer_heads(self, config: VisionConfig) -> None:
        """Projections to fewer heads of one width; SiglipAttention counts heads by that alone."""
        inner = config.heads * head_width(config, config.width)
        for layer in self.encoder.layers:
            attention = layer.self_attn
            attention.q_proj = nn.Linear(config.width, inner)
            attention.k_proj = nn.Linear(config.width, inner)
            attention.v_proj = nn.Linear(config.width, inner)
            attention.out_proj = nn.Linear(inner, config.width)
            attention.num_heads = config.heads
        self.config.num_attention_heads = config.heads  # which pretrained weights are checked by


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
