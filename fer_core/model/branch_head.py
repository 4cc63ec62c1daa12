"""Each branch's own answer, which fusion corrects rather than replaces.

The logits of voice and face are added, which multiplies their probabilities: a product of experts
(Hinton 2002), in which the surer one weighs more. So a missing modality leaves the other's answer
as its branch learnt it, and fusion, which sees few true pairs, has only to learn what is left.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.labels import CLASSES


class BranchHead(nn.Sequential):
    """Segments of one modality (..., D) -> logits (..., C)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, CLASSES))


def mean_of_present(segments: Tensor, present: Tensor) -> Tensor:
    """(B, S, D), (B, S) -> (B, D): the mean of the present ones, zeros without any."""
    share = present / present.sum(1, keepdim=True).clamp(min=1)
    return (segments * share.unsqueeze(-1)).sum(1)
