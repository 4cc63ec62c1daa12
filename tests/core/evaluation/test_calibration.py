from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fer_core.config import PerModality, Temperatures
from fer_core.data.item import NEUTRAL_OR_CALM, Item
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.calibration import (
    LabelledLogits,
    calibrate,
    more_often_wrong_below,
    uncertain_below,
)

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


@pytest.fixture
def too_sure(make_item: MakeItem, make_answers: MakeAnswers) -> Callable[..., Answers]:
    """Answers that say "happy" with logit ``log 49``, right in 70 of 100.

    With two emotions that are possible at all, p = sigmoid(log 49 / T) is 0.98 at T = 1 and the
    likeliest, 0.7, at T = log 49 / log (7/3) = 4.593.
    """

    def make(**what: object) -> Answers:
        items = [make_item("happy")] * 70 + [make_item("sad")] * 30
        said = torch.full((8,), 1e-30)
        said[2], said[3] = 49.0, 1.0
        return make_answers(items, [said] * 100, **what)

    return make


BEST = math.log(49) / math.log(7 / 3)


def test_temperature_makes_the_truth_most_likely(too_sure: Callable[..., Answers]) -> None:
    fit = calibrate([too_sure()]).clip.both
    assert fit is not None
    assert fit.answers == 100
    assert fit.temperature == pytest.approx(BEST, abs=1e-3)
    assert fit.nll_before == pytest.approx(-0.7 * math.log(0.98) - 0.3 * math.log(0.02))
    assert fit.nll_after == pytest.approx(-0.7 * math.log(0.7) - 0.3 * math.log(0.3))
    assert fit.before.ece == pytest.approx(0.28)
    assert fit.after.ece == pytest.approx(0, abs=1e-5)


def test_each_combination_and_segments_have_their_own(too_sure: Callable[..., Answers]) -> None:
    """Half of the windows are only heard, and of those the last four segments are seen too."""
    only_heard = too_sure(seen=False)
    partly_seen = torch.tensor([[False] * 4 + [True] * 4])
    sharper = too_sure(seen=partly_seen)
    sharper.logits.mul_(2)
    found = calibrate([only_heard, sharper])
    expected = PerModality(both=2 * BEST, audio=BEST, video=1.0)
    assert vars(found.temperatures.clip) == pytest.approx(vars(expected), abs=3e-3)
    assert found.clip.video is None
    assert found.clip.audio is not None
    assert found.clip.audio.answers == 100
    assert found.segment.audio is not None
    assert found.segment.audio.answers == 800 + 400
    assert found.segment.both is not None
    assert found.segment.both.answers == 400
    assert found.segment.both.temperature == pytest.approx(BEST, abs=1e-3)


def test_few_answers_change_nothing(too_sure: Callable[..., Answers]) -> None:
    answers = too_sure()
    few = answers.subset([i < 49 for i in range(100)])
    assert calibrate([few]).clip.both is None
    assert calibrate([few]).temperatures.clip == PerModality(1.0, 1.0, 1.0)


def test_what_was_not_asked_about_keeps_its_temperature(too_sure: Callable[..., Answers]) -> None:
    """So that training a voice further leaves the answers to faces calibrated."""
    own = Temperatures(PerModality(0.9, 0.8, 0.7), PerModality(0.6, 0.5, 0.4))
    found = calibrate([too_sure(seen=False)], own).temperatures
    assert found.clip == PerModality(0.9, pytest.approx(BEST, abs=1e-3), 0.7)
    assert found.segment == PerModality(0.6, pytest.approx(BEST, abs=1e-3), 0.4)


def test_what_is_hidden_is_not_calibrated(too_sure: Callable[..., Answers]) -> None:
    nothing = too_sure(heard=False, seen=False)
    found = calibrate([nothing, too_sure()])
    assert found.clip.both is not None
    assert found.clip.both.answers == 100


def test_how_a_group_is_divided_costs_nothing(
    make_item: MakeItem, make_answers: MakeAnswers
) -> None:
    """Neutral and calm have 7/8 of 0.98 together, whatever their shares."""

    def temperature(neutral: float) -> float:
        said = torch.full((8,), 1e-30)
        said[0], said[1], said[3] = neutral, 49.0 - neutral, 1.0
        items = [make_item("neutral", groups=NEUTRAL_OR_CALM)] * 70
        items += [make_item("sad", groups=NEUTRAL_OR_CALM)] * 30
        fit = calibrate([make_answers(items, [said] * 100)]).clip.both
        assert fit is not None
        assert fit.before.ece == pytest.approx(0.28)
        return fit.temperature

    assert temperature(48.99999) == pytest.approx(BEST, rel=0.1)
    assert temperature(0.00001) == pytest.approx(temperature(48.99999))


def test_a_network_that_is_never_wrong_gets_a_bounded_temperature(
    too_sure: Callable[..., Answers],
) -> None:
    right = too_sure().subset([i < 70 for i in range(100)])
    fit = calibrate([right]).clip.both
    assert fit is not None
    assert 0.1 <= fit.temperature < 0.2


def test_each_segment_is_judged_by_the_label_of_its_own_item(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    emotions = ["happy", "sad", "angry"] * 20
    said = [probabilities(**{emotion: 0.6}) for emotion in emotions]
    fit = calibrate([make_answers([make_item(e) for e in emotions], said)]).segment.both
    assert fit is not None
    assert fit.before.ece == pytest.approx(0.4)  # all are right


def test_calibration_is_told_as_json(too_sure: Callable[..., Answers]) -> None:
    told = calibrate([too_sure()]).as_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["clip"]["audio"] is None
    assert told["clip"]["both"]["ece_before"] == pytest.approx(0.28)


def by_confidence(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities, *said: object
) -> Answers:
    """Pairs of a confidence and whether it is right."""
    pairs = list(zip(said[::2], said[1::2], strict=True))
    items = [make_item("happy" if right else "sad") for _, right in pairs]
    return make_answers(items, [probabilities(happy=confidence) for confidence, _ in pairs])


@pytest.mark.parametrize(
    ("said", "threshold"),
    [
        # Under 0.6 three of four are wrong, from there on two of three are right.
        ((0.3, False, 0.4, True, 0.45, False, 0.5, False, 0.6, True, 0.7, False, 0.8, True), 0.6),
        # Equal confidences stay together: one right and two wrong are uncertain.
        ((0.5, False, 0.5, True, 0.5, False, 0.9, True), 0.9),
        ((0.3, True, 0.6, True), 0.0),
        ((0.3, False, 0.6, False), 1.0),
        # As many errors either way: no doubt without a reason.
        ((0.3, True, 0.6, False, 0.9, True), 0.0),
    ],
)
def test_uncertain_are_answers_more_often_wrong_than_right(
    make_item: MakeItem,
    make_answers: MakeAnswers,
    probabilities: Probabilities,
    said: tuple[object, ...],
    threshold: float,
) -> None:
    answers = by_confidence(make_item, make_answers, probabilities, *said)
    assert more_often_wrong_below(LabelledLogits.windows(answers)) == pytest.approx(threshold)


def test_confidence_is_the_largest_bar_shown_and_either_of_a_group_is_right(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    neutral = make_item("neutral", groups=NEUTRAL_OR_CALM)
    answers = make_answers(
        [make_item("happy"), neutral],
        [probabilities(sad=0.3), probabilities(neutral=0.4, calm=0.45)],
    )
    assert more_often_wrong_below(LabelledLogits.windows(answers)) == pytest.approx(0.45)


def test_each_combination_has_its_own_doubt(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    """Faces of half the confidence are right where pairs are wrong; voices are too few to tell."""

    def said(count: int, right_at_half: bool, **rests_on: bool) -> Answers:
        items = [make_item("happy" if right_at_half else "sad")] * count
        sure = [make_item("happy")] * count
        told = [probabilities(happy=0.5)] * count + [probabilities(happy=0.9)] * count
        return make_answers(items + sure, told, **rests_on)

    pairs, faces = said(25, False), said(25, True, heard=False)
    voices = said(24, False, seen=False)
    before = PerModality(both=0.41, audio=0.42, video=0.43)
    expected = PerModality(both=0.9, audio=0.42, video=0.0)
    assert uncertain_below([pairs, faces, voices], before) == expected
