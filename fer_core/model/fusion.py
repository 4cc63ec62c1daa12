"""Fusion: heard and seen segments, (B, 8, Da) and (B, 8, Dv), to joined ones (B, 8, 512)."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from fer_core.config import FusionConfig
from fer_core.model.joining import AttentionJoining, ConcatJoining, LateJoining, Lfm2Joining


class GatedProjection(nn.Module):
    """``Linear(sigmoid(Linear x) * GELU(Linear x))``, a gated linear unit (Shazeer 2020)."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width_in, width_out)
        self.value = nn.Linear(width_in, width_out)
        self.out = nn.Linear(width_out, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width_in) -> (..., width_out)."""
        projected: Tensor = self.out(self.gate(x).sigmoid() * nn.functional.gelu(self.value(x)))
        return projected


class Fusion(nn.Module):
    """Both modalities to one width, marked by a type embedding, joined, and projected."""

    def __init__(self, audio_width: int, video_width: int, config: FusionConfig) -> None:
        super().__init__()
        self.frozen = config.frozen
        self.audio_projection = GatedProjection(audio_width, config.width)
        self.video_projection = GatedProjection(video_width, config.width)
        self.type_embedding = nn.Parameter(0.02 * torch.randn(2, config.width))
        self.joining = _joining(config)
        self.project = nn.Sequential(
            nn.LayerNorm(config.width),
            nn.Linear(config.width, config.out),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )

    def forward(self, audio: Tensor, video: Tensor, heard: Tensor, seen: Tensor) -> Tensor:
        """(B, 8, Da), (B, 8, Dv) and their masks (B, 8) -> (B, 8, 512)."""
        audio = self.audio_projection(audio) + self.type_embedding[0]  # (B, 8, Da) -> (B, 8, D)
        video = self.video_projection(video) + self.type_embedding[1]
        joined = self.joining(audio, video, torch.stack([heard, seen], dim=-1))
        fused: Tensor = self.project(joined)  # (B, 8, D) -> (B, 8, 512)
        return fused

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``, but what is frozen stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.joining.eval()
        return self


def _joining(config: FusionConfig) -> nn.Module:
    match config.kind:
        case "lfm2":
            return Lfm2Joining(config)
        case "attention":
            return AttentionJoining(config)
        case "concat":
            return ConcatJoining(config)
        case "late":
            return LateJoining()
