"""Linear discriminant analysis: the emotions' logits as a linear map of many numbers.

It asks in which directions emotions lie apart farther than people of one emotion do (Fisher 1936).
There are more directions than people to learn them from, so the covariance is drawn towards that
of numbers which have nothing to do with each other (Friedman 1989). Nothing is learnt step by step:
``fit`` solves one system of equations.

Of what is unlike all that taught it, it is less sure, as a predictive distribution that knows how
little it has seen would be (Student's t in place of the normal distribution).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.labels import CLASSES

SHRINKAGE = 0.6  # share of the covariance that is taken from independent numbers
FARTHEST = 3.0  # standard deviations: what lies farther out than people did says no more
LEAST = 1e-3  # variance within an emotion, of 1 in all: some corpora say the same again and again
NEVER = -1e4  # the logit of an emotion that nobody showed


class LinearDiscriminant(nn.Module):
    """(B, N) -> logits (B, C); zeros, which say nothing, until it is fitted."""

    mean: Tensor  # (N,), of who taught it
    std: Tensor  # (N,)
    weight: Tensor  # (N, C), of standardised numbers
    bias: Tensor  # (C,)

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("std", torch.ones(numbers))
        self.register_buffer("weight", torch.zeros(numbers, CLASSES))
        self.register_buffer("bias", torch.zeros(CLASSES))

    def forward(self, numbers: Tensor) -> Tensor:
        standardised = self._standardised(numbers)
        # How far out, as a root mean square: of those who taught it, it is 1.
        distance = standardised.square().mean(-1, keepdim=True).sqrt().clamp(min=1)
        return (_within(standardised) @ self.weight + self.bias) / distance

    def fit(self, numbers: Tensor, shares: Tensor) -> None:
        """Learn from (A, N) what was heard, labelled with (A, C) shares of the emotions.

        All emotions count as equally frequent; one that nobody shows is never answered.
        """
        self.mean.copy_(numbers.mean(0))
        self.std.copy_(numbers.std(0, correction=0).clamp(min=1e-6))  # of a single clip, too
        standardised = _within(self._standardised(numbers))
        count = shares.sum(0)  # (C,)
        means = shares.T @ standardised / count.clamp(min=1e-9).unsqueeze(1)  # (C, N)
        # Around the mean of one's emotion; of several, around the mean of each by its share.
        second = standardised.T @ standardised - means.T @ (count.unsqueeze(1) * means)
        covariance = (1 - SHRINKAGE) * second / len(numbers)
        usual = (second.diagonal().mean() / len(numbers)).clamp(min=LEAST)
        covariance.diagonal().add_(SHRINKAGE * usual)
        # Drawn so far it is well conditioned: single precision will do.
        weight = torch.cholesky_solve(means.T, torch.linalg.cholesky(covariance))  # (N, C)
        bias = -0.5 * (means * weight.T).sum(1)
        self.weight.copy_(weight)
        self.bias.copy_(bias.masked_fill(count == 0, NEVER))

    def temper(self, temperature: float) -> None:
        """Divide all logits by ``temperature``."""
        self.weight.div_(temperature)
        self.bias.div_(temperature)

    def _standardised(self, numbers: Tensor) -> Tensor:
        return (numbers - self.mean) / self.std


def _within(standardised: Tensor) -> Tensor:
    return standardised.clamp(-FARTHEST, FARTHEST)
