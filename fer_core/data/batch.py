"""What training gives to the network at each step.

Pictures and sound may already be encoded: with frozen encoders they are, from the second epoch on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from fer_core.data.item import Item
from fer_core.data.targets import Targets
from fer_core.model.inputs import AUDIO_SUBSAMPLING, LOG_FLOOR, MEL_HOP_MS, segment_of

CONTENTS = ("pictures", "rois", "vectors", "spectra", "steps")


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip of an item. F is 16, or 1 for a still, which then fills all 16 places.

    Exactly one of ``pictures`` and ``vectors`` is there, and of ``spectra`` and ``steps``, unless
    the stage does not look, or does not listen, at all.
    """

    item: Item
    frame_mask: Tensor  # (16,) bool
    audio_mask: Tensor  # (8,) bool
    pictures: Tensor | None = None  # (F, 3, 224, 224), -1 to 1
    rois: Tensor | None = None  # (F, 196) bool
    vectors: Tensor | None = None  # (F, Dv)
    spectra: Tensor | None = None  # (301, 160), natural log
    steps: Tensor | None = None  # (38, Da)
    voice: Item | None = None  # whose sound it is, if not the item's own
    face: Item | None = None  # whose pictures they are, if not the item's own

    def seeing(self, face: Sample) -> Sample:
        """This sample's sound with the pictures of another."""
        return replace(
            self,
            frame_mask=face.frame_mask,
            pictures=face.pictures,
            rois=face.rois,
            vectors=face.vectors,
            face=face.face or face.item,
        )

    def without_picture(self) -> Sample:
        """Without its pictures; the label is then that of its sound."""
        hidden = torch.zeros_like(self.frame_mask)
        return replace(self, frame_mask=hidden, item=self.voice or self.item)

    def without_sound(self, face: Item | None) -> Sample:
        """Without its sound; the label is then that of ``face``, if the pictures are its."""
        hidden = torch.zeros_like(self.audio_mask)
        return replace(self, audio_mask=hidden, item=face or self.item)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples of one kind, stacked; the same fields with a leading B."""

    targets: Targets
    heard: Targets  # the labels of the sound alone, in a pair another person's than the pictures'
    shown: Targets  # and of the pictures alone
    frame_mask: Tensor
    audio_mask: Tensor
    pictures: Tensor | None
    rois: Tensor | None
    vectors: Tensor | None
    spectra: Tensor | None
    steps: Tensor | None

    def __len__(self) -> int:
        return len(self.frame_mask)

    def without_hidden(self) -> Batch:
        """Nothing where the masks hide something: zeros, and in the spectra digital silence.

        The network does so by itself; clips that are mixed would show it to each other before.
        """

        def seen(values: Tensor | None) -> Tensor | None:  # (B, F, ...)
            if values is None:
                return None
            mask = self.frame_mask[:, : values.shape[1]]
            mask = mask.view(*mask.shape, *(1 for _ in values.shape[2:]))
            return torch.where(mask, values, torch.zeros_like(values))

        def heard(values: Tensor | None, hop_ms: int, silence: float) -> Tensor | None:
            if values is None:  # or (B, time, D)
                return None
            time_ms = hop_ms * torch.arange(values.shape[1], device=values.device)
            mask = self.audio_mask[:, segment_of(time_ms)].unsqueeze(-1)
            return torch.where(mask, values, silence)

        return replace(
            self,
            pictures=seen(self.pictures),
            rois=seen(self.rois),
            vectors=seen(self.vectors),
            spectra=heard(self.spectra, MEL_HOP_MS, LOG_FLOOR),
            steps=heard(self.steps, AUDIO_SUBSAMPLING * MEL_HOP_MS, 0.0),
        )

    def to(self, device: torch.device, **_: object) -> Batch:
        """On ``device``; Lightning calls it."""
        there = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self, **{name: value.to(device) for name, value in there.items() if value is not None}
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack ``samples``; what only some of them have is zeros in the others, behind their masks."""
    return Batch(
        Targets.of([sample.item for sample in samples]),
        Targets.of([sample.voice or sample.item for sample in samples]),
        Targets.of([sample.face or sample.item for sample in samples]),
        torch.stack([sample.frame_mask for sample in samples]),
        torch.stack([sample.audio_mask for sample in samples]),
        *(_stacked([getattr(sample, name) for sample in samples]) for name in CONTENTS),
    )


def _stacked(values: Sequence[Tensor | None]) -> Tensor | None:
    there = [value for value in values if value is not None]
    if not there:
        return None
    largest = max(there, key=len)  # a still has one picture, a recording sixteen
    filled = [torch.zeros_like(largest) if value is None else value for value in values]
    return torch.stack([value.expand_as(largest) for value in filled])
