"""Answers made by hand, so that every score can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fer_core.data.item import EACH_ALONE, Groups, Item, Sex, one_emotion
from fer_core.evaluation.answers import Answers
from fer_core.labels import EMOTIONS

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


@pytest.fixture
def make_item() -> MakeItem:
    numbers = iter(range(1_000_000))

    def make(
        emotion: str = "happy",
        speaker: str | None = None,
        sex: Sex | None = None,
        groups: Groups = EACH_ALONE,
    ) -> Item:
        key = f"{next(numbers)}.wav"
        shares = one_emotion(EMOTIONS.index(emotion))
        return Item(key, Path(key), "recording", True, True, shares, groups, speaker, sex)

    return make


@pytest.fixture
def probabilities() -> Probabilities:
    """``probabilities(happy=0.9)`` (8,): what is left is spread evenly over the others."""

    def make(**given: float) -> Tensor:
        rest = (1 - sum(given.values())) / (len(EMOTIONS) - len(given))
        return torch.tensor([given.get(emotion, rest) for emotion in EMOTIONS])

    return make


@pytest.fixture
def make_answers() -> MakeAnswers:
    """One window an item, whose segments all say what the window says; seen and heard."""

    def make(
        items: Sequence[Item],
        said: Sequence[Tensor],
        places: Sequence[int] | None = None,
        heard: bool | Tensor = True,
        seen: bool | Tensor = True,
    ) -> Answers:
        windows = len(said)
        logits = torch.stack(list(said)).log()
        everywhere = torch.ones(windows, 8, dtype=torch.bool)
        return Answers(
            tuple(items),
            torch.tensor(range(windows) if places is None else places),
            logits,
            logits.unsqueeze(1).repeat(1, 8, 1),
            everywhere & heard,
            everywhere & seen,
        )

    return make
