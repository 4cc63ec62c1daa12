"""How far a score might be another with other people: bootstrap intervals over speakers.

B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7(1), 1979:
percentiles of the score of samples drawn with replacement. Utterances of one speaker stand and fall
together, so whole speakers are drawn; of few speakers the interval is rather too narrow.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from fer_core.evaluation.answers import Answers
from fer_core.evaluation.scores import ClassPredictions, recalls

MIN_SPEAKERS = 3
RESAMPLES = 2000
SEED = 0
COVERED = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals, and what was drawn for them."""

    uar: Interval
    war: Interval
    over: Literal["speakers", "items"]
    units: int  # speakers, or items

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def bootstrap(answers: Answers) -> Intervals:
    """The intervals of UAR and WAR of ``answers``, the same each time.

    Speakers are drawn if all are known and there are at least three, else items.

    Raises:
        ValueError: as :meth:`fer_core.evaluation.scores.ClassPredictions.of`.
    """
    predictions = ClassPredictions.of(answers)
    unit, over = _units(predictions.speakers)
    units, classes = int(unit.max()) + 1, len(predictions.labels)
    # How many items of each class a unit has, and how many of them are right: (U, K) each.
    place = unit * classes + predictions.truth
    of = place.bincount(minlength=units * classes).view(units, classes).double()
    right = place[predictions.right].bincount(minlength=units * classes)
    right = right.view(units, classes).double()

    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(units, np.full(units, 1 / units), size=RESAMPLES)  # (R, U), how often
    times = torch.from_numpy(drawn).double()
    right, of = times @ right, times @ of  # (R, K) each
    war = right.sum(-1) / of.sum(-1)
    return Intervals(_interval(recalls(right, of)), _interval(war), over, units)


def _units(speakers: tuple[str | None, ...]) -> tuple[Tensor, Literal["speakers", "items"]]:
    """(N,): what each item is drawn with."""
    known = {speaker: place for place, speaker in enumerate(sorted(set(filter(None, speakers))))}
    if None in speakers or len(known) < MIN_SPEAKERS:
        return torch.arange(len(speakers)), "items"
    return torch.tensor([known[speaker] for speaker in speakers if speaker is not None]), "speakers"


def _interval(values: Tensor) -> Interval:
    tail = (1 - COVERED) / 2
    low, high = torch.quantile(values, torch.tensor([tail, 1 - tail], dtype=values.dtype)).tolist()
    return Interval(low, high)
