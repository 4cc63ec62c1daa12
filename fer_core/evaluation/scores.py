"""The scores of a model's answers, as the literature reports them.

UAR, unweighted average recall, is the mean of the recalls of the classes that occur (balanced
accuracy); WAR is the share of all items that are right. K classes are scored: the emotions, of
which those that a corpus cannot tell apart are one, named after the first. FER+ has seven, with
p(neutral) + p(calm) as neutral. An item without an answer is wrong, with equal probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from fer_core.data.item import Item, Sex
from fer_core.evaluation.answers import Answers, emotions_of, groups_of, of_groups
from fer_core.evaluation.reliability import Reliability, reliability
from fer_core.labels import EMOTIONS
from fer_core.media import SEGMENTS

NO_ANSWER = -1
DIGITS = 5  # written of a score


@dataclass(frozen=True, slots=True, eq=False)
class ClassPredictions:
    """What was said and what is true, class by class."""

    labels: tuple[str, ...]  # K
    truth: Tensor  # (N,) int64
    predicted: Tensor  # (N,) int64, NO_ANSWER where nothing was
    log_probabilities: Tensor  # (N, K)
    speakers: tuple[str | None, ...]  # N

    @classmethod
    def of(cls, answers: Answers) -> ClassPredictions:
        """About items.

        Raises:
            ValueError: there are none, or items of corpora that tell different emotions apart.
        """
        return _class_predictions(answers.items, answers.log_probabilities(), answers.answered)

    @property
    def right(self) -> Tensor:
        """(N,) bool."""
        return self.predicted == self.truth

    @property
    def reliability(self) -> Reliability:
        return reliability(self.log_probabilities.exp().amax(-1), self.right)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Of one class; None where there is nothing to divide by."""

    recall: float | None
    precision: float | None
    f1: float | None
    n: int  # items of this class


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares are 0 to 1."""

    n: int
    speakers: int  # that are known
    unanswered: int
    uar: float
    war: float
    f1_macro: float  # mean over the classes that occur or were said
    f1_weighted: float
    ece: float  # of 15 bins
    ece_by_chance: float  # of answers as many and as sure whose probabilities are all true
    nll: float  # mean negative log-likelihood, nats
    per_class: Mapping[str, ClassScores]
    confusion: tuple[tuple[int, ...], ...]  # rows are the truth; without the unanswered
    labels: tuple[str, ...]

    def as_json(self, corpus: str, split: str) -> dict[str, Any]:
        """The object of ``train.py evaluate --json``; its keys are a stable contract."""
        return {
            "corpus": corpus,
            "split": split,
            "n": self.n,
            "speakers": self.speakers,
            "uar": _rounded(self.uar),
            "war": _rounded(self.war),
            "f1_macro": _rounded(self.f1_macro),
            "f1_weighted": _rounded(self.f1_weighted),
            "ece": _rounded(self.ece),
            "per_class": {
                label: {key: _rounded(value) for key, value in asdict(own).items()}
                for label, own in self.per_class.items()
            },
            "confusion": [list(row) for row in self.confusion],
            "labels": list(self.labels),
        }


@dataclass(frozen=True, slots=True)
class SegmentScores:
    """Scores of the segments' own answers; every segment of every window counts once."""

    overall: Scores
    by_position: tuple[Scores | None, ...]  # 8; None where no window has that segment

    def as_json(self) -> dict[str, Any]:
        def brief(scores: Scores | None) -> dict[str, Any] | None:
            if scores is None:
                return None
            return {key: _rounded(getattr(scores, key)) for key in ("n", "uar", "war", "ece")}

        return {
            "overall": brief(self.overall),
            "by_position": [brief(scores) for scores in self.by_position],
        }


def score(answers: Answers) -> Scores:
    """Scores of calibrated ``answers``.

    Raises:
        ValueError: as :meth:`ClassPredictions.of`.
    """
    return _score(ClassPredictions.of(answers))


def score_by_sex(answers: Answers) -> dict[Sex, Scores]:
    """Scores of what women and of what men said, where that is known."""
    scores = {}
    for sex in get_args(Sex):
        own = [item.sex == sex for item in answers.items]
        if any(own):
            scores[sex] = score(answers.subset(own))
    return scores


def score_segments(answers: Answers) -> SegmentScores:
    """Scores of the segments that have an answer, together and by their place in the window.

    Raises:
        ValueError: no segment has one, or as :meth:`ClassPredictions.of`.
    """
    position = torch.arange(SEGMENTS).expand_as(answers.present)  # (W, S)

    def at(chosen: Tensor) -> Scores:
        items = [answers.items[i] for i in answers.item[chosen.nonzero()[:, 0]].tolist()]
        log_probabilities = answers.segment_logits[chosen].double().log_softmax(-1)
        answered = torch.ones(len(items), dtype=torch.bool)
        return _score(_class_predictions(items, log_probabilities, answered))

    places = [answers.present & (position == place) for place in range(SEGMENTS)]
    return SegmentScores(
        at(answers.present), tuple(at(place) if place.any() else None for place in places)
    )


def recalls(right: Tensor, of: Tensor) -> Tensor:
    """UAR of (..., K) right answers and (..., K) items: (...,); classes without items are out."""
    recall = torch.where(of > 0, right / of.clamp(min=1), torch.nan)
    return recall.nanmean(-1)


def _class_predictions(
    items: Sequence[Item], log_probabilities: Tensor, answered: Tensor
) -> ClassPredictions:
    """(N, C), (N,) -> classes."""
    kinds = {item.groups for item in items}
    if len(kinds) != 1:
        raise ValueError(
            "there is nothing to score"
            if not kinds
            else "items of corpora that tell different emotions apart are scored apart"
        )
    firsts = sorted(set(kinds.pop()))  # (K,), the emotion that stands for each class
    grouped = of_groups(log_probabilities, groups_of(items))[:, firsts]  # (N, C) -> (N, K)
    truth = torch.searchsorted(torch.tensor(firsts), emotions_of(items))
    return ClassPredictions(
        tuple(EMOTIONS[first] for first in firsts),
        truth,
        torch.where(answered, grouped.argmax(-1), NO_ANSWER),
        grouped,
        tuple(item.speaker for item in items),
    )


def _score(predictions: ClassPredictions) -> Scores:
    labels, truth, right = predictions.labels, predictions.truth, predictions.right
    classes = len(labels) + 1  # the last is "no answer", which is never true
    said = torch.where(predictions.predicted == NO_ANSWER, len(labels), predictions.predicted)
    confusion = multiclass_confusion_matrix(said, truth, classes)  # (K + 1, K + 1)
    is_class, is_said = confusion.sum(1), confusion.sum(0)  # (K + 1,) each

    def measured(metric: Any, defined: Tensor) -> list[float | None]:
        values = metric(said, truth, classes, average="none")[:-1]
        return [
            value if there else None
            for value, there in zip(values.tolist(), defined[:-1].tolist(), strict=True)
        ]

    recall = measured(multiclass_recall, is_class > 0)
    precision = measured(multiclass_precision, is_said > 0)
    f1 = measured(multiclass_f1_score, is_class + is_said > 0)
    likelihood = predictions.log_probabilities.gather(1, truth.unsqueeze(1))
    return Scores(
        n=len(truth),
        speakers=len({speaker for speaker in predictions.speakers if speaker is not None}),
        unanswered=int((predictions.predicted == NO_ANSWER).sum()),
        uar=_mean(recall),
        war=float(right.double().mean()),
        f1_macro=_mean(f1),
        f1_weighted=float(multiclass_f1_score(said, truth, classes, average="weighted")),
        ece=predictions.reliability.ece,
        ece_by_chance=predictions.reliability.ece_by_chance,
        nll=float(-likelihood.mean()),
        per_class={
            label: ClassScores(recall[k], precision[k], f1[k], int(is_class[k]))
            for k, label in enumerate(labels)
        },
        confusion=tuple(tuple(row) for row in confusion[:-1, :-1].tolist()),
        labels=labels,
    )


def _mean(values: Sequence[float | None]) -> float:
    """Of those that are defined."""
    there = [value for value in values if value is not None]
    return math.fsum(there) / len(there)


def _rounded(value: float | int | None) -> float | int | None:
    return round(value, DIGITS) if isinstance(value, float) else value
