"""Each branch's own answer, which fusion corrects rather than replaces.

Fusion, which sees few true pairs, has only to learn what is left where both are there; how the
answers are joined is in ``fer_core.model.answer``.
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
