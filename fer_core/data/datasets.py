"""Datasets of the stages, and the order in which an epoch goes through them.

A sample depends on the seed, the epoch and its place alone, never on what was drawn before: a run
that was interrupted goes on with the very samples it would have had, on any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from fer_core.data.batch import Batch, Sample, collate
from fer_core.data.clips import Augmentation, ClipCutter, Modalities
from fer_core.data.item import Item
from fer_core.data.joined_speech import follow
from fer_core.labels import CLASSES, EMOTIONS

NEUTRAL = EMOTIONS.index("neutral")
EMOTIONAL = [place for place, name in enumerate(EMOTIONS) if name not in ("neutral", "calm")]


class Draw(NamedTuple):
    """Which item, in which epoch."""

    epoch: int
    place: int  # in the dataset's items
    turn: int = 0  # how often it was drawn before in this epoch


class SampleSource(Protocol):
    """Where samples come from: cut now, or encoded before (``fer_core.data.features``)."""

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample: ...


class WindowSource(Protocol):
    """Where windows come from: a ``ClipCutter``, or encoded before."""

    def window(self, item: Item, start_s: float, wanted: Modalities) -> Sample: ...

    def starts(self, item: Item) -> list[float]: ...


class FreshSamples:
    """Samples cut and varied anew at each draw.

    A share ``going_on`` of those that are heard alone is talk that goes on with other utterances
    of the same speaker among ``items``.
    """

    def __init__(
        self,
        cutter: ClipCutter,
        how: Augmentation | None,
        going_on: float = 0.0,
        items: Sequence[Item] = (),
    ) -> None:
        self._cutter, self._how = cutter, how
        self._going_on, self._items = going_on, items

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
        others: list[Item] = []
        if self._going_on and wanted.only == "audio" and rng.random() < self._going_on:
            others = follow(item, self._items, rng)
        return self._cutter.varied(item, wanted, self._how, rng, others)


class TrainingClips(Dataset[Batch]):
    """Batches of varied clips of ``items``, each with the modalities ``wanted``."""

    def __init__(
        self, items: Sequence[Item], source: SampleSource, wanted: Modalities, seed: int
    ) -> None:
        self.items = items
        self._source, self._wanted, self._seed = source, wanted, seed

    def __getitem__(self, draws: list[Draw]) -> Batch:
        return collate([self._sample(draw) for draw in draws])

    def _sample(self, draw: Draw) -> Sample:
        rng = np.random.default_rng([self._seed, *draw])
        return self._source.sample(self.items[draw.place], self._wanted, draw.epoch, rng)


class PairedClips(Dataset[Batch]):
    """Batches of clips with a voice and a face, for fusion.

    An item that has both is its own pair. Any other is given a partner that shows, or says, the
    same emotion, another one each epoch. In a share of the pairs one of the two is at rest: a sad
    voice comes from a neutral face, and neutral then says nothing. Now and then one of the two is
    taken away (modality dropout), so that the network learns to do with either.
    """

    def __init__(
        self,
        items: Sequence[Item],
        source: SampleSource,
        seed: int,
        modality_dropout: float,
        at_rest: float = 0.0,
    ) -> None:
        voices = [item for item in items if item.has_sound]
        faces = [item for item in items if item.has_picture]
        # An epoch goes once through the voices, of which there are fewer, if there are any.
        self.items = voices or faces
        self._all_faces, self._faces = faces, _by_emotion(faces)
        self._source, self._seed = source, seed
        self._dropout = modality_dropout
        self._at_rest = at_rest

    def __getitem__(self, draws: list[Draw]) -> Batch:
        return collate([self._sample(draw) for draw in draws])

    def _sample(self, draw: Draw) -> Sample:
        rng = np.random.default_rng([self._seed, *draw])
        item = self.items[draw.place]
        partner = None if item.has_picture else self._partner(item, rng)
        own = self._source.sample(item, Modalities(), draw.epoch, rng)
        if partner is not None:
            own = own.seeing(self._acted(partner, draw.epoch, rng))
            if item.emotion == NEUTRAL != partner.emotion:
                own = replace(own, item=partner, voice=item)  # the pair is what its face shows
        dropped = rng.random() < self._dropout
        if dropped and own.audio_mask.any() and own.frame_mask.any():
            if rng.random() < 0.5:
                return own.without_picture()
            if partner is not None:
                # Alone, an emotion is seen as often as in the corpus of faces, not of voices.
                partner = self._all_faces[int(rng.integers(len(self._all_faces)))]
                own = own.seeing(self._acted(partner, draw.epoch, rng))
            return own.without_sound(partner)
        return own

    def _acted(self, partner: Item, epoch: int, rng: Generator) -> Sample:
        """A face; every other still one rises from a neutral face to its emotion, and falls back.

        Between two stills of different people there is no picture, so what was seen in them is
        mixed: encoded faces only.
        """
        face = self._source.sample(partner, Modalities(audio=False), epoch, rng)
        neutral = self._faces[0]
        if face.vectors is None or len(face.vectors) == 1 or partner.kind == "recording":
            return face
        if not neutral or rng.random() < 0.5:
            return face
        calm = neutral[int(rng.integers(len(neutral)))]
        rest = self._source.sample(calm, Modalities(audio=False), epoch, rng).vectors
        assert rest is not None
        share = torch.from_numpy(_rise_and_fall(len(face.vectors), rng)).unsqueeze(1)  # (16, 1)
        return replace(face, vectors=torch.lerp(rest, face.vectors, share))

    def _partner(self, item: Item, rng: Generator) -> Item | None:
        """A face that may show the item's emotion, or for one at rest another one's."""
        emotion = item.emotion
        if rng.random() < self._at_rest:
            emotion = int(rng.choice(EMOTIONAL)) if emotion == NEUTRAL else NEUTRAL
        faces = self._faces[emotion]
        return faces[int(rng.integers(len(faces)))] if faces else None


class EpochBatches(Sampler[list[Draw]]):
    """Batches of draws in an order of their own for each epoch; those of a batch are of one kind.

    Every epoch has the same number of batches, because Lightning counts them once: of a kind, as
    many as its items fill; the rest that fills none is left out, others each epoch. Of a global
    batch every process takes its share, so that several machines see what one would.
    """

    def __init__(
        self,
        items: Sequence[Item],
        batch_size: int,
        seed: int,
        *,
        curriculum_epochs: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        """``batch_size`` is that of all ``processes`` together."""
        self._items = items
        self._batch_size, self._seed = batch_size, seed
        self._curriculum_epochs = curriculum_epochs
        # Among equally easy clips: by their place, only the first people would be shown.
        self._lots = np.random.default_rng(seed).random(len(items))
        self._rank, self._processes = rank, processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls it before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._batches())

    def __iter__(self) -> Iterator[list[Draw]]:
        for batch in self._batches():
            yield batch[self._rank :: self._processes]

    def _batches(self) -> list[list[Draw]]:
        rng = np.random.default_rng([self._seed, self._epoch])
        batches = []
        for kind in ("recording", "still"):
            places = [i for i, item in enumerate(self._items) if item.kind == kind]
            draws = self._draws(self._chosen(places), len(places), rng)
            size = min(self._batch_size, len(draws)) // self._processes * self._processes
            whole = len(draws) // size if size else 0
            batches += [draws[i * size : (i + 1) * size] for i in range(whole)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def _draws(self, places: list[int], count: int, rng: Generator) -> list[Draw]:
        """All of ``places`` in a new order, then again in another, until there are ``count``."""
        draws: list[Draw] = []
        turn = 0
        while len(draws) < count:
            draws += [Draw(self._epoch, int(place), turn) for place in rng.permutation(places)]
            turn += 1
        return draws[:count]

    def _chosen(self, places: list[int]) -> list[int]:
        """All; during the curriculum (Bengio et al. 2009) the easier ones of each emotion."""
        if self._epoch >= self._curriculum_epochs:
            return places
        share = 0.5 + 0.5 * self._epoch / self._curriculum_epochs
        chosen = []
        for emotion in range(CLASSES):
            own = [i for i in places if self._items[i].emotion == emotion]
            own.sort(key=lambda i: (self._items[i].difficulty, self._lots[i]))
            chosen += own[: math.ceil(share * len(own))]
        return sorted(chosen)


class Windows(Dataset[tuple[Batch, list[int]]]):
    """All clips over which answers are averaged, unvaried, in batches of one kind.

    With each batch comes the place in ``items`` of each of its clips.
    """

    def __init__(
        self, items: Sequence[Item], source: WindowSource, wanted: Modalities, batch_size: int
    ) -> None:
        self.items = items
        self._source, self._wanted = source, wanted
        self._chunks: list[list[tuple[int, float]]] = []
        for kind in ("recording", "still"):
            places = [
                (number, start_s)
                for number, item in enumerate(items)
                if item.kind == kind
                for start_s in source.starts(item)
            ]
            firsts = range(0, len(places), batch_size)
            self._chunks += [places[first : first + batch_size] for first in firsts]

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int) -> tuple[Batch, list[int]]:
        chunk = self._chunks[index]
        samples = [self._source.window(self.items[n], start, self._wanted) for n, start in chunk]
        return collate(samples), [number for number, _ in chunk]


def _rise_and_fall(places: int, rng: Generator) -> NDArray[np.float32]:
    """How far an expression has come in each frame, 0 to 1; for some four frames at least, 1.

    It rises over up to three frames, 0.56 s, from one of the first three on, and may fall likewise.
    """
    begin, end = rng.uniform(-1, 3), places - rng.uniform(-4, 3)
    rise, fall = rng.uniform(1, 3, size=2)
    place = np.arange(places)
    share = np.minimum((place - begin) / rise, (end - place) / fall)
    return np.clip(share, 0, 1).astype(np.float32)


def _by_emotion(items: Sequence[Item]) -> list[list[Item]]:
    """Items whose label leaves little doubt, in the list of each emotion they may show."""
    showing: list[list[Item]] = [[] for _ in range(CLASSES)]
    for item in items:
        if max(item.shares) >= 0.5:
            for emotion in range(CLASSES):
                if item.groups[emotion] == item.emotion:
                    showing[emotion].append(item)
    return showing
