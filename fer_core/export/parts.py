"""The three parts that live inference runs, each as a module of tensors in and tensors out.

``frame_encoder`` runs for new frames only, ``audio_encoder`` and ``decision`` once a hop; see
``fer_core.predictor``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

from fer_core.media import FRAMES_PER_CLIP, SEGMENTS
from fer_core.model.audio_branch import AudioBranch
from fer_core.model.inputs import AUDIO_STEPS, MEL_FRAMES, SPECTRA_BINS
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.roi_compression import central_roi
from fer_core.model.segment_pooling import seen_segments
from fer_core.model.temperature import calibrated_logits
from fer_core.model.visual_branch import VisualBranch
from fer_core.patches import IMAGE_SIZE

BATCH = "batch"  # the name of the dimension that is free in every file

Runner = Callable[..., tuple[Tensor, ...]]  # a part, in whichever form: tensors in, tensors out
Runners = Mapping[str, Runner]  # by the part's name


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: ``shape`` and ``meaning`` are for people, the first dimension is free."""

    name: str
    shape: str
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A module in evaluation mode, what goes in and out of it, and inputs to trace it with."""

    name: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    example: tuple[Tensor, ...]


class FrameEncoder(nn.Module):
    def __init__(self, branch: VisualBranch) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, pixels: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        features = self.branch(pixels, roi)
        return features.vectors, features.kept


class AudioEncoder(nn.Module):
    def __init__(self, branch: AudioBranch) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, spectra: Tensor, audio_mask: Tensor) -> tuple[Tensor]:
        return (self.branch(spectra, audio_mask),)


class Decision(nn.Module):
    def __init__(self, model: MultimodalFER) -> None:
        super().__init__()
        # Without the encoders, whose weights would be written into the file though nothing uses
        # them. The copy shares every tensor.
        self.model = copy.copy(model)
        self.model._modules = {
            name: part
            for name, part in model._modules.items()
            if name not in ("audio_branch", "visual_branch")
        }

    def forward(
        self, vectors: Tensor, frame_mask: Tensor, steps: Tensor, audio_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        output = self.model.decide(vectors, frame_mask, steps, audio_mask)
        logits, segment_logits = calibrated_logits(
            output.logits,
            output.segment_logits,
            audio_mask,
            seen_segments(frame_mask),
            self.model.config.temperatures,
        )
        return logits, segment_logits, output.segment_weights


def parts_of(model: MultimodalFER) -> tuple[Part, ...]:
    """Frame encoder, audio encoder and decision of ``model``, which is put in evaluation mode.

    They share its weights; ``model`` must be on the CPU.
    """
    model.eval()
    config = model.config
    seen, heard, steps = config.vision.width, config.audio.step_width, AUDIO_STEPS
    vectors = Port("vectors", f"({BATCH}, {seen}) float32", "what was seen in each frame")
    audio_mask = Port(
        "audio_mask", f"({BATCH}, {SEGMENTS}) bool", "segments with sound that counts"
    )
    audio_steps = Port("steps", f"({BATCH}, {steps}, {heard}) float32", "one every 80 ms")
    kept = model.visual_branch.compression.keep
    any_mask = torch.ones(2, SEGMENTS, dtype=torch.bool)
    return (
        Part(
            "frame_encoder",
            FrameEncoder(model.visual_branch).eval(),
            (
                Port(
                    "pixels", f"({BATCH}, 3, 224, 224) float32", "RGB of the square shown, -1 to 1"
                ),
                Port("roi", f"({BATCH}, 196) bool", "patches that the face covers, row-major"),
            ),
            (vectors, Port("kept", f"({BATCH}, {kept}) int64", "the patches kept, ascending")),
            (torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE), central_roi().repeat(2, 1)),
        ),
        Part(
            "audio_encoder",
            AudioEncoder(model.audio_branch).eval(),
            (
                Port(
                    "spectra",
                    f"({BATCH}, {MEL_FRAMES}, {SPECTRA_BINS}) float32",
                    "log-mel and log-pitch of 3 s at 16 kHz, not normalised",
                ),
                audio_mask,
            ),
            (audio_steps,),
            (torch.zeros(2, MEL_FRAMES, SPECTRA_BINS), any_mask),
        ),
        Part(
            "decision",
            Decision(model).eval(),
            (
                Port(
                    "vectors",
                    f"({BATCH}, {FRAMES_PER_CLIP}, {seen}) float32",
                    "of the clip's frames, in order; anything where hidden",
                ),
                Port("frame_mask", f"({BATCH}, {FRAMES_PER_CLIP}) bool", "frames with a face"),
                audio_steps,
                audio_mask,
            ),
            (
                Port("logits", f"({BATCH}, 8) float32", "of the clip, calibrated"),
                Port("segment_logits", f"({BATCH}, 8, 8) float32", "of each segment, likewise"),
                Port("segment_weights", f"({BATCH}, 8) float32", "share of each segment, sum 1"),
            ),
            (
                torch.zeros(2, FRAMES_PER_CLIP, seen),
                torch.ones(2, FRAMES_PER_CLIP, dtype=torch.bool),
                torch.zeros(2, steps, heard),
                any_mask,
            ),
        ),
    )


@contextmanager
def traceable(model: MultimodalFER) -> Iterator[None]:
    """While it lasts, ``model`` is written in operations that the exporters get right.

    ParakeetEncoder's attention exports in its plain form only, and ``take_along_dim`` would fix
    the batch size (torch 2.14); both stand-ins give the same numbers.
    """
    encoders: list[ParakeetEncoder] = list(model.audio_branch.encoders)
    usual = [encoder.config._attn_implementation for encoder in encoders]
    for encoder in encoders:
        encoder.set_attn_implementation("eager")
    try:
        with _GatherAlongDim():
            yield
    finally:
        for encoder, own in zip(encoders, usual, strict=True):
            encoder.set_attn_implementation(own)


class _GatherAlongDim(TorchFunctionMode):
    """``take_along_dim`` as ``gather``, which broadcasts nothing and so compares no sizes."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.take_along_dim:
            tensor, indices = args
            dim = kwargs["dim"]
            shape = list(tensor.shape)
            shape[dim] = indices.shape[dim]
            return tensor.gather(dim, indices.expand(shape))
        return func(*args, **kwargs)
