from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fer_core.data.item import NEUTRAL_OR_CALM, Item
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.scores import score, score_by_sex, score_segments

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


@pytest.fixture
def answers(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> Answers:
    """Three happy ones, of which two are found, and a sad one that is found: W 3/4, U 5/6."""
    items = [
        make_item("happy", speaker="a", sex="female"),
        make_item("happy", speaker="a", sex="female"),
        make_item("happy", speaker="b", sex="male"),
        make_item("sad", speaker="b", sex="male"),
    ]
    said = [probabilities(**{emotion: 0.65}) for emotion in ("happy", "happy", "sad", "sad")]
    return make_answers(items, said)


def test_the_scores_are_those_worked_out_by_hand(answers: Answers) -> None:
    scores = score(answers)
    assert scores.n == 4
    assert scores.speakers == 2
    assert scores.unanswered == 0
    assert scores.war == pytest.approx(3 / 4)
    assert scores.uar == pytest.approx((2 / 3 + 1) / 2)
    # happy: precision 1, recall 2/3, F1 4/5; sad: precision 1/2, recall 1, F1 2/3
    assert scores.f1_macro == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores.f1_weighted == pytest.approx((3 * 4 / 5 + 2 / 3) / 4)
    assert scores.ece == pytest.approx(0.75 - 0.65)
    # The mean of |k - 4 * 0.65| / 4 over k right ones of four
    chances = [math.comb(4, k) * 0.65**k * 0.35 ** (4 - k) for k in range(5)]
    expected = sum(p * abs(k / 4 - 0.65) for k, p in enumerate(chances))
    assert scores.ece_by_chance == pytest.approx(expected)
    assert scores.nll == pytest.approx(-(3 * math.log(0.65) + math.log(0.05)) / 4)


def test_each_class_has_its_own_scores_and_none_where_it_never_occurs(answers: Answers) -> None:
    scores = score(answers)
    happy, calm = scores.per_class["happy"], scores.per_class["calm"]
    assert (happy.recall, happy.precision, happy.n) == (pytest.approx(2 / 3), 1, 3)
    assert happy.f1 == pytest.approx(4 / 5)
    assert (calm.recall, calm.precision, calm.f1, calm.n) == (None, None, None, 0)


def test_rows_of_the_confusion_are_the_truth(answers: Answers) -> None:
    scores = score(answers)
    assert scores.labels[2:4] == ("happy", "sad")
    assert scores.confusion[2] == (0, 0, 2, 1, 0, 0, 0, 0)
    assert scores.confusion[3] == (0, 0, 0, 1, 0, 0, 0, 0)
    assert sum(map(sum, scores.confusion)) == 4


def test_a_class_that_is_only_said_costs_precision_but_is_no_recall(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item("happy"), make_item("happy")]
    said = [probabilities(happy=0.9), probabilities(angry=0.9)]
    scores = score(make_answers(items, said))
    assert scores.uar == pytest.approx(1 / 2)  # not 1/4
    assert scores.per_class["angry"].recall is None
    assert scores.per_class["angry"].precision == 0
    assert scores.f1_macro == pytest.approx((2 / 3 + 0) / 2)


def test_neutral_and_calm_are_one_class_for_corpora_that_do_not_tell_them_apart(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    """0.3 neutral and 0.25 calm outweigh 0.4 happy."""
    items = [make_item("neutral", groups=NEUTRAL_OR_CALM), make_item(groups=NEUTRAL_OR_CALM)]
    said = [
        probabilities(neutral=0.3, calm=0.25, happy=0.4),
        probabilities(neutral=0.2, calm=0.25, happy=0.5),
    ]
    scores = score(make_answers(items, said))
    assert scores.labels == ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    assert scores.war == 1
    assert scores.nll == pytest.approx(-(math.log(0.55) + math.log(0.5)) / 2)
    assert scores.ece == pytest.approx((0.45 + 0.5) / 2)
    assert [row[:2] for row in scores.confusion[:2]] == [(1, 0), (0, 1)]


def test_corpora_that_tell_different_emotions_apart_are_not_scored_together(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item(), make_item(groups=NEUTRAL_OR_CALM)]
    with pytest.raises(ValueError, match="scored apart"):
        score(make_answers(items, [probabilities(happy=0.9)] * 2))


def test_an_item_without_an_answer_is_wrong_even_where_chance_would_be_right(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item("neutral"), make_item("neutral")]
    there = torch.tensor([[True], [False]])
    said = [probabilities(neutral=0.9)] * 2
    scores = score(make_answers(items, said, heard=there, seen=False))
    assert scores.unanswered == 1
    assert scores.war == scores.uar == 0.5
    assert scores.ece == pytest.approx((0.1 + 1 / 8) / 2)
    assert scores.nll == pytest.approx((math.log(8) - math.log(0.9)) / 2)
    assert sum(map(sum, scores.confusion)) == 1
    assert scores.f1_macro == pytest.approx(2 / 3)


def test_unknown_speakers_are_not_counted(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item(speaker="a"), make_item()]
    assert score(make_answers(items, [probabilities(happy=0.9)] * 2)).speakers == 1


def test_the_command_prints_exactly_these_keys(answers: Answers) -> None:
    told = score(answers).as_json("ravdess", "dev5")
    assert list(told) == [
        "corpus",
        "split",
        "n",
        "speakers",
        "uar",
        "war",
        "f1_macro",
        "f1_weighted",
        "ece",
        "per_class",
        "confusion",
        "labels",
    ]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["uar"] == 0.83333
    assert told["per_class"]["calm"] == {"recall": None, "precision": None, "f1": None, "n": 0}


def test_women_and_men_are_scored_apart(answers: Answers) -> None:
    by_sex = score_by_sex(answers)
    assert {sex: (scores.n, scores.war) for sex, scores in by_sex.items()} == {
        "female": (2, 1.0),
        "male": (2, 0.5),
    }


def test_unknown_sex_is_no_group(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    assert score_by_sex(make_answers([make_item()], [probabilities(happy=0.9)])) == {}


def test_segments_are_scored_by_their_place(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    """The first segments are wrong, the last are not there."""
    there = torch.tensor([[True] * 7 + [False]] * 2)
    items = [make_item("happy"), make_item("sad")]
    said = [probabilities(happy=0.9), probabilities(sad=0.9)]
    answers = make_answers(items, said, heard=there, seen=False)
    answers.segment_logits[:, 0] = probabilities(angry=0.9).log()
    segments = score_segments(answers)
    assert segments.by_position[7] is None
    assert [s.uar for s in segments.by_position if s] == [0, 1, 1, 1, 1, 1, 1]
    assert segments.overall.n == 14
    assert segments.overall.war == pytest.approx(12 / 14)
    told = segments.as_json()
    assert told["by_position"][0] == {"n": 2, "uar": 0.0, "war": 0.0, "ece": 0.9}
    assert told["by_position"][7] is None
