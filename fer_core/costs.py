"""What each part of a network costs: parameters, shape, operations and memory.

Built and run on torch's meta device, where tensors have shapes and no content, so that the
largest preset needs neither memory nor a download.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from fer_core.config import FERConfig
from fer_core.media import FRAMES_PER_CLIP, FRAMES_PER_SEGMENT, SEGMENTS
from fer_core.model.inputs import MEL_FRAMES, SPECTRA_BINS, ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.patches import IMAGE_SIZE, PATCHES

FLOAT_BYTES = 4
# A weight that is trained, its gradient, and AdamW's two running means of that.
TRAINED_FLOATS = 4


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part lies in the network."""

    name: str
    prefixes: tuple[str, ...]  # of its modules and parameters
    output: str  # the module whose (first) output is the part's
    per_frame: bool = False  # it runs for new frames only; the others run once a hop


# In the order of the data.
_PLACES = (
    _Place("audio encoder", ("audio_branch",), "audio_branch"),
    _Place("segment attention pooling", ("audio_pooling",), "audio_pooling"),
    _Place(
        "vision encoder",
        ("visual_branch.encoder",),
        "visual_branch.encoder",
        per_frame=True,
    ),
    _Place(
        "ROI token compression",
        ("visual_branch.compression",),
        "visual_branch.compression",
        per_frame=True,
    ),
    _Place("frame pooling", ("visual_branch.pooling",), "visual_branch.pooling", per_frame=True),
    _Place("temporal encoder", ("temporal_encoder",), "temporal_encoder"),
    _Place("segment mean pooling", ("video_pooling",), "video_pooling"),
    _Place(
        "gated projections",
        ("fusion.audio_projection", "fusion.video_projection", "fusion.type_embedding"),
        "fusion.audio_projection",
    ),
    _Place("joining", ("fusion.joining",), "fusion.joining"),
    _Place("projection", ("fusion.project",), "fusion.project"),
    _Place("classifier", ("classifier",), "classifier"),
    _Place("branch heads", ("audio_head", "video_head"), "video_head"),
)
_BETWEEN = "between the parts"
_CLIPS = 3  # any number that no other dimension has


@dataclass(frozen=True, slots=True)
class PartCosts:
    """One part, for one clip of 16 frames; ``shape`` is that of its output, B for the batch.

    Operations are floating-point ones of matrix products, convolutions and attention, two for a
    multiply-add; norms, activations and softmax are not counted.
    """

    name: str
    parameters: int
    trained: int  # of the parameters, those that are not frozen
    shape: str
    clip_operations: int
    hop_operations: int  # for two new frames; the other 14 are remembered
    inference_bytes: int  # the most that is alive at once while it runs, weights left out
    saved_bytes: int  # kept for the backward pass

    @property
    def weight_bytes(self) -> int:
        """In float32; in float16 half of it."""
        return FLOAT_BYTES * self.parameters

    def training_bytes(self, batch: int) -> int:
        """Weights, gradients, AdamW's states, and what ``batch`` clips keep for the backward pass.

        An estimate for float32. Attention maps are in it, which fused kernels do not keep;
        workspace and the process itself, 0.8 GB with torch and transformers, are not. Measured
        for compact at batch 1 and 4, on a CPU with AdamW: 1.08 and 1.55 GB, where this and the
        process give 1.1 and 1.4.
        """
        states = (TRAINED_FLOATS - 1) * FLOAT_BYTES * self.trained
        return self.weight_bytes + states + batch * self.saved_bytes


@cache  # full takes seconds, and a figure asks twice
def costs_of(config: FERConfig) -> tuple[PartCosts, ...]:
    """The parts of the network of ``config``; together they have all its parameters."""
    with torch.device("meta"):
        model = MultimodalFER(config)
    shapes: dict[str, str] = {}
    where: list[str] = [_BETWEEN]
    for place in _PLACES:
        model.get_submodule(place.output).register_forward_hook(_noting(shapes, place.name))
    _follow(model, where)
    with torch.device("meta"), torch.no_grad(), _Meter(model, where) as meter:
        model.eval()(_any_clips(_CLIPS))
    saved: Counter[str] = Counter()
    with torch.device("meta"), _saved_bytes(model, where, saved):
        output = model.train()(_any_clips(_CLIPS))
    del output
    return tuple(
        PartCosts(
            place.name,
            *_parameters(model, place),
            shapes[place.name],
            operations := meter.operations[place.name] // _CLIPS,
            operations * FRAMES_PER_SEGMENT // FRAMES_PER_CLIP if place.per_frame else operations,
            meter.peak[place.name] // _CLIPS,
            saved[place.name] // _CLIPS,
        )
        for place in _PLACES
    )


def _parameters(model: nn.Module, place: _Place) -> tuple[int, int]:
    own = [p for name, p in model.named_parameters() if _belongs(name, place)]
    return sum(p.numel() for p in own), sum(p.numel() for p in own if p.requires_grad)


def _belongs(name: str, place: _Place) -> bool:
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in place.prefixes)


def _follow(model: nn.Module, where: list[str]) -> None:
    """Keep the part that is running at the end of ``where``."""

    def enter(name: str) -> Any:
        return lambda module, args: where.append(name)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        where.pop()

    for name, module in model.named_modules():
        place = next((place for place in _PLACES if _belongs(name, place)), None)
        if place is not None:
            module.register_forward_pre_hook(enter(place.name))
            module.register_forward_hook(leave)


class _Meter(TorchDispatchMode):
    """Counts the operations of each part, and the most bytes alive while it runs."""

    def __init__(self, model: nn.Module, where: list[str]) -> None:
        super().__init__()
        # Kept, so that a view of a weight is known to be no new memory.
        weights = [*model.parameters(), *model.buffers()]
        self._weights = {id(storage): storage for storage in map(Tensor.untyped_storage, weights)}
        self.operations: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self._where = where
        self._alive: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        part = self._where[-1]
        if (count := flop_registry.get(func._overloadpacket)) is not None:
            self.operations[part] += count(*args, **kwargs, out_val=out)
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._remember(tensor)
        self.peak[part] = max(self.peak[part], sum(self._alive.values()))
        return out

    def _remember(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = id(storage)
        if key not in self._alive and key not in self._weights:
            self._alive[key] = storage.nbytes()
            weakref.finalize(storage, self._alive.pop, key, None)


@contextmanager
def _saved_bytes(model: nn.Module, where: list[str], saved: Counter[str]) -> Iterator[None]:
    """Add up what autograd keeps, once each, without the weights."""
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights and storage._cdata not in kept:
            kept[storage._cdata] = tensor
            saved[where[-1]] += storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        yield


def _any_clips(clips: int) -> ModelInputs:
    return ModelInputs(
        pixels=torch.zeros(clips, FRAMES_PER_CLIP, 3, IMAGE_SIZE, IMAGE_SIZE),
        frame_mask=torch.ones(clips, FRAMES_PER_CLIP, dtype=torch.bool),
        roi=torch.ones(clips, FRAMES_PER_CLIP, PATCHES, dtype=torch.bool),
        spectra=torch.zeros(clips, MEL_FRAMES, SPECTRA_BINS),
        audio_mask=torch.ones(clips, SEGMENTS, dtype=torch.bool),
    )


def _noting(shapes: dict[str, str], name: str) -> Any:
    """A forward hook that writes down the shape of the (first) output."""

    def note(module: nn.Module, args: Any, output: Tensor | tuple[Tensor, ...]) -> None:
        first = output if isinstance(output, Tensor) else output[0]
        batch, *rest = first.shape
        frames = [] if batch == _CLIPS else [FRAMES_PER_CLIP]
        shapes.setdefault(name, f"(B, {', '.join(map(str, frames + rest))})")

    return note
