"""Samples as frozen encoders see them, encoded once and kept on disk.

With frozen encoders an epoch would decode, vary and encode what an earlier one did. So each item is
encoded in a number of varied views, the samples of that many epochs, and later epochs take them
again; for validation it is encoded in all its windows. The files are named by the content of the
media, the augmentation and the encoders' weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fer_core.data.batch import Sample, collate
from fer_core.data.clips import Augmentation, ClipCutter, Modalities
from fer_core.data.item import Item
from fer_core.data.pairs import voice_of
from fer_core.data.store import MediaStore, save_arrays
from fer_core.model.multimodal_fer import MultimodalFER

KEPT_BYTES = 2**30  # in memory; what is encoded beyond that is read from disk each time
HIDDEN = 0.05  # how often a face that is still is not found, as in a blink or behind a hand

FORMAT = 3  # of what is kept; another one is encoded anew
Encoded = dict[str, Tensor]  # V samples: both masks, steps, functionals and vectors, if any


class EncodedSamples:
    """A source of samples that hold ``steps`` for ``spectra`` and ``vectors`` for ``pictures``."""

    def __init__(
        self,
        model: MultimodalFER,
        store: MediaStore,
        cutter: ClipCutter,
        how: Augmentation | None,
        folder: Path,
        views: int,
        seed: int,
    ) -> None:
        """``views``: of each item; the samples of epoch e are those of view ``e % views``."""
        self._cutter, self._how, self._views, self._seed = cutter, how, views, seed
        self._store = store
        variation = None if how is None else dataclasses.asdict(how)
        cut = json.dumps([variation, views, seed])
        judged = model.config.audio.functionals
        self._features = _Features(model, store, folder, cut, functionals=judged)
        self._encoded_width = model.config.audio.encoded_width
        self._said: dict[Item, Tensor] = {}

    def functionals(self, item: Item) -> tuple[Tensor, Tensor]:
        """(V, N) of each view of a voice, for a network that has some, and (V,) which are heard.

        Raises:
            UserError: as :meth:`sample`.
        """
        views = self._features.of(item, self._cut)
        return views["functionals"], views["audio_mask"].any(1)

    def say(self, item: Item, logits: Tensor) -> None:
        """From now on functionals say (V, C) of the views of ``item``; before, they say nothing.

        What the network's own say is no use in training: they know by heart who taught them.
        """
        self._said[item] = logits

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
        """View ``epoch % views`` of ``item``.

        Raises:
            UserError: the folder cannot be written, or the item not be read.
        """
        views, view = self._features.of(item, self._cut), epoch % self._views
        sample = _sample(item, views, view, wanted)
        if sample.steps is not None:
            steps = sample.steps.clone()
            steps[:, self._encoded_width :] = self._said[item][view] if item in self._said else 0.0
            sample = dataclasses.replace(sample, steps=steps)
        if sample.vectors is not None and item.kind == "still":
            # A face that does not move at all is none: every place shows some view of it, and now
            # and then none.
            places = len(sample.frame_mask)
            others = rng.integers(0, self._views, size=places)
            still = rng.random(places) < 0.5
            vectors = views["vectors"][np.where(still, view, others), 0]
            hidden = torch.from_numpy(rng.random(places) < HIDDEN)
            hidden[int(rng.integers(places))] = False
            mask = sample.frame_mask & ~hidden
            sample = dataclasses.replace(sample, vectors=vectors, frame_mask=mask)
        return sample

    def _cut(self, item: Item) -> list[Sample]:
        # Varied by what the item is, never by the encoders: weights that differ in their last bit,
        # as those of a run on fewer threads, are shown the same.
        which = hashlib.sha256(_name(self._store, item).encode()).hexdigest()[:8]
        return [
            self._cutter.varied(
                item,
                Modalities(),
                self._how,
                np.random.default_rng([self._seed, view, int(which, 16)]),
            )
            for view in range(self._views)
        ]


class EncodedWindows:
    """The windows of a ``ClipCutter``, encoded."""

    def __init__(
        self, model: MultimodalFER, store: MediaStore, cutter: ClipCutter, folder: Path
    ) -> None:
        self._cutter = cutter
        self._features = _Features(model, store, folder, "windows")
        self._starts: dict[Item, list[float]] = {}

    def window(self, item: Item, start_s: float, wanted: Modalities) -> Sample:
        """The clip at ``start_s``, one of :meth:`starts`.

        Raises:
            UserError: the folder cannot be written, or the item not be read.
        """
        if item.face is not None:
            voice = self.window(voice_of(item), start_s, wanted)
            face = self.window(item.face, 0.0, wanted)
            return dataclasses.replace(voice.seeing(face), item=item)
        windows = self._features.of(item, self._cut)
        return _sample(item, windows, self.starts(item).index(start_s), wanted)

    def starts(self, item: Item) -> list[float]:
        """As :meth:`fer_core.data.clips.ClipCutter.starts`."""
        if item not in self._starts:
            self._starts[item] = self._cutter.starts(item)
        return self._starts[item]

    def _cut(self, item: Item) -> list[Sample]:
        return [self._cutter.window(item, start_s, Modalities()) for start_s in self.starts(item)]


def _sample(item: Item, encoded: Encoded, place: int, wanted: Modalities) -> Sample:
    """Of the samples in ``encoded`` the one at ``place``, with what is wanted."""
    wanted = wanted.of(item)
    sample = Sample(item, encoded["frame_mask"][place], encoded["audio_mask"][place])
    if wanted.audio:
        sample = dataclasses.replace(sample, steps=encoded["steps"][place])
    if wanted.video:
        sample = dataclasses.replace(sample, vectors=encoded["vectors"][place])
    return sample


def _name(store: MediaStore, item: Item) -> str:
    return f"{store.key(item)}\n{item.index}"


class _Features:
    """What was encoded, in memory and on disk."""

    def __init__(
        self,
        model: MultimodalFER,
        store: MediaStore,
        folder: Path,
        cut: str,
        functionals: bool = False,
    ) -> None:
        """``cut``: how the samples are cut, in words that name it; ``functionals``: keep them."""
        self._model, self._store, self._folder = model, store, folder
        self._functionals = functionals
        self._basis = f"{FORMAT}\n{cut}\n{encoder_digest(model)}"
        self._kept: dict[str, Encoded] = {}
        self._kept_bytes = 0

    def of(self, item: Item, cut: Callable[[Item], list[Sample]]) -> Encoded:
        """The samples that ``cut`` makes of an item."""
        whole = f"{self._basis}\n{_name(self._store, item)}"
        name = hashlib.sha256(whole.encode()).hexdigest()[:32]
        if name in self._kept:
            return self._kept[name]
        path = self._folder / f"{name}.safetensors"
        try:
            # Copies, because the file is mapped, and a process may map 65,530 at most.
            encoded = {key: tensor.clone() for key, tensor in load_file(path).items()}
        except (FileNotFoundError, SafetensorError):
            encoded = self._encode(cut(item))
            save_arrays({key: tensor.numpy() for key, tensor in encoded.items()}, path)
        size = sum(tensor.nbytes for tensor in encoded.values())
        if self._kept_bytes + size <= KEPT_BYTES:
            self._kept[name] = encoded
            self._kept_bytes += size
        return encoded

    @torch.no_grad()
    def _encode(self, samples: list[Sample]) -> Encoded:
        """V samples: steps (V, 38, Da), functionals (V, N), vectors (V, F, Dv) and both masks."""
        batch, model = collate(samples), self._model
        device = next(model.parameters()).device
        encoded = {"frame_mask": batch.frame_mask, "audio_mask": batch.audio_mask}
        modes = model.audio_branch.training, model.visual_branch.training
        model.audio_branch.eval()
        model.visual_branch.eval()
        if batch.spectra is not None:
            heard = batch.spectra.to(device), batch.audio_mask.to(device)
            encoded["steps"] = model.encode_audio(*heard)
            if self._functionals:
                encoded["functionals"] = model.audio_branch.whole_clip(*heard)
        if batch.pictures is not None and batch.rois is not None:
            features = model.encode_frames(
                batch.pictures.flatten(0, 1).to(device), batch.rois.flatten(0, 1).to(device)
            )
            encoded["vectors"] = features.vectors.unflatten(0, batch.pictures.shape[:2])
        model.audio_branch.train(modes[0])
        model.visual_branch.train(modes[1])
        return {key: tensor.cpu().contiguous() for key, tensor in encoded.items()}


def encoder_digest(model: MultimodalFER) -> str:
    """SHA-256 of what the two encoders are and weigh."""
    config = model.config
    shapes = [dataclasses.asdict(part) for part in (config.audio, config.vision, config.roi)]
    heard = dataclasses.asdict(config.thresholds)
    pooling_heads = model.visual_branch.pooling.heads
    digest = hashlib.sha256(json.dumps([shapes, heard, pooling_heads]).encode())
    for part in (model.audio_branch, model.visual_branch):
        for name, tensor in part.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
