"""Each branch's own answer, which fusion corrects rather than replaces.

The logits of voice and face are added, which multiplies their probabilities: a product of experts
(Hinton 2002), in which the surer one weighs more. A missing modality leaves the other's answer
exactly as its branch learnt it, and fusion, which sees few true pairs, has only to learn what is
left where both are there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.labels import CLASSES


class BranchHead(nn.Module):
    """Segments of one modality (..., D) -> logits (..., C).

    Where several encoders made them, each has a head of its own, and the mean of their logits
    counts: the geometric mean of their probabilities.
    """

    def __init__(self, width: int, dropout: float, encoders: int = 1) -> None:
        """``width``: of each encoder."""
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, CLASSES))
            for _ in range(encoders)
        )

    def forward(self, segments: Tensor) -> Tensor:
        return self.per_encoder(segments).mean(0)

    def per_encoder(self, segments: Tensor) -> Tensor:
        """(..., D of all encoders) -> (encoders, ..., C), what each says."""
        parts = zip(self.heads, segments.chunk(len(self.heads), dim=-1), strict=True)
        return torch.stack([head(part) for head, part in parts])


def mean_of_present(segments: Tensor, present: Tensor) -> Tensor:
    """(B, S, D), (B, S) -> (B, D): the mean of the present ones, zeros without any."""
    share = present / present.sum(1, keepdim=True).clamp(min=1)
    return (segments * share.unsqueeze(-1)).sum(1)
