from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from fer_core.data.item import (
    EACH_ALONE,
    Corpus,
    Item,
    OfficialSplit,
    one_emotion,
)
from fer_core.data.splits import (
    RAVDESS_FOLDS,
    SPLITS,
    Fold,
    default_split,
    leaks_told,
    speakers_of,
    split,
    told_together,
    with_validation,
)
from fer_core.errors import UserError

DEV5_ACTORS = [1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18, 19, 20, 21, 22, 23, 24]


def item(key: str, speaker: str | None, **fields: object) -> Item:
    return Item(
        key=key,
        path=Path(key),
        kind="recording",
        has_sound=True,
        has_picture=False,
        shares=one_emotion(2),
        groups=EACH_ALONE,
        speaker=speaker,
        sex=None if speaker is None else ("female", "male")[int(speaker) % 2],
        **fields,  # type: ignore[arg-type]
    )


def corpus(items: Iterable[Item], name: str = "ravdess") -> Corpus:
    return Corpus(name, Path("somewhere"), tuple(items), (), "")


def actors(numbers: Iterable[int], takes: int = 3) -> Corpus:
    return corpus(item(f"{n:02d}/{k}", f"{n:02d}") for n in numbers for k in range(takes))


def keys(items: Iterable[Item]) -> set[str]:
    return {item.key for item in items}


def parts(fold: Fold) -> tuple[set[str], set[str], set[str]]:
    return set(fold.train_speakers), set(fold.validation_speakers), set(fold.test_speakers)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["hicmae6", "luna5", "chumachenko", "dev5", "speakers"])
def test_no_speaker_is_in_two_parts(name: str, seed: int) -> None:
    draw = random.Random(seed)
    some = actors(draw.sample(range(1, 25), 12), takes=draw.randint(1, 4))
    for fold in split(some, name, seed=seed, allow_missing=True):
        if len(fold.train_speakers) > 2:
            fold = with_validation(fold, 2, seed)
        train, validation, test = parts(fold)
        assert not train & validation
        assert not train & test
        assert not validation & test
        assert test
        assert not fold.leaks_speakers
        assert "LEAKS" not in fold.description


@pytest.mark.parametrize("name", ["hicmae6", "luna5", "dev5", "speakers", "random"])
def test_every_item_is_tested_once_and_trains_otherwise(name: str) -> None:
    whole = actors(DEV5_ACTORS if name == "dev5" else range(1, 25))
    folds = split(whole, name)
    tested = [item.key for fold in folds for item in fold.test]
    assert sorted(tested) == sorted(keys(whole.items))
    for fold in folds:
        assert keys(fold.train) == keys(whole.items) - keys(fold.test)


def test_the_published_folds_test_the_published_actors() -> None:
    whole = actors(range(1, 25))
    assert [fold.test_speakers for fold in split(whole, "hicmae6")][:2] == [
        ("01", "02", "03", "04"),
        ("05", "06", "07", "08"),
    ]
    assert split(whole, "luna5")[0].test_speakers == ("02", "05", "14", "15", "16")
    assert {len(folds) for name, folds in RAVDESS_FOLDS.items() if name == "hicmae6"} == {6}
    (fold,) = split(whole, "chumachenko")
    assert fold.test_speakers == ("05", "10", "16", "19")
    assert fold.validation_speakers == ("11", "13", "18", "22")
    assert len(fold.train_speakers) == 16


def test_dev5_leaves_the_held_out_actors_out_of_everything() -> None:
    for fold in split(actors(range(1, 25)), "dev5"):
        train, validation, test = parts(fold)
        assert len(train | validation | test) == 19
        assert not (train | validation | test) & {"02", "05", "14", "15", "16"}


def test_the_bundled_models_people_are_the_same_whoever_else_is_in_the_folder() -> None:
    for whole in (actors(range(1, 25)), actors(DEV5_ACTORS)):
        (fold,) = split(whole, "bundled")
        train, validation, test = parts(fold)
        assert (validation, test) == ({"17", "18", "22"}, set())
        assert train == {f"{actor:02d}" for actor in DEV5_ACTORS} - validation
        assert with_validation(fold, 3, seed=1) == fold
        assert "validated on 17, 18 and 22" in fold.description


def test_missing_actors_are_an_error_unless_allowed() -> None:
    some = actors(DEV5_ACTORS)
    assert len(split(some, "dev5")) == 5
    with pytest.raises(UserError, match="02, 05, 14, 15 and 16"):
        split(some, "luna5")
    folds = split(some, "luna5", allow_missing=True)
    assert [fold.name for fold in folds] == ["luna5-1", "luna5-2", "luna5-3", "luna5-4"]
    assert all("missing from the folder: 02, 05, 14, 15 and 16" in f.description for f in folds)
    with pytest.raises(UserError, match="No actor that the split dev5 scores"):
        split(actors([2, 5]), "dev5", allow_missing=True)


def test_the_tests_of_all_folds_are_told_without_who_trains() -> None:
    folds = split(actors(range(1, 8)), "luna5", allow_missing=True)
    assert told_together(folds) == (
        "luna5, the test parts of all 3 folds: 01, 02, 03, 04, 05, 06 and 07; missing from the "
        "folder: 08, 09, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23 and 24."
    )
    assert told_together(folds[:1]) == folds[0].description
    numbered = corpus([item(str(i), None, official_fold=i) for i in (1, 2)], "dfew")
    assert told_together(split(numbered, "official")) == (
        "official, the test parts of all 2 folds."
    )


def test_splits_of_ravdess_are_refused_for_other_corpora() -> None:
    other = corpus([item("a", "01"), item("b", "02")], "cremad")
    with pytest.raises(UserError, match="names actors of RAVDESS") as refused:
        split(other, "dev5")
    assert refused.value.hint == "Use speakers."


def test_a_random_split_says_that_it_leaks() -> None:
    for fold in split(actors(range(1, 25)), "random"):
        assert fold.leaks_speakers
        assert "LEAKS SPEAKERS" in fold.description


def test_a_random_split_is_drawn_by_the_seed() -> None:
    whole = actors(range(1, 25))
    assert split(whole, "random", seed=1) == split(whole, "random", seed=1)
    assert split(whole, "random", seed=1) != split(whole, "random", seed=2)


def test_speakers_are_dealt_out_by_sex_and_drawn_by_the_seed() -> None:
    whole = actors(range(1, 21))
    folds = split(whole, "speakers", seed=3)
    for fold in folds:
        assert len({item.speaker for item in fold.test if item.sex == "female"}) == 2
        assert len(fold.test_speakers) == 4
    assert split(whole, "speakers", seed=3) == folds
    assert split(whole, "speakers", seed=4) != folds
    assert len(split(actors(range(1, 5)), "speakers")) == 4  # fewer speakers than folds


def test_speakers_must_be_known_to_split_by_them() -> None:
    with pytest.raises(UserError, match="Of 1 of 2 recordings the speaker is not known"):
        split(corpus([item("a", "01"), item("b", None)]), "speakers")
    with pytest.raises(UserError, match="only one speaker"):
        split(actors([7]), "speakers")


def in_parts(speakers: dict[OfficialSplit, list[str | None]]) -> Corpus:
    return corpus(
        (
            item(f"{part}/{number}", speaker, official_split=part)
            for part, some in speakers.items()
            for number, speaker in enumerate(some)
        ),
        "meld",
    )


def test_official_parts_are_kept() -> None:
    (fold,) = split(in_parts({"train": ["01", "02"], "valid": ["03"], "test": ["04"]}), "official")
    assert parts(fold) == ({"01", "02"}, {"03"}, {"04"})
    assert not fold.leaks_speakers
    (fold,) = split(in_parts({"train": [None], "valid": [None]}), "official")
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (1, 1, 0)
    assert "its test part is not there" in fold.description
    assert "who is in a recording is not known" in fold.description


@pytest.mark.parametrize("unknown", ["train", "valid", "test"])
def test_where_somebody_is_not_known_people_may_be_in_more_than_one_part(
    unknown: OfficialSplit,
) -> None:
    people: dict[OfficialSplit, list[str | None]] = {"train": ["01"], "valid": ["02"]}
    whole = in_parts({**people, "test": ["03"], unknown: [None]})
    (fold,) = split(whole, "official")
    assert "who is in a recording is not known" in fold.description
    (fold,) = split(whole, unknown)
    assert "who is in a recording is not known" not in fold.description, "nobody trains"


def described(train: str, valid: str, test: str, name: str = "manifest") -> str:
    """The official parts in which each letter is a recording of somebody."""
    people: dict[OfficialSplit, str] = {"train": train, "valid": valid, "test": test}
    items = [
        item(key, str(ord(key.lower())), official_split=part)
        for part, keys in people.items()
        for key in keys
    ]
    return split(corpus(items, name), "official")[0].description


def test_the_parts_of_a_table_are_described_alike_only_where_the_same_people_teach() -> None:
    own = described("ab", "c", "d")
    assert own == described("ba", "c", "d") == described("ab", "c", "e")
    others = {described("ad", "c", "b"), described("ac", "b", "d"), described("aA", "c", "d")}
    assert own not in others
    assert len(others) == 3
    assert described("ab", "c", "d", "meld") == "The official parts of meld."


def test_official_parts_that_share_a_speaker_say_so() -> None:
    (fold,) = split(in_parts({"train": ["01", "02"], "test": ["02"]}), "official")
    assert fold.leaks_speakers
    assert "LEAKS SPEAKERS, for 02 are in more than one part" in fold.description


def test_official_folds_test_their_number() -> None:
    numbered = corpus(
        [item(str(i), None, official_fold=i % 5 + 1) for i in range(10)] + [item("x", None)], "dfew"
    )
    folds = split(numbered, "official")
    assert [len(fold.test) for fold in folds] == [2] * 5
    assert keys(folds[0].test) == {"0", "5"}
    assert not any(keys(fold.train) & keys(fold.test) for fold in folds)
    assert [fold.number for fold in folds] == [0, 1, 2, 3, 4]
    assert all("x" in keys(fold.train) for fold in folds)


@pytest.mark.parametrize("shared", ["train", "valid"])
def test_official_parts_that_share_a_validation_speaker_say_so(shared: OfficialSplit) -> None:
    both: dict[OfficialSplit, list[str | None]] = {"train": ["01"], "valid": ["02"], "test": ["03"]}
    both["valid" if shared == "train" else "test"] += both[shared]
    (fold,) = split(in_parts(both), "official")
    assert fold.leaks_speakers
    assert f"LEAKS SPEAKERS, for {both[shared][0]} are in more than one part" in fold.description


def of_people(train: str, validation: str, test: str) -> Fold:
    """A letter is somebody."""
    parts = (
        tuple(item(one, str(ord(one))) for one in people) for people in (train, validation, test)
    )
    return Fold("x-0", *parts, leaks_speakers=False, description="They are apart.")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (of_people("ab", "c", "d"), False),  # the same people in the same parts
        (of_people("c", "e", "f"), True),  # teaches who validates
        (of_people("d", "e", "f"), True),  # teaches who is tested
        (of_people("e", "d", "f"), True),  # chooses by who is tested
        (of_people("e", "f", "ab"), False),  # that is told of the other one
        (of_people("e", "a", "f"), False),
    ],
)
def test_who_is_in_another_part_of_a_corpus_of_the_same_name_is_told(
    other: Fold, told: bool
) -> None:
    own = of_people("ab", "c", "d")
    assert leaks_told(["ravdess", "ravdess"], [own, other])[0].leaks_speakers == told
    assert leaks_told(["ravdess", "cremad"], [own, other]) == [own, other]


def test_one_official_part_can_be_the_test() -> None:
    (fold,) = split(in_parts({"train": ["01"], "valid": ["02", "03"]}), "valid")
    assert (fold.train, fold.test_speakers) == ((), ("02", "03"))
    with pytest.raises(UserError, match="has no part “test”"):
        split(in_parts({"train": ["01"]}), "test")


def test_a_corpus_without_an_official_split_has_none() -> None:
    with pytest.raises(UserError, match="has no official split"):
        split(actors([1, 2]), "official")


def test_all_is_the_test() -> None:
    (fold,) = split(actors([1, 2]), "all")
    assert (fold.train, len(fold.test)) == ((), 6)


def test_what_the_protocol_does_not_score_only_trains() -> None:
    doubtful = corpus(
        [
            item(f"{part}{scored}", None, official_split=part, scored=scored)
            for part in ("train", "valid", "test")
            for scored in (True, False)
        ],
        "ferplus",
    )
    (fold,) = split(doubtful, "official")
    assert keys(fold.train) == {"trainTrue", "trainFalse"}
    assert (keys(fold.validation), keys(fold.test)) == ({"validTrue"}, {"testTrue"})
    assert keys(split(doubtful, "all")[0].test) == {"trainTrue", "validTrue", "testTrue"}


def test_validation_speakers_are_taken_from_training_women_and_men_alike() -> None:
    fold = split(actors(DEV5_ACTORS), "dev5")[0]
    carved = with_validation(fold, 4, seed=1)
    assert carved.test == fold.test
    assert keys(carved.train) | keys(carved.validation) == keys(fold.train)
    assert [int(speaker) % 2 for speaker in carved.validation_speakers].count(1) == 2
    assert "validated on" in carved.description
    assert with_validation(fold, 4, seed=1) == carved
    assert with_validation(fold, 4, seed=2) != carved
    assert with_validation(carved, 2, seed=0) is carved


@pytest.mark.parametrize("count", [0, 15, 99])
def test_somebody_must_validate_and_somebody_must_train(count: int) -> None:
    fold = split(actors(DEV5_ACTORS), "dev5")[0]  # 15 train
    with pytest.raises(UserError, match="cannot validate"):
        with_validation(fold, count, seed=0)


def test_each_corpus_has_a_default_that_keeps_speakers_apart() -> None:
    assert default_split(actors([1])) == "dev5"
    assert default_split(corpus([item("a", "01")], "cremad")) == "speakers"
    assert default_split(in_parts({"train": ["01"]})) == "official"


def test_an_unknown_split_is_said_with_those_there_are() -> None:
    with pytest.raises(UserError, match="There is no split “dev6”") as unknown:
        split(actors([1]), "dev6")
    assert all(name in unknown.value.hint for name in SPLITS)


def test_unknown_speakers_are_not_counted() -> None:
    assert speakers_of([item("a", "02"), item("b", None), item("c", "01")]) == ("01", "02")


def test_untested_keeps_nobody_but_the_validation_speakers_from_training() -> None:
    corpus = actors(range(1, 9))
    (fold,) = split(corpus, "untested")
    assert (len(fold.train), fold.validation, fold.test) == (len(corpus.items), (), ())
    kept = with_validation(fold, 3, seed=0)
    assert len(kept.validation_speakers) == 3
    assert not set(kept.validation_speakers) & set(kept.train_speakers)
    assert len(kept.train) + len(kept.validation) == len(corpus.items)
