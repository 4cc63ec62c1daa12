"""What a model card tells, as plain values; what is left out is told to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from fer_core.config import PerModality
from fer_core.data.item import Corpus, Item
from fer_core.data.splits import Fold, speakers_of
from fer_core.evaluation.calibration import Calibration
from fer_core.evaluation.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Part:
    """The items of one part of a corpus."""

    items: int
    people: tuple[str, ...]
    unknown: int  # items of nobody that is known

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        return cls(len(items), speakers_of(items), sum(item.speaker is None for item in items))


@dataclass(frozen=True, slots=True)
class CorpusUse:
    """What was done with a corpus."""

    name: str
    licence: str
    split: str
    description: str
    leaks_speakers: bool
    train: Part
    validation: Part
    test: Part

    @classmethod
    def of(cls, corpus: Corpus, fold: Fold) -> Self:
        return cls(
            corpus.name,
            corpus.licence,
            fold.name,
            fold.description,
            fold.leaks_speakers,
            Part.of(fold.train),
            Part.of(fold.validation),
            Part.of(fold.test),
        )


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that the card tells."""

    name: str
    parameters: int
    corpora: tuple[CorpusUse, ...]
    licence: str | None = None  # of the weights
    measurements: tuple[Measurement, ...] = ()  # of this model; the first is the main one
    calibration: Calibration | None = None
    calibrated_on: str | None = None  # whose answers the temperatures were found on
    calibrated_before: bool = False  # the model that training began with was
    uncertain_below: PerModality | None = None
    confusion_picture: str | None = None  # of the first measurement; names of files beside the card
    history_picture: str | None = None
    reliability_picture: str | None = None
    command: str | None = None  # that trains this model
    machine: str | None = None  # on which it was trained, and the time it took
    notes: tuple[str, ...] = ()  # further limits, a sentence each
