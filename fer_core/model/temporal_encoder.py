"""The temporal encoder: what a face does over the clip, (B, 16, D) -> (B, 16, D).

Gated selective convolutions look at neighbouring frames, attention then at the whole clip, both
ways in time. Hidden frames contribute nothing to the others and come out as zeros.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_core.config import TemporalConfig, head_width
from fer_core.media import FRAMES_PER_CLIP
from fer_core.model.initialisation import initialise
from fer_core.model.transformer_layer import AttentionLayer, FeedForward


class GatedSelectiveConvolution(nn.Module):
    """A depthwise convolution over frames between two gates that depend on the input.

    The short convolution of LFM2 (Liquid AI 2025), ``C * conv(B * x)``, whose input-dependent B and
    C are the selection of Mamba (Gu and Dao 2023). Here it is padded on both sides.
    """

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.padding = (kernel // 2, (kernel - 1) // 2)  # same length; an even kernel leans back
        self.norm = nn.LayerNorm(width)
        self.gates_and_input = nn.Linear(width, 3 * width)
        self.convolution = nn.Conv1d(width, width, kernel, groups=width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D), (B, T) -> (B, T, D); a hidden frame is to its neighbours like padding."""
        b, c, inner = self.gates_and_input(self.norm(x)).chunk(3, dim=-1)
        gated = (b * inner * mask.unsqueeze(-1)).transpose(1, 2)  # (B, T, D) -> (B, D, T)
        mixed = self.convolution(F.pad(gated, self.padding)).transpose(1, 2)
        x = x + self.dropout(self.out(c * mixed))
        return x + self.feed_forward(x)


class TemporalEncoder(nn.Module):
    def __init__(self, width: int, config: TemporalConfig) -> None:
        super().__init__()
        self.positions = nn.Parameter(0.02 * torch.randn(FRAMES_PER_CLIP, width))
        self.convolutions = nn.ModuleList(
            GatedSelectiveConvolution(width, config.kernel, config.dropout)
            for _ in range(config.conv_layers)
        )
        self.attentions = nn.ModuleList(
            AttentionLayer(width, config.heads, head_width(config, width), config.dropout)
            for _ in range(config.attention_layers)
        )
        self.norm = nn.LayerNorm(width)
        initialise(self)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D) finite, (B, T) True where real -> (B, T, D), zeros where hidden."""
        x = frames + self.positions
        for convolution in self.convolutions:
            x = convolution(x, mask)
        for attention in self.attentions:
            x = attention(x, mask.unsqueeze(1))
        return torch.where(mask.unsqueeze(-1), self.norm(x), 0.0)
