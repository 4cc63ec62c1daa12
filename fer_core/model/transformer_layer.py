"""The two sublayers of a pre-norm transformer, shared by the temporal encoder and the fusion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EXPANSION = 2  # of the feed-forward; 4 would add 0.9 M to compact


class FeedForward(nn.Sequential):
    """(..., D) -> (..., D), normalised first; the caller adds the residual."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(
            nn.LayerNorm(width),
            nn.Linear(width, EXPANSION * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(EXPANSION * width, width),
            nn.Dropout(dropout),
        )


class AttentionLayer(nn.Module):
    """Masked multi-head self-attention and a feed-forward, each on its residual."""

    def __init__(self, width: int, heads: int, head_width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * head_width  # the width, unless heads were pruned
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * inner)
        self.out = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """(B, N, D) finite -> (B, N, D).

        ``visible`` is bool and broadcasts to (B, N, N): row i is what token i may look at. It may
        always look at itself, because the softmax of an empty row would be NaN.
        """
        visible = visible | torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
        projected = self.query_key_value(self.norm(x))  # (B, N, 3HW)
        query, key, value = projected.unflatten(-1, (3, self.heads, -1)).unbind(-3)
        attended = F.scaled_dot_product_attention(
            query.transpose(1, 2),  # (B, N, H, W) -> (B, H, N, W)
            key.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=visible.unsqueeze(1),
        )
        x = x + self.dropout(self.out(attended.transpose(1, 2).flatten(-2)))
        return x + self.feed_forward(x)
