"""Whether answers given with confidence *c* are right in *c* of the cases.

M. Pakdaman Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI
2015, in the form of Guo et al. 2017: equal bins of the largest probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

BINS = 15


@dataclass(frozen=True, slots=True)
class Reliability:
    """Answers binned by confidence; means of an empty bin are 0."""

    counts: tuple[int, ...]
    confidence: tuple[float, ...]  # mean of each bin's answers
    accuracy: tuple[float, ...]  # share of each bin's answers that are right

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean over all answers of their bin's gap, 0 to 1."""
        gaps = (abs(c - a) for c, a in zip(self.confidence, self.accuracy, strict=True))
        answers = sum(self.counts)
        return sum(n * gap for n, gap in zip(self.counts, gaps, strict=True)) / answers

    @property
    def ece_by_chance(self) -> float:
        """What the error would be on average if every confidence were true, 0 to 1.

        Of few answers a bin is right a little more or less often than it says by chance alone, and
        the error counts both. Of a bin of equal confidences this is the mean absolute deviation of
        the binomial distribution (de Moivre 1730), a little too much of different ones.
        """
        answers = sum(self.counts)
        return sum(map(_mean_deviation, self.counts, self.confidence)) / answers


def reliability(confidence: Tensor, right: Tensor) -> Reliability:
    """Of answers with ``confidence`` (N,) 0 to 1, and whether they are ``right`` (N,) bool.

    Raises:
        ValueError: there is no answer.
    """
    if not len(confidence):
        raise ValueError("no answers, so no calibration error")
    confidence = confidence.double()
    bins = (confidence * BINS).long().clamp(max=BINS - 1)  # [0, 1/15), [1/15, 2/15) ... to 1
    counts = bins.bincount(minlength=BINS)

    def mean(values: Tensor) -> tuple[float, ...]:
        total = torch.zeros(BINS, dtype=torch.float64).index_add_(0, bins, values.double())
        return tuple((total / counts.clamp(min=1)).tolist())

    return Reliability(tuple(counts.tolist()), mean(confidence), mean(right))


def _mean_deviation(n: int, p: float) -> float:
    """E|X - np| of X, how many of ``n`` happen that each do with probability ``p``."""
    if not 0 < p < 1:
        return 0.0
    above = math.floor(n * p) + 1  # de Moivre's formula needs its probability alone
    log_probability = (
        math.lgamma(n + 1)
        - math.lgamma(above + 1)
        - math.lgamma(n - above + 1)
        + above * math.log(p)
        + (n - above) * math.log1p(-p)
    )
    return 2 * above * (1 - p) * math.exp(log_probability)
