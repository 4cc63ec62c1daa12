"""Which speakers train, which validate and which are the test: splits by name.

A score means little if the network has heard the speaker before: one system reached 95.8 % on a
random split of RAVDESS and 48.1 % on speakers it did not know. So every split but ``random`` and
some published ones keeps a speaker in one part, and a fold says in a sentence what it is, to be
printed beside each score.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from fer_core.data.item import Corpus, Item, OfficialSplit
from fer_core.errors import UserError

FOLDS = 5  # of the splits that are drawn

# Test actors of RAVDESS for each fold; all others named in the split train.
RAVDESS_FOLDS: dict[str, tuple[tuple[int, ...], ...]] = {
    # L. Sun et al.: HiCMAE, Information Fusion 108, 2024
    "hicmae6": tuple(tuple(range(first, first + 4)) for first in range(1, 25, 4)),
    # C. Luna-Jiménez et al., Applied Sciences 12(1), 2022
    "luna5": (
        (2, 5, 14, 15, 16),
        (3, 6, 7, 13, 18),
        (10, 11, 12, 19, 20),
        (8, 17, 21, 23, 24),
        (1, 4, 9, 22),
    ),
    # Five folds of the 19 actors that are not in luna5's first: those stay for a last look.
    "dev5": ((1, 6, 11, 20), (3, 8, 13, 22), (4, 9, 18, 23), (7, 12, 17, 24), (10, 19, 21)),
}
# Of the models released with K. Chumachenko et al.: Self-attention fusion for audiovisual emotion
# recognition with incomplete data, ICPR 2022. The paper's figures are of five other folds.
CHUMACHENKO_TEST = (5, 10, 16, 19)
CHUMACHENKO_VALIDATION = (11, 13, 18, 22)
BUNDLED_VALIDATION = (17, 18, 22)  # drawn once; the others of dev5 train the bundled model
ALL_ACTORS = range(1, 25)

PARTS: tuple[OfficialSplit, ...] = ("train", "valid", "test")
SPLITS: dict[str, str] = {
    "hicmae6": "RAVDESS: six folds, actors 1-4, 5-8 ... 21-24",
    "luna5": "RAVDESS: the five folds of Luna-Jiménez et al.",
    "chumachenko": "RAVDESS: one fold with validation actors, of Chumachenko et al.'s released "
    "models; the paper's are others",
    "dev5": "RAVDESS: five folds of 19 actors; 2, 5, 14, 15 and 16 take no part",
    "bundled": "RAVDESS: the bundled model's; 17, 18 and 22 validate, the others of dev5 train",
    "official": "as the corpus publishes it",
    "train": "everything in the official training part is the test",
    "valid": "everything in the official validation part is the test",
    "test": "everything in the official test part is the test",
    "speakers": f"{FOLDS} folds of different speakers, drawn by the seed",
    "all": "everything is the test",
    "untested": "everything trains, but the validation speakers that the configuration asks for",
    "random": f"{FOLDS} folds of recordings, drawn by the seed: LEAKS SPEAKERS",
}


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of a corpus. Validation and test hold only what its protocol scores."""

    name: str  # the split and its number from 0, such as "dev5-0"
    train: tuple[Item, ...]
    validation: tuple[Item, ...]  # may be empty
    test: tuple[Item, ...]
    leaks_speakers: bool  # somebody in training is heard or seen again in another part
    description: str  # one sentence, printed beside every score

    @property
    def number(self) -> int:
        """In its split: those before it may be missing."""
        return int(self.name.rsplit("-", 1)[1])

    @property
    def train_speakers(self) -> tuple[str, ...]:
        return speakers_of(self.train)

    @property
    def validation_speakers(self) -> tuple[str, ...]:
        return speakers_of(self.validation)

    @property
    def test_speakers(self) -> tuple[str, ...]:
        return speakers_of(self.test)


def default_split(corpus: Corpus) -> str:
    """The split taken where none is named."""
    if corpus.name == "ravdess":
        return "dev5"
    return "official" if _has_official(corpus) else "speakers"


def split(
    corpus: Corpus, name: str, *, seed: int = 0, allow_missing: bool = False
) -> tuple[Fold, ...]:
    """The folds of the split ``name`` of ``corpus``.

    ``allow_missing``: actors that the split names may be missing from the corpus; a fold without
    any test actor is left out, and the descriptions tell who is missing.

    Raises:
        UserError: there is no such split, or not of this corpus, or actors are missing.
    """
    if name in RAVDESS_FOLDS or name in ("chumachenko", "bundled"):
        return _ravdess(corpus, name, allow_missing)
    if name == "official":
        return _official(corpus)
    if name in PARTS:
        return (_one_part(corpus, name),)
    if name == "speakers":
        return _by_speaker(corpus, seed)
    if name == "random":
        return _at_random(corpus, seed)
    if name == "all":
        return (_fold("all-0", test=corpus.items, says="Everything in the folder is the test"),)
    if name == "untested":
        says = "Everything in the folder trains, nobody is the test"
        return (_fold("untested-0", train=corpus.items, says=says),)
    raise UserError(f"There is no split “{name}”.", f"Choose one of {', '.join(SPLITS)}.")


def with_validation(fold: Fold, speakers: int, seed: int) -> Fold:
    """``fold`` with the recordings of so many training speakers as validation set.

    Drawn by ``seed``, women and men in turn. A fold that has a validation set keeps it.

    Raises:
        UserError: the speakers are not known, or nobody would be left to train on.
    """
    if fold.validation:
        return fold
    _all_known(fold.train, "validation speakers")
    if not 0 < speakers < len(fold.train_speakers):
        raise UserError(
            f"{speakers} of {len(fold.train_speakers)} training speakers cannot validate.",
            "Take at least one, and leave at least one to train on.",
        )
    in_turn = zip_longest(*_shuffled_speakers(fold.train, seed))
    chosen = [one for some in in_turn for one in some if one is not None][:speakers]
    return replace(
        fold,
        train=tuple(item for item in fold.train if item.speaker not in chosen),
        validation=tuple(item for item in fold.train if item.speaker in chosen and item.scored),
        description=f"{fold.description.removesuffix('.')}; validated on {_listed(chosen)}.",
    )


def leaks_told(names: Sequence[str], folds: Sequence[Fold]) -> list[Fold]:
    """``folds`` that train together, one of each corpus in ``names``; leaks between them are told.

    Corpora of the same name, such as the sound and the video of RAVDESS in folders of their own,
    are of the same people.
    """
    told = []
    for own, (name, fold) in enumerate(zip(names, folds, strict=True)):
        others = [other for at, other in enumerate(folds) if at != own and names[at] == name]
        again = {speaker for other in others for speaker in other.train_speakers}
        again &= {*fold.validation_speakers, *fold.test_speakers}
        chose = {speaker for other in others for speaker in other.validation_speakers}
        again |= chose & {*fold.test_speakers}
        if again and not fold.leaks_speakers:
            says = (
                f"{fold.description.removesuffix('.')}; it LEAKS SPEAKERS, for {_some(again)} "
                f"{'is' if len(again) == 1 else 'are'} in another part of the other {name}."
            )
            fold = replace(fold, leaks_speakers=True, description=says)
        told.append(fold)
    return told


def told_together(folds: Sequence[Fold]) -> str:
    """Who is tested where the tests of ``folds``, of one split, are taken together: a sentence.

    Of several it tells nothing about who trains, which is somebody else in each.
    """
    first, *others = folds
    if not others:
        return first.description
    name = first.name.rsplit("-", 1)[0]
    people = speakers_of(item for fold in folds for item in fold.test)
    says = f"{name}, the test parts of all {len(folds)} folds"
    says += f": {_listed(people)}" if people else ""
    named = _codes(chain(*RAVDESS_FOLDS.get(name, ())))
    return f"{says}{_without({*named} - {*people})}."


def speakers_of(items: Iterable[Item]) -> tuple[str, ...]:
    """Who is known to be in ``items``, in order."""
    return tuple(sorted({item.speaker for item in items if item.speaker is not None}))


# The splits


def _ravdess(corpus: Corpus, name: str, allow_missing: bool) -> tuple[Fold, ...]:
    if corpus.name != "ravdess":
        raise UserError(
            f"The split {name} names actors of RAVDESS, and this is {corpus.name}.",
            f"Use {default_split(corpus)}.",
        )
    tests: tuple[tuple[int, ...], ...]
    validation: tuple[int, ...]
    if name == "chumachenko":
        tests, validation, named = (CHUMACHENKO_TEST,), CHUMACHENKO_VALIDATION, tuple(ALL_ACTORS)
    elif name == "bundled":
        tests, validation, named = ((),), BUNDLED_VALIDATION, tuple(chain(*RAVDESS_FOLDS["dev5"]))
    else:
        tests = RAVDESS_FOLDS[name]
        validation, named = (), tuple(chain(*tests))
    missing = sorted({*_codes(named)} - {*speakers_of(corpus.items)})
    if missing and not allow_missing:
        raise UserError(
            f"The split {name} needs actors that are not in “{corpus.folder}”: {_listed(missing)}.",
            "Add them, choose another split, or allow missing actors.",
        )
    folds = []
    for number, actors in enumerate(tests):
        test, validated = _codes(actors), _codes(validation)
        train = {*_codes(named)} - {*test, *validated}
        parts = [f"tested on actors {_listed(test)}"] if test else []
        parts += [f"validated on {_listed(validated)}"] if validated else []
        says = (
            f"{name}, fold {number} of {len(tests)}: {', '.join(parts)}"
            + ", none of whom is in its training part"
            + _without(missing)
        )
        fold = _fold(
            f"{name}-{number}",
            train=[i for i in corpus.items if i.speaker in train],
            validation=[i for i in corpus.items if i.speaker in validated],
            test=[i for i in corpus.items if i.speaker in test],
            says=says,
        )
        if fold.test if test else fold.validation:
            folds.append(fold)
    if not folds:
        raise UserError(
            f"No actor that the split {name} scores is in “{corpus.folder}”.",
            "Choose another split.",
        )
    return tuple(folds)


def _official(corpus: Corpus) -> tuple[Fold, ...]:
    if not _has_official(corpus):
        raise UserError(
            f"{corpus.name} in “{corpus.folder}” has no official split.",
            f"Use {default_split(corpus)}.",
        )
    numbers = sorted({i.official_fold for i in corpus.items if i.official_fold is not None})
    if numbers:
        return tuple(
            _fold(
                f"official-{place}",
                train=[i for i in corpus.items if i.official_fold != number],
                test=[i for i in corpus.items if i.official_fold == number],
                says=f"The official fold {number} of {corpus.name}",
            )
            for place, number in enumerate(numbers)
        )
    train, validation, test = (
        [i for i in corpus.items if i.official_split == part] for part in PARTS
    )
    says = f"The official parts of {corpus.name}"
    if corpus.name == "manifest":  # which its name does not tell: they are what the table says
        says += f" (digest of who trains and validates: {_digest(train, validation)})"
    return (
        _fold(
            "official-0",
            train=train,
            validation=validation,
            test=test,
            says=says + ("" if test else "; its test part is not there"),
        ),
    )


def _digest(*parts: Sequence[Item]) -> str:
    """Equal where the same recordings of the same people are in ``parts``, in any order."""
    listed = [sorted((item.key, item.speaker or "") for item in part) for part in parts]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:8]


def _one_part(corpus: Corpus, part: str) -> Fold:
    items = [item for item in corpus.items if item.official_split == part]
    if not items:
        raise UserError(
            f"{corpus.name} in “{corpus.folder}” has no part “{part}”.",
            f"Use {default_split(corpus)}.",
        )
    says = f"The test is the official part “{part}” of {corpus.name}"
    return _fold(f"{part}-0", test=items, says=says)


def _by_speaker(corpus: Corpus, seed: int) -> tuple[Fold, ...]:
    _all_known(corpus.items, "the split by speakers")
    speakers = [one for some in _shuffled_speakers(corpus.items, seed) for one in some]
    folds = min(FOLDS, len(speakers))
    if folds < 2:
        raise UserError(
            f"“{corpus.folder}” has only one speaker, so nobody is left to test on.",
            "Add another, or use the split “all” to test on everything.",
        )
    tests = [speakers[number::folds] for number in range(folds)]  # women are dealt out, then men
    return tuple(
        _fold(
            f"speakers-{number}",
            train=[i for i in corpus.items if i.speaker not in test],
            test=[i for i in corpus.items if i.speaker in test],
            says=f"speakers (seed {seed}), fold {number} of {folds}: tested on {_listed(test)}, "
            "none of whom is in its training part",
        )
        for number, test in enumerate(tests)
    )


def _at_random(corpus: Corpus, seed: int) -> tuple[Fold, ...]:
    items = list(corpus.items)
    random.Random(seed).shuffle(items)
    folds = min(FOLDS, len(items))
    if folds < 2:
        raise UserError(f"“{corpus.folder}” has only one recording.", "Add more.")
    return tuple(
        _fold(
            f"random-{number}",
            train=[item for i, item in enumerate(items) if i % folds != number],
            test=items[number::folds],
            says=f"random (seed {seed}), fold {number} of {folds}: this split LEAKS SPEAKERS, "
            "people of its test part are in its training part too, so the score says nothing "
            "about anybody else",
            leaks_speakers=True,
        )
        for number in range(folds)
    )


# What they share


def _fold(
    name: str,
    *,
    says: str,
    train: Sequence[Item] = (),
    validation: Sequence[Item] = (),
    test: Sequence[Item] = (),
    leaks_speakers: bool = False,
) -> Fold:
    again = {*speakers_of(train)} & {*speakers_of(validation), *speakers_of(test)}
    again |= {*speakers_of(validation)} & {*speakers_of(test)}
    if again and not leaks_speakers:
        says += f"; it LEAKS SPEAKERS, for {_some(again)} are in more than one part"
    elif (train or validation) and any(
        item.speaker is None for item in (*train, *validation, *test)
    ):
        says += "; who is in a recording is not known, so people may be in more than one part"
    return Fold(
        name,
        tuple(train),
        tuple(item for item in validation if item.scored),
        tuple(item for item in test if item.scored),
        leaks_speakers or bool(again),
        f"{says}.",
    )


def _has_official(corpus: Corpus) -> bool:
    return any(i.official_split is not None or i.official_fold is not None for i in corpus.items)


def _all_known(items: Sequence[Item], purpose: str) -> None:
    unknown = sum(item.speaker is None for item in items)
    if unknown:
        raise UserError(
            f"Of {unknown} of {len(items)} recordings the speaker is not known, "
            f"which {purpose} needs.",
            "Tell the speakers, or use another split.",
        )


def _shuffled_speakers(items: Sequence[Item], seed: int) -> list[list[str]]:
    """Women, men and those whose sex is not known, each in an order drawn by ``seed``."""
    sex_of = {item.speaker: item.sex for item in items}
    draw = random.Random(seed)
    by_sex = [
        [speaker for speaker in speakers_of(items) if sex_of[speaker] == sex]
        for sex in ("female", "male", None)
    ]
    for speakers in by_sex:
        draw.shuffle(speakers)
    return by_sex


def _codes(actors: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{actor:02d}" for actor in actors)


def _listed(speakers: Iterable[str]) -> str:
    *others, last = speakers
    return f"{', '.join(others)} and {last}" if others else last


def _without(missing: Collection[str]) -> str:
    return f"; missing from the folder: {_listed(sorted(missing))}" if missing else ""


def _some(speakers: Iterable[str]) -> str:
    """The first six of them."""
    first, others = sorted(speakers)[:6], sorted(speakers)[6:]
    return f"{', '.join(first)} and others" if others else _listed(first)
