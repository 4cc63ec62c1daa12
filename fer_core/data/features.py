"""Samples as frozen encoders see them, encoded once and kept on disk.

With frozen encoders an epoch would decode, vary and encode what an earlier one did. So each item is
encoded in a number of varied views, the samples of that many epochs, and later epochs take them
again. The files are named by the prepared item, the augmentation and the encoders' weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
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
from fer_core.data.store import MediaStore, save_arrays
from fer_core.model.multimodal_fer import MultimodalFER


class EncodedSamples:
    """A source of samples with ``steps`` and ``vectors`` in place of ``mel`` and ``pictures``."""

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
        self._model = model
        self._store, self._cutter, self._how = store, cutter, how
        self._folder, self._views, self._seed = folder, views, seed
        variation = None if how is None else dataclasses.asdict(how)
        basis = json.dumps([variation, views, seed, encoder_digest(model)])
        self._basis = hashlib.sha256(basis.encode()).hexdigest()
        self._kept: dict[str, dict[str, Tensor]] = {}

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
        """View ``epoch % views`` of ``item``.

        Raises:
            UserError: the folder cannot be written, or the item not be read.
        """
        views, view = self._encoded(item), epoch % self._views
        wanted = wanted.of(item)
        sample = Sample(item, views["frame_mask"][view], views["audio_mask"][view])
        if wanted.audio:
            sample = dataclasses.replace(sample, steps=views["steps"][view])
        if wanted.video:
            vectors = views["vectors"]
            if item.kind == "still":
                # A face that does not move at all is none: every place shows some view of it.
                others = rng.integers(0, self._views, size=len(sample.frame_mask))
                still = rng.random(len(sample.frame_mask)) < 0.5
                sample = dataclasses.replace(
                    sample, vectors=vectors[np.where(still, view, others), 0]
                )
            else:
                sample = dataclasses.replace(sample, vectors=vectors[view])
        return sample

    def _encoded(self, item: Item) -> dict[str, Tensor]:
        name = f"{item.key}\n{item.path}" if item.kind == "still" else self._store.key(item)
        name = hashlib.sha256(f"{self._basis}\n{name}\n{item.index}".encode()).hexdigest()[:32]
        if name not in self._kept:
            path = self._folder / f"{name}.safetensors"
            try:
                self._kept[name] = load_file(path)
            except (FileNotFoundError, SafetensorError):
                self._kept[name] = self._encode(item, name)
                save_arrays({key: t.numpy() for key, t in self._kept[name].items()}, path)
        return self._kept[name]

    @torch.no_grad()
    def _encode(self, item: Item, name: str) -> dict[str, Tensor]:
        """All views of ``item``: steps (V, 38, Da) and vectors (V, F, Dv), if any, and masks."""
        samples = []
        for view in range(self._views):
            rng = np.random.default_rng([self._seed, view, int(name[:8], 16)])
            samples.append(self._cutter.varied(item, Modalities(), self._how, rng))
        batch = collate(samples)
        device = next(self._model.parameters()).device
        training = self._model.training
        self._model.eval()
        encoded = {"frame_mask": batch.frame_mask, "audio_mask": batch.audio_mask}
        if batch.mel is not None:
            encoded["steps"] = self._model.encode_audio(
                batch.mel.to(device), batch.audio_mask.to(device)
            )
        if batch.pictures is not None and batch.rois is not None:
            features = self._model.encode_frames(
                batch.pictures.flatten(0, 1).to(device), batch.rois.flatten(0, 1).to(device)
            )
            encoded["vectors"] = features.vectors.unflatten(0, batch.pictures.shape[:2])
        self._model.train(training)
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
