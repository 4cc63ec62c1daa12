"""Temperatures from validation answers, and the confidence under which an answer is uncertain.

C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. What is calibrated is what the
live program shows: every window and every segment, each by the modalities it rests on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from fer_core.config import PerModality, Temperatures
from fer_core.evaluation.answers import Answers, emotions_of, groups_of, of_groups
from fer_core.evaluation.reliability import Reliability, reliability

MIN_ANSWERS = 50  # answers from which a temperature is taken
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 10.0
STEPS = 40  # of the search; each leaves 0.62 of what is searched


@dataclass(frozen=True, slots=True)
class Fit:
    """One temperature, and what it does to the answers it was found on."""

    answers: int
    temperature: float
    nll_before: float  # mean negative log-likelihood, nats
    nll_after: float
    before: Reliability
    after: Reliability

    def as_json(self) -> dict[str, Any]:
        return {
            "answers": self.answers,
            "temperature": self.temperature,
            "nll_before": self.nll_before,
            "nll_after": self.nll_after,
            "ece_before": self.before.ece,
            "ece_after": self.after.ece,
        }


@dataclass(frozen=True, slots=True)
class FitPerModality:
    """None where fewer than 50 answers rest on that combination; its temperature stays."""

    both: Fit | None
    audio: Fit | None
    video: Fit | None

    @property
    def fits(self) -> dict[str, Fit | None]:
        return {"both": self.both, "audio": self.audio, "video": self.video}

    def temperatures(self, before: PerModality) -> PerModality:
        """Those found, and for other combinations what was ``before``."""
        found = {name: fit.temperature for name, fit in self.fits.items() if fit}
        return replace(before, **found)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All temperatures of a model."""

    clip: FitPerModality
    segment: FitPerModality
    before: Temperatures  # the model's own, kept where none was found

    @property
    def temperatures(self) -> Temperatures:
        return Temperatures(
            self.clip.temperatures(self.before.clip), self.segment.temperatures(self.before.segment)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            part: {name: fit and fit.as_json() for name, fit in found.fits.items()}
            for part, found in (("clip", self.clip), ("segment", self.segment))
        }


@dataclass(frozen=True, slots=True, eq=False)
class LabelledLogits:
    """A answers, of windows or of segments, and what would have been right."""

    logits: Tensor  # (A, C) float64
    groups: Tensor  # (A, C)
    truth: Tensor  # (A,)
    heard: Tensor  # (A,) bool
    seen: Tensor  # (A,) bool

    @classmethod
    def windows(cls, answers: Answers) -> Self:
        groups, truth = groups_of(answers.items), emotions_of(answers.items)
        return cls(
            answers.logits.double(),
            groups[answers.item],
            truth[answers.item],
            answers.heard.any(-1),
            answers.seen.any(-1),
        ).where(answers.present.any(-1))

    @classmethod
    def segments(cls, answers: Answers) -> Self:
        groups, truth = groups_of(answers.items), emotions_of(answers.items)
        item = answers.item.repeat_interleave(answers.present.shape[1])  # (W,) -> (W * S,)
        return cls(
            answers.segment_logits.double().flatten(0, 1),
            groups[item],
            truth[item],
            answers.heard.flatten(),
            answers.seen.flatten(),
        ).where(answers.present.flatten())

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(
            torch.cat([part.logits for part in parts]),
            torch.cat([part.groups for part in parts]),
            torch.cat([part.truth for part in parts]),
            torch.cat([part.heard for part in parts]),
            torch.cat([part.seen for part in parts]),
        )

    def where(self, chosen: Tensor) -> Self:
        return type(self)(
            self.logits[chosen],
            self.groups[chosen],
            self.truth[chosen],
            self.heard[chosen],
            self.seen[chosen],
        )

    def by_modalities(self) -> dict[str, LabelledLogits]:
        """Those that rest on both, on sound alone and on the picture alone."""
        return {
            "both": self.where(self.heard & self.seen),
            "audio": self.where(self.heard & ~self.seen),
            "video": self.where(self.seen & ~self.heard),
        }

    def log_probabilities(self, temperature: float) -> Tensor:
        """(A, C), of groups."""
        return of_groups((self.logits / temperature).log_softmax(-1), self.groups)

    def nll(self, temperature: float) -> float:
        of_truth = self.log_probabilities(temperature).gather(1, self.truth.unsqueeze(1))
        return float(-of_truth.mean())

    def reliability(self, temperature: float) -> Reliability:
        confidence, said = self.log_probabilities(temperature).exp().max(-1)
        return reliability(confidence, said == self.truth)


def calibrate(validation: Sequence[Answers], before: Temperatures | None = None) -> Calibration:
    """Temperatures from raw answers about people who are in no training and no test.

    A model may have answered about the same items with both modalities and with either: each answer
    counts for the combination it rests on.

    Args:
        before: the model's own temperatures, which raw answers know nothing of; by default 1.
    """
    windows = LabelledLogits.joined([LabelledLogits.windows(answers) for answers in validation])
    segments = LabelledLogits.joined([LabelledLogits.segments(answers) for answers in validation])
    return Calibration(_fits(windows), _fits(segments), before or Temperatures())


def _fits(labelled: LabelledLogits) -> FitPerModality:
    return FitPerModality(
        **{
            name: fit(part) if len(part.truth) >= MIN_ANSWERS else None
            for name, part in labelled.by_modalities().items()
        }
    )


def fit(labelled: LabelledLogits) -> Fit:
    """The temperature from 0.1 to 10 at which the truth is most likely.

    Golden-section search over its logarithm: the likelihood has one maximum (it is concave in 1/T
    where each emotion is a class of its own).
    """
    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE)
    for _ in range(STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if labelled.nll(math.exp(left)) < labelled.nll(math.exp(right)):
            high = right
        else:
            low = left
    temperature = math.exp((low + high) / 2)
    return Fit(
        answers=len(labelled.truth),
        temperature=temperature,
        nll_before=labelled.nll(1.0),
        nll_after=labelled.nll(temperature),
        before=labelled.reliability(1.0),
        after=labelled.reliability(temperature),
    )


def uncertain_below(validation: Sequence[Answers], before: PerModality) -> PerModality:
    """The confidences under which windows are more often wrong than right; calibrated answers.

    Each combination of modalities has its own, because the same confidence need not mean the same:
    a face said to be half neutral and half calm has 0.5 and is surely right where the corpus does
    not tell these apart, which an answer to face and voice is not. One with fewer than 50 answers
    keeps what it had ``before``.
    """
    labelled = LabelledLogits.joined([LabelledLogits.windows(answers) for answers in validation])
    found = {
        name: round(more_often_wrong_below(part), 3)
        for name, part in labelled.by_modalities().items()
        if len(part.truth) >= MIN_ANSWERS
    }
    return replace(before, **found)


def more_often_wrong_below(labelled: LabelledLogits) -> float:
    """The confidence under which answers are more often wrong than right.

    Of all thresholds the one that errs least when "uncertain" is read as "wrong": with the fewest
    right answers under it and wrong ones from it on, the lowest of such. That is where the
    monotone fit of accuracy over confidence passes one half. The confidence is the largest of the
    eight probabilities, as shown.

    Returns:
        A confidence; 0 if none deserves doubt, 1 if all do.
    """
    confidence, said = labelled.logits.softmax(-1).max(-1)
    right = labelled.groups.gather(1, said.unsqueeze(1)).squeeze(1) == labelled.truth
    levels, level = confidence.unique(return_inverse=True)  # ascending; the level of each answer
    rights = level[right].bincount(minlength=len(levels))
    wrongs = level[~right].bincount(minlength=len(levels))
    none = rights.new_zeros(1)
    # Errors of the threshold at each level, and of the one above all.
    under = torch.cat([none, rights.cumsum(0)])
    above = wrongs.sum() - torch.cat([none, wrongs.cumsum(0)])
    best = int((under + above).argmin())
    if best == 0:
        return 0.0
    return 1.0 if best == len(levels) else float(levels[best])
