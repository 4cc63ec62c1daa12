"""From steps and frames to segments: both branches end as (B, 8, D).

A segment in which a modality is hidden becomes that modality's learned absent vector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.media import FRAMES_PER_SEGMENT, SEGMENTS
from fer_core.model.attention_pooling import AttentionPooling
from fer_core.model.inputs import AUDIO_STEPS, AUDIO_SUBSAMPLING, MEL_HOP_MS, segment_of


class SegmentAttentionPooling(nn.Module):
    """A learned query for each segment looks at that segment's audio steps (four or five).

    What several encoders heard stays apart.
    """

    def __init__(self, width: int, heads: int, encoders: int = 1) -> None:
        """``width``: of each encoder."""
        super().__init__()
        self.poolings = nn.ModuleList(
            AttentionPooling(width, queries=SEGMENTS, heads=heads) for _ in range(encoders)
        )
        self.absent = nn.Parameter(0.02 * torch.randn(encoders * width))
        self.temporal_encoding = nn.Parameter(0.02 * torch.randn(SEGMENTS, encoders * width))

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """(B, 38, Da), (B, 8) True where heard -> (B, 8, Da)."""
        step = torch.arange(AUDIO_STEPS, device=steps.device)
        of_step = segment_of(step * AUDIO_SUBSAMPLING * MEL_HOP_MS)  # (38,)
        own = torch.arange(SEGMENTS, device=steps.device).unsqueeze(1) == of_step  # (8, 38)
        parts = zip(self.poolings, steps.chunk(len(self.poolings), dim=-1), strict=True)
        pooled = torch.cat([pooling(part, own)[0] for pooling, part in parts], dim=-1)
        return torch.where(mask.unsqueeze(-1), pooled, self.absent) + self.temporal_encoding


class SegmentMeanPooling(nn.Module):
    """The mean of a segment's two frames, of those that are real."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.absent = nn.Parameter(0.02 * torch.randn(width))

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(B, 16, D) zeros where hidden, (B, 16) -> (B, 8, D)."""
        pairs = (SEGMENTS, FRAMES_PER_SEGMENT)
        count = mask.unflatten(1, pairs).sum(-1, keepdim=True)  # (B, 8, 1)
        total = frames.unflatten(1, pairs).sum(2)  # (B, 16, D) -> (B, 8, D)
        return torch.where(count > 0, total / count.clamp(min=1), self.absent)


def seen_segments(frame_mask: Tensor) -> Tensor:
    """(B, 16) -> (B, 8): a segment is seen if one of its frames is."""
    return frame_mask.unflatten(1, (SEGMENTS, FRAMES_PER_SEGMENT)).any(-1)
