"""Everything that is measured of one model on one test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from fer_core.data.item import Sex
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.intervals import Intervals, bootstrap
from fer_core.evaluation.scores import (
    Scores,
    SegmentScores,
    score,
    score_by_sex,
    score_segments,
)

Shown = Literal["audio and video", "audio alone", "video alone"]  # of items that have both or less
SHOWN: tuple[Shown, ...] = get_args(Shown)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model is measured on."""

    corpus: str
    split: str  # with its fold, such as "dev5-0"
    description: str  # one sentence: who is tested, and whether anybody of them was trained on
    leaks_speakers: bool
    shown: Shown


@dataclass(frozen=True, slots=True)
class Measurement:
    """A trial and its outcome."""

    trial: Trial
    scores: Scores
    intervals: Intervals
    by_sex: Mapping[Sex, Scores]
    segments: SegmentScores | None  # None: none was answered

    @classmethod
    def of(cls, trial: Trial, answers: Answers) -> Self:
        """From calibrated answers.

        Raises:
            ValueError: as :func:`fer_core.evaluation.scores.score`.
        """
        return cls(
            trial,
            score(answers),
            bootstrap(answers),
            score_by_sex(answers),
            score_segments(answers) if answers.present.any() else None,
        )

    def as_json(self) -> dict[str, Any]:
        """The object of ``train.py evaluate --json``, and more."""
        trial = self.trial
        return {
            **self.scores.as_json(trial.corpus, trial.split),
            "shown": trial.shown,
            "description": trial.description,
            "leaks_speakers": trial.leaks_speakers,
            "unanswered": self.scores.unanswered,
            "nll": self.scores.nll,
            "intervals": self.intervals.as_json(),
            "by_sex": {
                sex: {"n": own.n, "uar": own.uar, "war": own.war}
                for sex, own in self.by_sex.items()
            },
            "segments": None if self.segments is None else self.segments.as_json(),
        }
