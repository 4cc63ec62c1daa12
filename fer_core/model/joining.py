"""Four ways to join a heard and a seen vector of each segment into one.

All take ``audio`` and ``video`` (B, S, D) and ``present`` (B, S, 2), True where the segment was
heard and seen, and give (B, S, D).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.models.lfm2.configuration_lfm2 import Lfm2Config
from transformers.models.lfm2.modeling_lfm2 import Lfm2Model

from fer_core.config import FusionConfig, head_width
from fer_core.model.initialisation import initialise
from fer_core.model.transformer_layer import AttentionLayer

# Of LFM2's 16 layers these attend, the others convolve.
LFM2_ATTENTION_LAYERS = (2, 5, 8, 10, 12, 14)


class Lfm2Joining(nn.Module):
    """LFM2 (Liquid AI 2025) over a1, v1, a2, v2 ... as if they were words.

    LFM2 is causal: a segment knows itself and the earlier ones, and only v1 knows a1. What must
    see the whole clip, the encoders and the temporal encoder, comes before.
    """

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        self.lfm2 = Lfm2Model(lfm2_config(config))
        self.lfm2.embed_tokens = nn.Identity()  # there are no words; the table would be unused
        initialise(self.lfm2)
        self.lfm2.requires_grad_(not config.frozen)

    def forward(self, audio: Tensor, video: Tensor, present: Tensor) -> Tensor:
        tokens = torch.stack([audio, video], dim=2).flatten(1, 2)  # 2 x (B, S, D) -> (B, 2S, D)
        # Made here, because LFM2 would look into the positions first: a wait for a GPU, and
        # impossible on the meta device. Added to the scores, which every attention kernel takes.
        length = tokens.shape[1]
        later = tokens.new_full((length, length), torch.finfo(tokens.dtype).min).triu(1)
        masks = {"full_attention": later[None, None], "conv": None}
        joined = self.lfm2(
            inputs_embeds=tokens, attention_mask=masks, use_cache=False
        ).last_hidden_state
        return average_present(joined.unflatten(1, (-1, 2)), present)


class AttentionJoining(nn.Module):
    """Layers that look alternately at the other modality and at their own (after Tsai et al. 2019).

    Nobody looks at what is absent but itself.
    """

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            AttentionLayer(
                config.width, config.heads, head_width(config, config.width), config.dropout
            )
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(self, audio: Tensor, video: Tensor, present: Tensor) -> Tensor:
        tokens = torch.stack([audio, video], dim=2).flatten(1, 2)  # (B, 2S, D)
        modality = torch.arange(tokens.shape[1], device=tokens.device) % 2
        same = modality.unsqueeze(0) == modality.unsqueeze(1)  # (2S, 2S)
        there = present.flatten(1).unsqueeze(1)  # (B, 1, 2S)
        for i, layer in enumerate(self.layers):
            tokens = layer(tokens, (same if i % 2 else ~same) & there)
        return average_present(self.norm(tokens).unflatten(1, (-1, 2)), present)


class ConcatJoining(nn.Module):
    """Each segment's two vectors side by side, then one layer; absent vectors stand in."""

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.GELU())

    def forward(self, audio: Tensor, video: Tensor, present: Tensor) -> Tensor:
        mixed: Tensor = self.mix(torch.cat([audio, video], dim=-1))
        return mixed


class LateJoining(nn.Module):
    """The mean of what is present; the modalities do not look at each other."""

    def forward(self, audio: Tensor, video: Tensor, present: Tensor) -> Tensor:
        return average_present(torch.stack([audio, video], dim=2), present)


def average_present(tokens: Tensor, present: Tensor) -> Tensor:
    """(B, S, 2, D), (B, S, 2) -> (B, S, D); of both where neither is present."""
    counted = (present | ~present.any(-1, keepdim=True)).unsqueeze(-1)
    return (tokens * counted).sum(2) / counted.sum(2)


def lfm2_config(config: FusionConfig) -> Lfm2Config:
    """``config`` in the words of transformers."""
    return Lfm2Config(
        vocab_size=1,
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=None,
        hidden_size=config.width,
        intermediate_size=config.feed_forward,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.key_value_heads,
        head_dim=head_width(config, config.width),
        layer_types=[
            "full_attention" if i in LFM2_ATTENTION_LAYERS else "conv" for i in range(config.layers)
        ],
    )
