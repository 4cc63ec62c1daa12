"""Voices and faces of different people in one item: what fusion is validated and measured on.

Where no corpus shows and lets hear the same person, an utterance is heard while a still face of the
same emotion is seen. What the two say of the emotion is then independent, as it is not in life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fer_core.data.item import Item
from fer_core.labels import CLASSES

PAIRS = 100  # for each emotion


def paired(voice: Item, face: Item) -> Item:
    """``voice`` heard while the still ``face`` is seen; the label is the voice's."""
    return replace(voice, key=f"{voice.key} + {face.key}", has_picture=True, face=face)


def voice_of(pair: Item) -> Item:
    """What is heard of a pair, alone."""
    return replace(pair, has_picture=False, face=None)


def pairs_of(
    items: Sequence[Item], per_emotion: int = PAIRS, *, faces: Sequence[Item] | None = None
) -> tuple[Item, ...]:
    """``per_emotion`` random pairs for each emotion that is both heard and seen among ``items``.

    A face that may show one of several emotions, such as neutral or calm, is seen with each. What
    a recording shows itself is not seen.

    Args:
        faces: those that are seen; by default those of ``items``.
    """
    rng = np.random.default_rng(0)
    voices = [replace(item, has_picture=False) for item in items if item.has_sound and item.scored]
    shown = items if faces is None else faces
    stills = [item for item in shown if item.kind == "still" and item.scored]
    pairs = []
    for emotion in range(CLASSES):
        heard = [item for item in voices if item.emotion == emotion]
        seen = [item for item in stills if item.groups[emotion] == item.emotion]
        if heard and seen:
            pairs += [
                paired(heard[rng.integers(len(heard))], seen[rng.integers(len(seen))])
                for _ in range(per_emotion)
            ]
    return tuple(pairs)


def with_pairs(items: Sequence[Item]) -> tuple[Item, ...]:
    """``items``, and pairs of them if none is heard and seen itself."""
    if any(item.has_sound and item.has_picture for item in items):
        return tuple(items)
    return (*items, *pairs_of(items))
