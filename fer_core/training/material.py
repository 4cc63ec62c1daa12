"""What a run is taught and tested with: corpora, checked, and their folds, one beside the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_core.data.check import Checked, check
from fer_core.data.clips import Modalities
from fer_core.data.corpora.registry import read_corpus
from fer_core.data.item import Corpus, Item
from fer_core.data.pairs import PAIRS, pairs_of
from fer_core.data.splits import Fold, default_split, leaks_told, split, with_validation
from fer_core.errors import UserError
from fer_core.training.config import RunConfig
from fer_core.training.counting import Count, silent
from fer_core.training.provenance import MAY_KNOW

PAIRED = "Each utterance beside a face of somebody else that shows the same emotion."


@dataclass(frozen=True)
class CorpusChoice:
    """A corpus as the command line names it."""

    name: str
    folder: Path
    split: str | None = None  # None: the corpus's usual one
    song: bool = False


@dataclass(frozen=True)
class Material:
    """A corpus, checked, and its folds."""

    checked: Checked
    folds: tuple[Fold, ...]

    @property
    def corpus(self) -> Corpus:
        return self.checked.corpus

    def fold(self, number: int) -> Fold:
        """By the number in its name: actors that are missing may leave out folds before it.

        Raises:
            UserError: there is no such fold.
        """
        folds = {fold.number: fold for fold in self.folds}
        if number not in folds:
            known = [str(one) for one in sorted(folds)]
            raise UserError(
                f"{self.corpus.name} has no fold {number} in this split.",
                f"Its folds are {', '.join(known)}." if known[1:] else f"It has only {known[0]}.",
            )
        return folds[number]


def read_material(
    choice: CorpusChoice, seed: int, allow_missing: bool = False, count: Count = silent
) -> Material:
    """Read a corpus, open each of its files, and split it.

    ``count``: told how many files are opened.

    Raises:
        UserError: it cannot be used, or has no such split.
    """
    corpus = read_corpus(choice.name, choice.folder, song=choice.song)
    checked = check(corpus, "headers", count(f"Opening the files of {corpus.name}"))
    name = choice.split or default_split(checked.corpus)
    folds = split(checked.corpus, name, seed=seed, allow_missing=allow_missing)
    return Material(checked, folds)


def folds_of(
    material: Sequence[Material], number: int, config: RunConfig, wanted: Modalities
) -> list[Fold]:
    """Fold ``number`` of each, with the validation people that ``config`` asks for.

    Which fold of the others goes with it is :func:`at_fold`'s to say. What is not wanted of the
    items is taken away.

    Raises:
        UserError: there is no such fold.
    """
    folds = []
    for own in at_fold(material, number):
        (fold,) = own.folds
        if config.validation_speakers and fold.train_speakers:
            fold = with_validation(fold, config.validation_speakers, config.seed)
        train, validation, test = (
            shown_of(part, wanted) for part in (fold.train, fold.validation, fold.test)
        )
        folds.append(dataclasses.replace(fold, train=train, validation=validation, test=test))
    return leaks_told([own.corpus.name for own in material], folds)


def shown_names(material: Sequence[Material]) -> list[str]:
    """What scores call the corpora: their names, with a number where several have the same."""
    names = [own.corpus.name for own in material]
    return [
        f"{name} {names[: at + 1].count(name)}" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]


def at_fold(material: Sequence[Material], number: int) -> list[Material]:
    """Each with one fold: the first with ``number``, others with the one that goes with it.

    That is the same number where there are as many, or people whom one tests would be taught by
    another; otherwise the first.

    Raises:
        UserError: there is no such fold.
    """
    first, *others = material
    chosen = [first.fold(number)]
    for own in others:
        alike = [fold.number for fold in own.folds] == [fold.number for fold in first.folds]
        chosen.append(own.fold(number) if alike else own.folds[0])
    told = leaks_told([own.corpus.name for own in material], chosen)
    return [
        dataclasses.replace(own, folds=(fold,)) for own, fold in zip(material, told, strict=True)
    ]


def known_before(fold: Fold) -> Fold:
    """``fold``, whose people the model may have known before this run: its scores say so."""
    return dataclasses.replace(
        fold, leaks_speakers=True, description=f"{fold.description} {MAY_KNOW}"
    )


def with_a_test(fold: Fold) -> Fold:
    """``fold``; where it has no test, with its validation part as one, which its name then says."""
    if fold.test or not fold.validation:
        return fold
    return dataclasses.replace(
        fold,
        name=f"{fold.name}, validation",
        test=fold.validation,
        description=f"{fold.description} Scored on the validation part, which chose the "
        "checkpoint and the temperatures.",
    )


def pairs_test(names: Sequence[str], folds: Sequence[Fold]) -> list[tuple[str, Fold]]:
    """Pairs of the voices and faces that are tested, where no corpus has both at once.

    For each corpus with voices, since one may tell emotions apart that another does not: the
    corpora's names, and a fold of which only the test is not empty.
    """
    parts = [(name, with_a_test(fold)) for name, fold in zip(names, folds, strict=True)]
    items = [item for _, part in parts for item in part.test]
    if any(item.has_sound and item.has_picture for item in items):
        return []
    shown = [own for own in parts if any(item.kind == "still" for item in own[1].test)]
    tests = []
    for voices in parts:
        pairs = pairs_of(voices[1].test, faces=items)
        if not pairs:
            continue
        both = [voices, *(own for own in shown if own is not voices)]
        fold = Fold(
            name=f"{PAIRS} pairs an emotion of {' and '.join(part.name for _, part in both)}",
            train=(),
            validation=(),
            test=pairs,
            leaks_speakers=any(part.leaks_speakers for _, part in both),
            description=" ".join([PAIRED, *(part.description for _, part in both)]),
        )
        tests.append((" with ".join(name for name, _ in both), fold))
    return tests


def having(items: Sequence[Item], wanted: Modalities) -> tuple[Item, ...]:
    """Those of ``items`` that have something of what is wanted."""
    return tuple(item for item in items if (asked := wanted.of(item)).audio or asked.video)


def shown_of(items: Sequence[Item], wanted: Modalities) -> tuple[Item, ...]:
    """``items`` as if they had only what is wanted; without those that have nothing of it."""
    cut = (
        dataclasses.replace(
            item,
            has_sound=item.has_sound and wanted.audio,
            has_picture=item.has_picture and wanted.video,
        )
        for item in items
    )
    return tuple(item for item in cut if item.has_sound or item.has_picture)
