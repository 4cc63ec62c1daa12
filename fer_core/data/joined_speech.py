"""Talk that goes on: utterances of one speaker and emotion after each other, cut anywhere.

Corpora have actors say a few sentences, each alone and with a pause around it. Whoever talks to a
laptop says other words, does not stop, and is heard from the middle of a word to the middle of
another. What is learnt of whole sentences alone is partly learnt of their words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fer_core.data.item import Item
from fer_core.data.store import Prepared
from fer_core.media import CLIP_SECONDS, SAMPLE_RATE, Waveform
from fer_core.preprocess.speech import CHUNK

AT_MOST = 4  # utterances that follow each other
SHORTEST_SECONDS = 0.8


def follow(item: Item, items: Sequence[Item], rng: Generator) -> list[Item]:
    """Other utterances in which the speaker of ``item`` shows the same, in a random order.

    Empty where the speaker is not known.
    """
    if item.speaker is None:
        return []
    alike = [
        other
        for other in items
        if other.speaker == item.speaker and other.shares == item.shares and other != item
    ]
    order = rng.permutation(len(alike))[: AT_MOST - 1]
    return [alike[place] for place in order]


def joined(parts: Sequence[Prepared], threshold: float, rng: Generator) -> Prepared:
    """What is spoken in ``parts`` without the pauses around it: a random cut, at most 3 s long.

    Args:
        threshold: the probability from which on a chunk of 32 ms is speech.

    Where nobody speaks in any of them, it is the first of them as it is.
    """
    spoken = [_spoken(part, threshold) for part in parts]
    speech = np.concatenate([own for _, own in spoken])
    if not len(speech):
        return parts[0]
    waveform = np.concatenate([own for own, _ in spoken])
    wanted = rng.uniform(SHORTEST_SECONDS, CLIP_SECONDS)
    length = min(round(wanted * SAMPLE_RATE / CHUNK), len(speech))
    first = int(rng.integers(0, len(speech) - length + 1))
    waveform = waveform[first * CHUNK : (first + length) * CHUNK]
    own = speech[first : first + length]
    nothing = np.zeros(0)
    rois = np.zeros((0, *parts[0].rois.shape[1:]), np.bool_)
    return Prepared(len(waveform) / SAMPLE_RATE, waveform, [], rois, nothing, nothing, own)


def _spoken(part: Prepared, threshold: float) -> tuple[Waveform, NDArray[np.float32]]:
    """The samples from the first chunk of speech to the last, and the probabilities of each."""
    loud = np.flatnonzero(part.speech >= threshold)
    if part.waveform is None or not len(loud):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    first, end = int(loud[0]), int(loud[-1]) + 1
    end = min(end, len(part.waveform) // CHUNK)  # whole chunks, so that both stay in step
    return part.waveform[first * CHUNK : end * CHUNK], part.speech[first:end]
