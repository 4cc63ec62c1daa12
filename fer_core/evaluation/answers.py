"""What a model said about a list of items, window by window.

W windows, N items, S segments (8), C emotions (8). An item's answer is the mean over its windows of
log-probabilities, renormalised. Windows in which nothing was heard or seen have no answer, as in
the live program; nor has an item that has only such windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from fer_core.config import Temperatures
from fer_core.data.item import Item
from fer_core.labels import CLASSES
from fer_core.model.temperature import calibrated_logits


@dataclass(frozen=True, slots=True, eq=False)
class BatchAnswers:
    """What a network said about a batch of B windows, on the CPU."""

    places: Sequence[int]  # (B,), of each window's item
    logits: Tensor  # (B, C)
    segment_logits: Tensor  # (B, S, C)
    heard: Tensor  # (B, S) bool
    seen: Tensor  # (B, S) bool


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Logits on the CPU; a model's are raw, and log-probabilities once calibrated or averaged."""

    items: tuple[Item, ...]  # N
    item: Tensor  # (W,) int64, the place in ``items`` of what a window is cut from
    logits: Tensor  # (W, C)
    segment_logits: Tensor  # (W, S, C)
    heard: Tensor  # (W, S) bool
    seen: Tensor  # (W, S) bool

    @classmethod
    def of(cls, items: Sequence[Item], said: Sequence[BatchAnswers]) -> Self:
        """All batches of windows of ``items``.

        Raises:
            ValueError: there is none.
        """
        if not said:
            raise ValueError("nothing was said about anything")
        return cls(
            tuple(items),
            torch.tensor([place for one in said for place in one.places], dtype=torch.int64),
            torch.cat([one.logits for one in said]),
            torch.cat([one.segment_logits for one in said]),
            torch.cat([one.heard for one in said]),
            torch.cat([one.seen for one in said]),
        )

    @property
    def present(self) -> Tensor:
        """(W, S) bool: the segments that have an answer."""
        return self.heard | self.seen

    @property
    def answered(self) -> Tensor:
        """(N,) bool: the items that have an answer."""
        answered = torch.zeros(len(self.items), dtype=torch.bool)
        answered[self.item[self.present.any(-1)]] = True
        return answered

    def log_probabilities(self) -> Tensor:
        """(N, C) float64, of each item; all equal where it has no answer."""
        there = self.present.any(-1)
        item, logits = self.item[there], self.logits[there].double()
        total = torch.zeros(len(self.items), CLASSES, dtype=torch.float64)
        total.index_add_(0, item, logits.log_softmax(-1))
        windows = item.bincount(minlength=len(self.items)).clamp(min=1)
        return (total / windows.unsqueeze(1)).log_softmax(-1)

    def calibrated(self, temperatures: Temperatures) -> Answers:
        """The answers a model with these temperatures gives."""
        logits, segment_logits = calibrated_logits(
            self.logits, self.segment_logits, self.heard, self.seen, temperatures
        )
        return replace(
            self,
            logits=logits.log_softmax(-1),
            segment_logits=segment_logits.log_softmax(-1),
        )

    def subset(self, chosen: Sequence[bool]) -> Answers:
        """The answers about the items where ``chosen`` (N) is True."""
        keep = torch.tensor(chosen, dtype=torch.bool)
        place = keep.cumsum(0) - 1  # (N,), the new one
        windows = keep[self.item]
        return Answers(
            tuple(item for item, kept in zip(self.items, chosen, strict=True) if kept),
            place[self.item[windows]],
            self.logits[windows],
            self.segment_logits[windows],
            self.heard[windows],
            self.seen[windows],
        )


def ensemble(members: Sequence[Answers]) -> Answers:
    """The mean of the members' log-probabilities, of those that have an answer.

    The members are calibrated, each with its own temperatures, and about the same windows.

    Raises:
        ValueError: they are not.
    """
    first, *others = members
    for other in others:
        if other.items != first.items or not torch.equal(other.item, first.item):
            raise ValueError("the members of an ensemble answered about different windows")
    logits = _mean([m.logits for m in members], [m.present.any(-1) for m in members])
    segments = _mean([m.segment_logits for m in members], [m.present for m in members])
    heard = torch.stack([member.heard for member in members]).any(0)
    seen = torch.stack([member.seen for member in members]).any(0)
    return Answers(first.items, first.item, logits, segments, heard, seen)


def _mean(logits: Sequence[Tensor], present: Sequence[Tensor]) -> Tensor:
    """M of (..., C) and M of (...,) -> log-probabilities (..., C)."""
    log_probabilities = torch.stack(list(logits)).log_softmax(-1)
    weight = torch.stack(list(present)).unsqueeze(-1).to(log_probabilities.dtype)
    total = (log_probabilities * weight).sum(0) / weight.sum(0).clamp(min=1)
    return total.log_softmax(-1)


def of_groups(log_probabilities: Tensor, groups: Tensor) -> Tensor:
    """(N, C) -> (N, C): a group's first emotion gets the probability of all in it, others none.

    ``groups`` (N, C): as an item's.
    """
    hidden = groups.unsqueeze(1) != torch.arange(CLASSES).unsqueeze(1)  # (N, group, emotion)
    return log_probabilities.unsqueeze(1).masked_fill(hidden, -torch.inf).logsumexp(-1)


def groups_of(items: Sequence[Item]) -> Tensor:
    """(N, C) int64."""
    return torch.tensor([item.groups for item in items], dtype=torch.int64).view(-1, CLASSES)


def emotions_of(items: Sequence[Item]) -> Tensor:
    """(N,) int64: the labels."""
    return torch.tensor([item.emotion for item in items], dtype=torch.int64)
