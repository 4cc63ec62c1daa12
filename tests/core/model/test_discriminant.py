from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fer_core.labels import CLASSES
from fer_core.model import discriminant
from fer_core.model.discriminant import LinearDiscriminant

NUMBERS = 12


def people(count: int, seed: int = 0, apart: float = 6.0) -> tuple[Tensor, Tensor]:
    """(A, N), (A, C): of people who differ in the last four by far more than emotions do."""
    generator = torch.Generator().manual_seed(seed)
    emotions = torch.arange(CLASSES).repeat(count)
    numbers = torch.randn(len(emotions), NUMBERS, generator=generator)
    numbers[torch.arange(len(emotions)), emotions] += 4
    leaning = apart * torch.randn(count, 4, generator=generator)
    numbers[:, -4:] += leaning.repeat_interleave(CLASSES, 0)
    return numbers, torch.eye(CLASSES)[emotions]


def share_right(judge: LinearDiscriminant, numbers: Tensor, shares: Tensor) -> float:
    right = judge(numbers).argmax(-1) == shares.argmax(-1)
    return float(right.float().mean())


def fitted(numbers: Tensor, shares: Tensor) -> LinearDiscriminant:
    judge = LinearDiscriminant(numbers.shape[1])
    judge.fit(numbers, shares)
    return judge


def said_and_how(count: int, seed: int, words: bool) -> tuple[Tensor, Tensor]:
    """(A, 2C), (A, C): first how it is said, then words that belong to the emotion, or do not."""
    generator = torch.Generator().manual_seed(seed)
    emotions = torch.arange(CLASSES).repeat(count)
    how = 2 * torch.eye(CLASSES)[emotions]
    spoken = emotions if words else emotions[torch.randperm(len(emotions), generator=generator)]
    numbers = torch.cat([how, 2 * torch.eye(CLASSES)[spoken]], dim=1)
    return numbers + torch.randn(numbers.shape, generator=generator), torch.eye(CLASSES)[emotions]


def test_what_is_asked_once_more_outweighs_what_holds_of_the_teachers_alone() -> None:
    numbers, shares = said_and_how(40, seed=0, words=True)
    usual, asked = fitted(numbers, shares), LinearDiscriminant(2 * CLASSES)
    asked.fit(numbers, shares, again=torch.arange(CLASSES))
    others = said_and_how(40, seed=1, words=False)
    assert share_right(asked, *others) > share_right(usual, *others) + 0.1
    assert torch.equal(asked.weight[CLASSES:], usual.weight[CLASSES:])


def test_until_it_is_fitted_it_says_nothing() -> None:
    said = LinearDiscriminant(NUMBERS)(torch.randn(3, NUMBERS))
    assert torch.equal(said, torch.zeros(3, CLASSES))


def test_what_tells_people_apart_is_not_taken_for_an_emotion() -> None:
    judge = fitted(*people(20))
    assert share_right(judge, *people(20, seed=1)) > 0.9
    assert judge.weight[-4:].abs().max() < 0.2 * judge.weight[:8].abs().max()


def test_the_scale_of_a_number_makes_no_difference() -> None:
    numbers, shares = people(20)
    scales = torch.logspace(-3, 3, NUMBERS)
    other = fitted(numbers * scales + 5 * scales, shares)
    said = other(numbers * scales + 5 * scales)
    assert torch.allclose(said, fitted(numbers, shares)(numbers), atol=1e-2)


def test_emotions_count_alike_however_often_they_occur() -> None:
    numbers, shares = people(40)
    rare = ~((shares.argmax(-1) == 0) & (torch.arange(len(shares)) > 40))
    judge = fitted(numbers[rare], shares[rare])
    others, right = people(40, seed=1)
    neutral = right.argmax(-1) == 0
    assert share_right(judge, others[neutral], right[neutral]) > 0.8


def test_an_emotion_that_nobody_shows_is_never_answered() -> None:
    numbers, shares = people(20)
    shown = shares.argmax(-1) != 1
    said = fitted(numbers[shown], shares[shown])(people(20, seed=1)[0])
    assert said.isfinite().all()
    assert not (said.argmax(-1) == 1).any()


def test_a_label_of_two_emotions_teaches_both() -> None:
    numbers, shares = people(20)
    shares[shares.argmax(-1) == 1] = 0.5 * (torch.eye(CLASSES)[0] + torch.eye(CLASSES)[1])
    judge = fitted(numbers, shares)
    others, right = people(20, seed=1)
    second = right.argmax(-1) == 1
    assert (judge(others[second]).argmax(-1) <= 1).float().mean() > 0.8


def test_the_farther_out_the_less_sure() -> None:
    numbers, shares = people(20)
    judge = fitted(numbers, shares)
    angry = torch.zeros(1, NUMBERS)
    angry[0, 4] = 4
    near, far, farther = (
        judge(angry + distance * (torch.arange(NUMBERS) >= 8)).softmax(-1)
        for distance in (0, 1e2, 1e4)
    )
    assert near[0, 4] > 0.9
    assert far.max() < 0.9 * near.max()
    assert farther.max() < 0.2  # of eight


def test_a_number_that_never_changes_is_no_trouble() -> None:
    numbers, shares = people(20)
    numbers[:, 0] = 3.0
    assert fitted(numbers, shares)(numbers).isfinite().all()


def test_people_who_all_say_the_same_are_no_trouble() -> None:
    numbers = torch.randn(CLASSES, NUMBERS, generator=torch.Generator().manual_seed(0)).repeat(5, 1)
    shares = torch.eye(CLASSES).repeat(5, 1)
    assert share_right(fitted(numbers, shares), numbers, shares) == 1


def test_who_has_no_share_in_any_emotion_teaches_nothing() -> None:
    numbers, shares = people(20)
    left_out = torch.arange(len(shares)) % 3 == 0
    numbers[left_out] += 1e3
    without = fitted(numbers[~left_out], shares[~left_out])
    beside = fitted(numbers, shares * ~left_out.unsqueeze(1))
    assert torch.allclose(beside(numbers), without(numbers), atol=1e-3)


def test_many_teach_the_same_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, shares = people(20)
    at_once = fitted(numbers, shares)
    monkeypatch.setattr(discriminant, "ROWS", 7)
    assert torch.allclose(fitted(numbers, shares)(numbers), at_once(numbers), atol=1e-3)


def test_a_temperature_makes_it_less_sure_and_changes_no_answer() -> None:
    numbers, shares = people(20)
    judge = fitted(numbers, shares)
    before = judge(numbers)
    judge.temper(4.0)
    assert torch.allclose(judge(numbers), before / 4, atol=1e-4)


def test_a_single_clip_is_no_trouble() -> None:
    numbers = torch.randn(1, NUMBERS)
    said = fitted(numbers, torch.eye(CLASSES)[:1])(numbers)
    assert said.isfinite().all()
    assert said.argmax(-1) == 0
