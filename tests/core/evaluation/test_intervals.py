from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fer_core.data.item import Item
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.intervals import Interval, bootstrap

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


@pytest.fixture
def answers_of_speakers(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> Callable[[list[str | None], list[bool]], Answers]:
    def make(speakers: list[str | None], right: list[bool]) -> Answers:
        items = [make_item("happy", speaker=speaker) for speaker in speakers]
        said = [probabilities(happy=0.9) if one else probabilities(sad=0.9) for one in right]
        return make_answers(items, said)

    return make


def test_speakers_stand_and_fall_together(
    answers_of_speakers: Callable[..., Answers],
) -> None:
    """Of 10 speakers with 20 items each one half gets all right: as uncertain as 10 items."""
    speakers = [f"{i}" for i in range(10) for _ in range(20)]
    right = [i < 5 for i in range(10) for _ in range(20)]
    found = bootstrap(answers_of_speakers(speakers, right))
    assert (found.over, found.units) == ("speakers", 10)
    # 95 % of the binomial of 10 draws of one half lie from 0.2 to 0.8.
    assert found.war == Interval(pytest.approx(0.2), pytest.approx(0.8))
    assert found.uar == found.war  # one class


@pytest.mark.parametrize(
    "speakers", [["a"] * 50 + ["b"] * 50, [None] * 100, ["a", "b", "c", None] * 25]
)
def test_items_are_drawn_where_speakers_are_few_or_unknown(
    answers_of_speakers: Callable[..., Answers], speakers: list[str | None]
) -> None:
    found = bootstrap(answers_of_speakers(speakers, [True, False] * 50))
    assert (found.over, found.units) == ("items", 100)
    assert found.war.low == pytest.approx(0.4, abs=0.02)
    assert found.war.high == pytest.approx(0.6, abs=0.02)


def test_uar_weighs_classes_and_leaves_out_those_not_drawn(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    """Ten happy ones all right, one sad one wrong: 1/2, or 1 where the sad one is not drawn."""
    items = [make_item("happy") for _ in range(10)] + [make_item("sad")]
    found = bootstrap(make_answers(items, [probabilities(happy=0.9)] * 11))
    assert found.uar == Interval(0.5, 1.0)
    assert found.war.low > 0.6


def test_the_same_answers_have_the_same_interval(
    answers_of_speakers: Callable[..., Answers],
) -> None:
    random = torch.Generator().manual_seed(0)
    right = (torch.rand(60, generator=random) < 0.7).tolist()
    # Of as many sizes as there are speakers, so that other draws have other percentiles.
    answers = answers_of_speakers([f"{int(i**0.7)}" for i in range(60)], right)
    found = bootstrap(answers)
    assert found.war.low < sum(right) / 60 < found.war.high
    assert bootstrap(answers) == found


def test_what_was_drawn_is_told(answers_of_speakers: Callable[..., Answers]) -> None:
    answers = answers_of_speakers(["a", "b", "c"], [True] * 3)
    assert bootstrap(answers).as_json() == {
        "uar": {"low": 1.0, "high": 1.0},
        "war": {"low": 1.0, "high": 1.0},
        "over": "speakers",
        "units": 3,
    }
