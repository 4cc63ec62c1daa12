"""Linear discriminant analysis: the emotions' logits as a linear map of many numbers.

It asks in which directions emotions lie apart farther than people of one emotion do (Fisher 1936).
There are more directions than people to learn them from, so the covariance is drawn towards that
of numbers which have nothing to do with each other (Friedman 1989). Nothing is learnt step by step:
``fit`` solves one system of equations. Of all numbers together it believes what holds among those
who taught it alone, their words too; so some of the numbers may be asked once more by themselves.

Of what is unlike all that taught it, it is less sure, as a predictive distribution that knows how
little it has seen would be (Student's t in place of the normal distribution).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fer_core.labels import CLASSES

SHRINKAGE = 0.6  # share of the covariance that is taken from independent numbers
AGAIN = 0.5  # of what some numbers say by themselves, beside all that all of them say
FARTHEST = 3.0  # standard deviations: what lies farther out than people did says no more
LEAST = 1e-3  # variance within an emotion, of 1 in all: some corpora say the same again and again
NEVER = -1e4  # the logit of an emotion that nobody showed
ROWS = 4096  # that are looked at together


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

    def fit(self, numbers: Tensor, shares: Tensor, again: Tensor | None = None) -> None:
        """Learn from (A, N) what was heard, labelled with (A, C) shares of the emotions.

        All emotions count as equally frequent; one that nobody shows is never answered. Who has no
        share in any does not count. ``numbers``, which may be gigabytes, are not copied.

        Args:
            again: the places (M,) of numbers that are asked by themselves as well: half of what
                these say is added to the logits of all.
        """
        of_each = shares.sum(0)  # (C,)
        clips = of_each.sum()
        total = torch.zeros_like(self.mean, dtype=torch.float64)
        for own, _ in _parts(numbers, shares):
            total += own.sum(0, dtype=torch.float64)
        self.mean.copy_(total / clips)
        total.zero_()
        for own, _ in _parts(numbers, shares):
            total += (own - self.mean).square().sum(0, dtype=torch.float64)
        self.std.copy_((total / clips).sqrt().clamp(min=1e-6))  # of a single clip, too
        means = torch.zeros_like(self.weight).T  # (C, N)
        second = torch.zeros(len(self.mean), len(self.mean), device=self.mean.device)
        for own, labels in _parts(numbers, shares):
            standardised = _within(self._standardised(own))
            means = means + labels.T @ standardised
            second.addmm_(standardised.T, standardised)
        means = means / of_each.clamp(min=1e-9).unsqueeze(1)
        # Around the mean of one's emotion; of several, around the mean of each by its share.
        second.addmm_(means.T, of_each.unsqueeze(1) * means, alpha=-1)
        usual = (second.diagonal().mean() / clips).clamp(min=LEAST)
        covariance = second.mul_((1 - SHRINKAGE) / clips)
        covariance.diagonal().add_(SHRINKAGE * usual)
        weight, bias = _solved(covariance, means)
        if again is not None:
            own, own_bias = _solved(covariance[again][:, again], means[:, again])
            weight = weight.index_add(0, again, own, alpha=AGAIN)
            bias = bias + AGAIN * own_bias
        self.weight.copy_(weight)
        self.bias.copy_(bias.masked_fill(of_each == 0, NEVER))

    def temper(self, temperature: float) -> None:
        """Divide all logits by ``temperature``."""
        self.weight.div_(temperature)
        self.bias.div_(temperature)

    def _standardised(self, numbers: Tensor) -> Tensor:
        return (numbers - self.mean) / self.std


def _solved(covariance: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """(N, N), (C, N) -> the weights (N, C) and biases (C,) of the emotions' logits."""
    # Drawn to independent numbers so far it is well conditioned: single precision will do.
    weight = torch.cholesky_solve(means.T, torch.linalg.cholesky(covariance))
    return weight, -0.5 * (means * weight.T).sum(1)


def _within(standardised: Tensor) -> Tensor:
    return standardised.clamp(-FARTHEST, FARTHEST)


def _parts(numbers: Tensor, shares: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """(A, N), (A, C) -> some rows of both at a time, without those that have no share."""
    for own, labels in zip(numbers.split(ROWS), shares.split(ROWS), strict=True):
        counts = labels.any(1)
        yield own[counts], labels[counts]
