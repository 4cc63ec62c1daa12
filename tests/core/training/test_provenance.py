"""What a model was taught is told once, and never left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.data.item import Corpus, Item
from fer_core.data.splits import split
from fer_core.resources import bundled_model
from fer_core.training.provenance import corpora_in, may_know, provenance, taught_by
from fer_core.weights import load_config

VOICES = "ravdess, 960 items: Everything in the folder trains."
FACES = "ferplus, 28,285 items: The official parts of ferplus."


def test_a_model_trained_from_scratch_tells_its_splits_and_notes_nothing() -> None:
    assert provenance([VOICES, FACES], None) == (f"{VOICES} {FACES}", ())


def test_the_corpora_that_taught_a_model_are_named_once_however_often_they_did() -> None:
    first = provenance([taught_by("ravdess", 1200, "Fold 0 of 5.")], None).trained_on
    now = [taught_by("ravdess", 960, "Fold 1 of 5."), taught_by("ferplus", 28_285, "Its parts.")]
    assert corpora_in(provenance(now, first).trained_on) == ("ravdess", "ferplus")
    assert corpora_in("whatever another program writes") == ()


def test_runs_on_the_same_splits_one_after_the_other_tell_them_once() -> None:
    first = provenance([VOICES], None).trained_on
    second = provenance([VOICES], first).trained_on
    third, notes = provenance([VOICES, FACES], second)
    assert third == f"{VOICES} {FACES}"
    assert notes == ("Training began with a model trained before on the same corpora and splits.",)


def test_another_corpus_of_the_same_split_is_told_and_warned_of() -> None:
    before = VOICES.replace("ravdess, 960", "cremad, 960")
    trained_on, (note,) = provenance([VOICES], before)
    assert trained_on == f"{VOICES} Begun with a model trained on: {before}"
    assert before in note


def test_another_split_before_is_told_with_a_warning_however_many_runs_ago() -> None:
    other = "Fold 0 of 5."
    second = provenance([VOICES], other).trained_on
    assert second == f"{VOICES} Begun with a model trained on: {other}"
    third, notes = provenance([VOICES, FACES], second)
    assert third == f"{VOICES} {FACES} Begun with a model trained on: {other}"
    assert len(notes) == 1
    assert other in notes[0]
    assert "people it learned from may be in the test" in notes[0]


def test_people_may_be_known_where_the_corpus_was_trained_on_in_another_split() -> None:
    fold = VOICES.replace("Everything in the folder trains.", "Tested on actors 01 and 06.")
    assert may_know("ravdess", [fold, FACES], f"{VOICES} {FACES}")
    assert not may_know("ferplus", [fold, FACES], f"{VOICES} {FACES}")


def test_nobody_is_known_in_the_same_split_in_a_new_corpus_or_from_scratch() -> None:
    assert not may_know("ravdess", [VOICES], f"{VOICES} {FACES}")
    own = "manifest, 60 items: Tested on ann and bea."
    assert not may_know("manifest", [own], f"{VOICES} {FACES}")
    assert not may_know("ravdess", [VOICES], None)


def test_people_whom_any_earlier_run_learnt_from_may_be_known() -> None:
    first, second = (f"ravdess, 960 items: Tested in fold {number}." for number in (1, 0))
    before = provenance([second], provenance([first], None).trained_on).trained_on
    assert may_know("ravdess", [second], before)  # whom it tests taught the run before the last
    assert not may_know("ravdess", [second], provenance([second], second).trained_on)


def taught_in(name: str, items: list[Item], of_split: str) -> str:
    (fold,) = split(Corpus(name, Path("somewhere"), tuple(items), (), ""), of_split)
    return taught_by(name, len(fold.train), fold.description)


def test_people_may_be_known_where_a_tables_parts_were_moved(
    voice_item: Callable[..., Item],
) -> None:
    first, second = (
        [
            voice_item(3, key=who, speaker=who, official_split="test" if who == tested else "train")
            for who in "abc"
        ]
        for tested in "ab"
    )
    before = taught_in("manifest", first, "official")
    assert not may_know("manifest", [taught_in("manifest", first[::-1], "official")], before)
    now = taught_in("manifest", second, "official")
    assert may_know("manifest", [now], before)
    assert provenance([now], before).trained_on == f"{now} Begun with a model trained on: {before}"


def test_the_bundled_model_knows_nobody_whom_its_own_split_scores(
    voice_item: Callable[..., Item],
) -> None:
    actors = (1, 3, 4, *range(6, 14), *range(17, 25))
    takes = [voice_item(3, key=f"{a}/{k}", speaker=f"{a:02d}") for a in actors for k in range(60)]
    before = load_config(bundled_model()).trained_on
    assert before is not None
    assert corpora_in(before) == ("ravdess", "ferplus")
    assert not may_know("ravdess", [taught_in("ravdess", takes, "bundled")], before)
