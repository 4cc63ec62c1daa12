"""What a batch shall answer, and the cross-entropy that understands groups of emotions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from fer_core.data.item import Groups, Item
from fer_core.labels import CLASSES


@dataclass(frozen=True, slots=True)
class Targets:
    """Shares of the emotions, and which emotions count as the same."""

    shares: Tensor  # (B, C), sum 1; only a group's first emotion has a share
    groups: Tensor  # (B, C, C) of 0 and 1: row g has the emotions of the group g is the first of

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        """The labels of ``items``."""
        return cls(
            torch.tensor([item.shares for item in items]),
            torch.stack([group_matrix(item.groups) for item in items]),
        )

    def to(self, device: torch.device) -> Targets:
        return Targets(self.shares.to(device), self.groups.to(device))

    def sharpened(self, power: float) -> Targets:
        """Shares raised to ``power``: above 1 what most people saw counts for more."""
        raised = self.shares**power
        return Targets(raised / raised.sum(-1, keepdim=True), self.groups)

    def smoothed(self, amount: float) -> Targets:
        """``amount`` of the share spread evenly over the emotions (Szegedy et al. 2016)."""
        even = self.groups.sum(-1) / CLASSES  # (B, C): each group's number of emotions
        return Targets((1 - amount) * self.shares + amount * even, self.groups)

    def shuffled(self, order: Tensor) -> Targets:
        return Targets(self.shares[order], self.groups[order])


def group_matrix(groups: Groups) -> Tensor:
    """(8, 8) of 0 and 1: row g has the emotions whose group begins with g."""
    of = torch.tensor(groups)
    return (of == torch.arange(CLASSES).unsqueeze(1)).float()


def cross_entropy(logits: Tensor, targets: Targets, class_weights: Tensor) -> Tensor:
    """(B, C) -> (B,): minus the sum over groups of share x weight x log p(group).

    A group's probability is the sum of its emotions', so that what the corpus does not tell apart
    costs nothing however it is divided.
    """
    of_groups = log_probabilities_of_groups(logits.log_softmax(-1), targets.groups)
    return -(targets.shares * class_weights * of_groups).sum(-1)


def log_probabilities_of_groups(log_probabilities: Tensor, groups: Tensor) -> Tensor:
    """(B, C), (B, C, C) -> (B, C): of each group at its first emotion, and zeros elsewhere."""
    hidden = groups == 0
    members = log_probabilities.unsqueeze(1).masked_fill(hidden, -torch.inf)  # (B, C, C)
    return members.logsumexp(-1).masked_fill(hidden.all(-1), 0.0)  # a row without members is -inf
