"""What functionals say of voices by what other speakers taught, as they will of strangers.

Of those who taught them they are hardly ever wrong: how sure they may be, and what a fusion may
make of them, is learnt from what is said of people left out (Wolpert 1992, "stacked
generalization").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fer_core.data.features import EncodedSamples
from fer_core.data.item import Item
from fer_core.evaluation.answers import emotions_of, groups_of
from fer_core.evaluation.calibration import Fit, LabelledLogits
from fer_core.evaluation.calibration import fit as calibrated
from fer_core.labels import CLASSES
from fer_core.model.discriminant import ROWS, LinearDiscriminant
from fer_core.model.functionals import melody
from fer_core.training.counting import Count, silent

GROUPS = 4  # of speakers; each is judged by what the others taught


def shares_of(items: Sequence[Item]) -> Tensor:
    """(A, C): the shares of each label, those of a group divided equally among its emotions."""
    return torch.stack([_emotions(item) for item in items])


def told_of_strangers(
    numbers: Tensor, items: Sequence[Item], again: Tensor | None = None
) -> tuple[Tensor, Fit] | None:
    """Logits (A, C) of (A, N) functionals of ``items``, and the temperature they were divided by.

    Some of the numbers are asked ``again``, as by :meth:`LinearDiscriminant.fit`.

    None where there are too few speakers, or nothing that others could have told.
    """
    speakers = sorted({item.speaker or item.key for item in items})
    if len(speakers) < GROUPS:
        return None
    group_of = {speaker: place % GROUPS for place, speaker in enumerate(speakers)}
    group = torch.tensor([group_of[item.speaker or item.key] for item in items])
    shares, logits = shares_of(items), torch.zeros(len(items), CLASSES)
    # An emotion that no other showed is left out of how sure they may be: of it nobody could have
    # told, however unsure.
    tellable = torch.zeros(len(items), dtype=torch.bool)
    for one in range(GROUPS):
        own, others = group == one, group != one
        taught = LinearDiscriminant(numbers.shape[1])
        taught.fit(numbers, shares * others.unsqueeze(1), again)
        for places in own.nonzero().squeeze(1).split(ROWS):
            logits[places] = taught(numbers[places])
        tellable[own] = shares[own][:, shares[others].sum(0) == 0].sum(1) == 0
    if not tellable.any():
        return None
    told = [item for item, can in zip(items, tellable.tolist(), strict=True) if can]
    heard = torch.ones(len(told), dtype=torch.bool)
    found = calibrated(
        LabelledLogits(
            logits[tellable].double(),
            groups_of(told),
            emotions_of(told),
            heard,
            torch.zeros_like(heard),
        )
    )
    return logits / found.temperature, found


def tell_as_of_strangers(
    samples: EncodedSamples, voices: Sequence[Item], count: Count = silent
) -> None:
    """In ``samples`` functionals say of each voice what they would of a stranger's."""
    on_voice = count("Hearing the voices")
    numbers, items, places = [], [], []
    for done, voice in enumerate(voices, start=1):
        own, heard = samples.functionals(voice)  # (V, N), (V,)
        places.append(heard)
        numbers.append(own[heard])
        items += [voice] * int(heard.sum())
        on_voice(done, len(voices))
    told = told_of_strangers(torch.cat(numbers), items, melody()) if items else None
    if told is None:
        return
    logits = iter(told[0].split([int(heard.sum()) for heard in places]))
    for voice, heard in zip(voices, places, strict=True):
        said = torch.zeros(len(heard), CLASSES)
        said[heard] = next(logits)
        samples.say(voice, said)


def _emotions(item: Item) -> Tensor:
    groups = torch.tensor(item.groups)
    return torch.tensor(item.shares)[groups] / groups.bincount(minlength=CLASSES)[groups]
