from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from fer_core.data.item import Item
from fer_core.labels import CLASSES
from fer_core.model.functionals import FUNCTIONALS
from fer_core.training.strangers import tell_as_of_strangers, told_of_strangers

MakeItems = Callable[..., list[Item]]


@pytest.fixture
def voices(make_voices: MakeItems) -> list[Item]:
    """Five speakers who each say all emotions."""
    return [item for name in "abcde" for item in make_voices(8, name)]


def numbers_of(voices: list[Item], noise: float = 0.3) -> torch.Tensor:
    """(A, 8): each emotion is a direction of its own."""
    random = torch.Generator().manual_seed(0)
    emotions = torch.tensor([item.emotion for item in voices])
    shown = torch.nn.functional.one_hot(emotions, CLASSES).float()
    return shown + noise * torch.randn(shown.shape, generator=random)


def test_a_speaker_is_judged_by_what_others_taught(voices: list[Item]) -> None:
    numbers = numbers_of(voices)
    told = told_of_strangers(numbers, voices)
    assert told is not None
    right = told[0].argmax(1) == torch.tensor([item.emotion for item in voices])
    assert right.float().mean() > 0.8
    # Who alone shows an emotion in another way than all others is misunderstood.
    numbers[8:16] = numbers_of(voices)[8:16].roll(1, dims=1)
    told = told_of_strangers(numbers, voices)
    assert told is not None
    wrong = told[0].argmax(1) != torch.tensor([item.emotion for item in voices])
    assert wrong[8:16].float().mean() > 0.8


def test_who_is_less_often_right_is_less_sure(voices: list[Item]) -> None:
    clear, vague = (told_of_strangers(numbers_of(voices, noise), voices) for noise in (0.2, 1.0))
    assert clear is not None
    assert vague is not None
    sure = [told[0].softmax(1).amax(1).mean() for told in (clear, vague)]
    assert sure[0] > sure[1] + 0.2


def test_too_few_speakers_tell_nothing_of_strangers(make_voices: MakeItems) -> None:
    voices = [item for name in "abc" for item in make_voices(8, name)]
    assert told_of_strangers(numbers_of(voices), voices) is None


class Views:
    """Two views of each voice, the second of the first one unheard."""

    def __init__(self, voices: list[Item]) -> None:
        few = numbers_of(voices)
        self.numbers = torch.nn.functional.pad(few, (0, FUNCTIONALS - few.shape[1]))
        self.voices = voices
        self.said: dict[Item, torch.Tensor] = {}

    def functionals(self, item: Item) -> tuple[torch.Tensor, torch.Tensor]:
        place = self.voices.index(item)
        return self.numbers[place].expand(2, -1), torch.tensor([True, place > 0])

    def say(self, item: Item, logits: torch.Tensor) -> None:
        self.said[item] = logits


def test_each_view_that_is_heard_is_told_as_a_strangers(voices: list[Item]) -> None:
    views: Any = Views(voices)
    counted: list[tuple[int, int]] = []
    tell_as_of_strangers(views, voices, lambda _: lambda *done: counted.append(done))
    assert counted == [(done, 40) for done in range(1, 41)]
    assert views.said.keys() == set(voices)
    for place, item in enumerate(voices):
        first, second = views.said[item]
        assert first.any()
        assert torch.equal(second, first if place else torch.zeros(CLASSES))


def test_of_too_few_speakers_nothing_is_said(make_voices: MakeItems) -> None:
    voices = make_voices(8, "a")
    views: Any = Views(voices)
    tell_as_of_strangers(views, voices)
    tell_as_of_strangers(views, [])
    assert views.said == {}
