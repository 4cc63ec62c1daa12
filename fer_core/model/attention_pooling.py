"""Learned queries that pool a set of tokens: how segments hear, frames see and clips decide."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class AttentionPooling(nn.Module):
    """Each learned query takes its own weighted mean of the tokens.

    The tokens themselves are averaged, not a projection of them, so that the weights say what
    share each token has. With several heads every head weighs its own slice of the features.

    As in the attention pooling of Set Transformer (Lee et al. 2019), without its feed-forward.
    """

    def __init__(self, width: int, queries: int = 1, heads: int = 1) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.key = nn.Linear(width, width)
        self.query = nn.Parameter(torch.randn(queries, width))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pool ``tokens`` (B, N, D), finite everywhere, to (B, Q, D).

        ``mask`` is True where a query may look and broadcasts to (B, Q, N); a query that may look
        nowhere gets the plain mean. The second result is the weights (B, heads, Q, N), sum 1.
        """
        split = (self.heads, -1)
        keys = self.key(self.norm(tokens)).unflatten(-1, split)  # (B, N, H, D/H)
        query = self.query.unflatten(-1, split)  # (Q, H, D/H)
        scores = torch.einsum("qhd,bnhd->bhqn", query, keys) / math.sqrt(query.shape[-1])
        if mask is not None:
            # The lowest finite number and not -inf: a row without any True stays a mean, not NaN.
            scores = scores.masked_fill(~mask.unsqueeze(-3), torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)
        pooled = torch.einsum("bhqn,bnhd->bqhd", weights, tokens.unflatten(-1, split))
        return pooled.flatten(-2), weights
