"""The classifier: segments (B, 8, 512) to the clip's answer and to that of each segment."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from fer_core.config import ClassifierConfig, Pooling
from fer_core.labels import CLASSES
from fer_core.model.attention_pooling import AttentionPooling


class TemporalPooling(nn.Module):
    """The present segments to one vector, and the share each of them has in it.

    A clip in which no segment is present is pooled as if all were.
    """

    def __init__(self, width: int, kind: Pooling) -> None:
        super().__init__()
        self.kind = kind
        self.attention = AttentionPooling(width) if kind == "attention" else None

    def forward(self, segments: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S, D), (B, S) -> (B, D), weights (B, S) that sum to 1."""
        present = present | ~present.any(-1, keepdim=True)
        if self.kind == "max":
            visible = segments.masked_fill(~present.unsqueeze(-1), -torch.inf)
            pooled, winner = visible.max(dim=1)  # (B, D) each
            won = winner.unsqueeze(1) == _places(segments)  # (B, S, D)
            return pooled, won.to(pooled.dtype).mean(-1)
        if self.attention is not None:
            pooled, weights = self.attention(segments, present.unsqueeze(1))
            return pooled.squeeze(1), weights[:, 0, 0]
        if self.kind == "last":
            place = _places(segments).squeeze(-1)  # (S,)
            last = torch.where(present, place, -1).amax(1, keepdim=True)
            weights = (place == last).to(segments.dtype)
        else:
            weights = present / present.sum(1, keepdim=True)
        return (weights.unsqueeze(-1) * segments).sum(1), weights


def _places(segments: Tensor) -> Tensor:
    """(S, 1): 0, 1, 2 ..."""
    return torch.arange(segments.shape[1], device=segments.device).unsqueeze(1)


class Classifier(nn.Module):
    """One MLP, for the pooled clip and for every segment."""

    def __init__(self, width: int, config: ClassifierConfig) -> None:
        super().__init__()
        self.pooling = TemporalPooling(width, config.pooling)
        layers: list[nn.Module] = []
        for narrow, wide in itertools.pairwise((width, *config.hidden)):
            layers += [nn.Linear(narrow, wide), nn.GELU(), nn.Dropout(config.dropout)]
        last = nn.Linear((width, *config.hidden)[-1], CLASSES)
        # What comes out is added to the branches' own answers: untrained it leaves them alone.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.mlp = nn.Sequential(*layers, last)

    def forward(self, segments: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 8, D), (B, 8) -> logits (B, C), segment logits (B, 8, C), segment weights (B, 8)."""
        pooled, weights = self.pooling(segments, present)
        return self.mlp(pooled), self.mlp(segments), weights
