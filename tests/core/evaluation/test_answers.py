from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fer_core.config import PerModality, Temperatures
from fer_core.data.item import Item
from fer_core.evaluation.answers import Answers, BatchAnswers, ensemble

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


def test_an_item_is_the_renormalised_mean_of_its_windows_log_probabilities(
    make_item: MakeItem, make_answers: MakeAnswers
) -> None:
    first = torch.tensor([0.64, 0.04, 0.32, 0, 0, 0, 0, 0]).clamp(min=1e-30)
    second = torch.tensor([0.16, 0.64, 0.20, 0, 0, 0, 0, 0]).clamp(min=1e-30)
    answers = make_answers([make_item()], [first, second], places=[0, 0])
    # Geometric means 0.32, 0.16 and sqrt(0.064).
    means = torch.tensor([0.32, 0.16, 0.064**0.5], dtype=torch.float64)
    expected = means / means.sum()
    torch.testing.assert_close(
        answers.log_probabilities().exp()[0, :3], expected, atol=1e-6, rtol=0
    )


def test_windows_may_come_in_any_order(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item(), make_item()]
    said = [probabilities(sad=0.9), probabilities(happy=0.9), probabilities(sad=0.9)]
    answers = make_answers(items, said, places=[1, 0, 1])
    assert answers.log_probabilities().argmax(-1).tolist() == [2, 3]


def test_a_window_with_nothing_in_it_does_not_count(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    there = torch.tensor([[True], [False]])
    said = [probabilities(sad=0.9), probabilities(happy=0.99)]
    answers = make_answers([make_item()], said, places=[0, 0], heard=there, seen=False)
    torch.testing.assert_close(answers.log_probabilities().exp()[0].float(), said[0])
    assert answers.answered.tolist() == [True]


def test_an_item_with_nothing_in_it_is_not_answered(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    answers = make_answers([make_item()], [probabilities(sad=0.9)], heard=False, seen=False)
    assert answers.answered.tolist() == [False]
    assert answers.log_probabilities().exp()[0].tolist() == pytest.approx([1 / 8] * 8)


def test_each_window_and_segment_gets_the_temperature_of_what_it_holds(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    heard = torch.tensor([[True] * 8, [False] * 8])
    seen = torch.tensor([[True] + 7 * [False], [True] * 8])
    said = [probabilities(sad=0.6), probabilities(sad=0.6)]
    answers = make_answers([make_item(), make_item()], said, heard=heard, seen=seen)
    calibrated = answers.calibrated(
        Temperatures(clip=PerModality(2.0, 3.0, 4.0), segment=PerModality(5.0, 6.0, 7.0))
    )

    def cooled(temperature: float) -> Tensor:
        return (said[0].log() / temperature).log_softmax(-1)

    torch.testing.assert_close(calibrated.logits, torch.stack([cooled(2.0), cooled(4.0)]))
    torch.testing.assert_close(calibrated.segment_logits[0, 0], cooled(5.0))
    torch.testing.assert_close(calibrated.segment_logits[0, 1], cooled(6.0))
    torch.testing.assert_close(calibrated.segment_logits[1, 7], cooled(7.0))


def test_an_ensemble_is_the_renormalised_mean_of_log_probabilities(
    make_item: MakeItem, make_answers: MakeAnswers
) -> None:
    items = [make_item()]
    first = make_answers(
        items, [torch.tensor([8.0, 2, 1, 1, 1, 1, 1, 1])]
    )  # logits: not normalised
    second = make_answers(items, [torch.tensor([1.0, 2, 1, 1, 1, 1, 1, 8])])
    together = ensemble([first, second])
    # Both add to 16: geometric means are sqrt(8), 2, 1 ... 1, sqrt(8), over 16.
    means = torch.tensor([8**0.5, 2, 1, 1, 1, 1, 1, 8**0.5])
    torch.testing.assert_close(together.logits.exp()[0], means / means.sum())
    torch.testing.assert_close(together.segment_logits.exp()[0, 5], means / means.sum())


def test_a_member_without_an_answer_does_not_vote(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item()]
    seeing = make_answers(items, [probabilities(sad=0.9)], heard=False, seen=True)
    deaf = make_answers(items, [probabilities(happy=0.9)], heard=False, seen=False)
    together = ensemble([seeing, deaf])
    torch.testing.assert_close(together.logits.exp()[0], probabilities(sad=0.9))
    assert together.answered.tolist() == [True]


def test_members_that_answered_about_other_items_are_refused(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    said = [probabilities(sad=0.9)]
    with pytest.raises(ValueError, match="different windows"):
        ensemble([make_answers([make_item()], said), make_answers([make_item()], said)])
    items = [make_item(), make_item()]
    turned = [make_answers(items, 2 * said, places=places) for places in ([0, 1], [1, 0])]
    with pytest.raises(ValueError, match="different windows"):
        ensemble(turned)


def test_an_ensemble_has_heard_and_seen_what_any_of_its_members_has(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items, said = [make_item()], [probabilities(sad=0.9)]
    members = [make_answers(items, said, heard=heard, seen=not heard) for heard in (True, False)]
    for turned in (members, members[::-1]):
        together = ensemble(turned)
        assert together.heard.all()
        assert together.seen.all()


def test_a_subset_keeps_the_windows_of_its_items(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item(), make_item(), make_item()]
    said = [probabilities(**{emotion: 0.9}) for emotion in ("sad", "happy", "angry", "happy")]
    answers = make_answers(items, said, places=[0, 1, 2, 1]).subset([False, True, True])
    assert answers.items == (items[1], items[2])
    assert answers.item.tolist() == [0, 1, 0]
    assert answers.logits.argmax(-1).tolist() == [2, 4, 2]


def test_batches_become_one_list_of_windows(make_item: MakeItem) -> None:
    def said(*places: int) -> BatchAnswers:
        n = len(places)
        mask = torch.ones(n, 8, dtype=torch.bool)
        return BatchAnswers(places, torch.zeros(n, 8), torch.zeros(n, 8, 8), mask, mask)

    items = [make_item(), make_item()]
    assert Answers.of(items, [said(0, 0), said(1)]).item.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="nothing was said"):
        Answers.of(items, [])
