"""What a network is made of: each part's true parameter count and the shape of what it gives.

Built and run on torch's meta device, where tensors have shapes and no content, so that the
largest preset needs neither memory nor a download.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fer_core.config import PRESETS, FERConfig
from fer_core.media import FRAMES_PER_CLIP, SEGMENTS
from fer_core.model.inputs import MEL_BINS, MEL_FRAMES, ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.patches import IMAGE_SIZE, PATCHES

# Name, where its parameters lie, and the module whose output is its own; in the order of the data.
_PARTS = (
    ("audio encoder", ("audio_branch.",), "audio_branch"),
    ("segment attention pooling", ("audio_pooling.",), "audio_pooling"),
    ("vision encoder", ("visual_branch.encoder.",), "visual_branch.encoder.post_layernorm"),
    ("ROI token compression", ("visual_branch.compression.",), "visual_branch.compression"),
    ("frame pooling", ("visual_branch.pooling.",), "visual_branch.pooling"),
    ("temporal encoder", ("temporal_encoder.",), "temporal_encoder"),
    ("segment mean pooling", ("video_pooling.",), "video_pooling"),
    (
        "gated projections",
        ("fusion.audio_projection.", "fusion.video_projection.", "fusion.type_embedding"),
        "fusion.audio_projection",
    ),
    ("joining", ("fusion.joining.",), "fusion.joining"),
    ("projection", ("fusion.project.",), "fusion.project"),
    ("classifier", ("classifier.",), "classifier"),
)
_CLIPS = 3  # any number that no other dimension has


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One row: ``shape`` is written with B for the batch."""

    name: str
    parameters: int
    shape: str


def summarise(config: FERConfig) -> list[PartSummary]:
    """The parts of the network of ``config``; together they have all its parameters."""
    with torch.device("meta"):
        model = MultimodalFER(config).eval()
        inputs = _any_clips()
    shapes: dict[str, str] = {}
    for _, _, path in _PARTS:
        model.get_submodule(path).register_forward_hook(_noting(shapes, path))
    with torch.no_grad():
        model(inputs)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return [
        PartSummary(
            name, sum(size for key, size in sizes.items() if key.startswith(prefixes)), shapes[path]
        )
        for name, prefixes, path in _PARTS
    ]


def as_text(config: FERConfig) -> str:
    """The summary of one network for a terminal."""
    parts = summarise(config)
    rows = [(part.name, f"{part.parameters:,}", part.shape) for part in parts]
    total = sum(part.parameters for part in parts)
    rows.append(("all", f"{total:,}", ""))
    return "\n".join(f"{name:<26}{count:>13}  {shape}".rstrip() for name, count, shape in rows)


def as_markdown() -> str:
    """The table of all presets for the README."""
    summaries = [summarise(FERConfig.preset(preset)) for preset in PRESETS]
    lines = [
        "| part | " + " | ".join(PRESETS) + " |",
        "|---|" + "---|" * len(PRESETS),
    ]
    for row in zip(*summaries, strict=True):
        cells = (f"{_short(part.parameters)} → {part.shape}" for part in row)
        lines.append(f"| {row[0].name} | " + " | ".join(cells) + " |")
    totals = (_short(sum(part.parameters for part in summary)) for summary in summaries)
    lines.append("| **all** | " + " | ".join(f"**{total}**" for total in totals) + " |")
    return "\n".join(lines)


def _short(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count / 1e3:.1f} k"


def _any_clips() -> ModelInputs:
    return ModelInputs(
        pixels=torch.zeros(_CLIPS, FRAMES_PER_CLIP, 3, IMAGE_SIZE, IMAGE_SIZE),
        frame_mask=torch.ones(_CLIPS, FRAMES_PER_CLIP, dtype=torch.bool),
        roi=torch.ones(_CLIPS, FRAMES_PER_CLIP, PATCHES, dtype=torch.bool),
        mel=torch.zeros(_CLIPS, MEL_FRAMES, MEL_BINS),
        audio_mask=torch.ones(_CLIPS, SEGMENTS, dtype=torch.bool),
    )


def _noting(shapes: dict[str, str], path: str) -> Any:
    """A forward hook that writes down the shape of the (first) output."""

    def note(module: nn.Module, args: Any, output: Tensor | tuple[Tensor, ...]) -> None:
        first = output if isinstance(output, Tensor) else output[0]
        batch, *rest = first.shape
        frames = [] if batch == _CLIPS else [FRAMES_PER_CLIP]
        shapes[path] = f"(B, {', '.join(map(str, frames + rest))})"

    return note
