"""Tables of what networks cost, for the terminal, the README and the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from fer_core.config import PRESETS, FERConfig
from fer_core.costs import PartCosts, costs_of

MEMORY_BATCHES = (1, 4, 16)
_MEGA, _GIGA = 1e6, 1e9


def as_text(config: FERConfig, batch: int = 4) -> str:
    """The summary of one network for a terminal; ``batch`` is that of the training."""
    parts = costs_of(config)
    figures = [_figures(part, batch) for part in parts]
    totals = [sum(column) for column in zip(*figures, strict=True)]
    totals[_WORKING] = max(part.inference_bytes for part in parts) / _MEGA
    table: list[tuple[str, ...]] = [
        ("", "", "", "GFLOP", "GFLOP", "MB", "MB", "MB", "MB to train"),
        (
            "part",
            "parameters",
            "gives",
            "a clip",
            "a hop",
            "fp32",
            "fp16",
            "working",
            f"at {batch}",
        ),
    ]
    for part, row in zip(parts, figures, strict=True):
        table.append((part.name, f"{part.parameters:,}", part.shape, *_formatted(row)))
    everything = sum(part.parameters for part in parts)
    table.append(("all", f"{everything:,}", "", *_formatted(totals)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join([*lines, "", *_EXPLANATION])


_WORKING = 4  # of the figures: the only one whose total is no sum


def _figures(part: PartCosts, batch: int) -> tuple[float, ...]:
    return (
        part.clip_operations / _GIGA,
        part.hop_operations / _GIGA,
        part.weight_bytes / _MEGA,
        part.weight_bytes / 2 / _MEGA,
        part.inference_bytes / _MEGA,
        part.training_bytes(batch) / _MEGA,
    )


def _formatted(figures: Iterable[float]) -> list[str]:
    formats = ("{:.3f}", "{:.3f}", "{:.1f}", "{:.1f}", "{:.1f}", "{:,.0f}")
    return [form.format(figure) for form, figure in zip(formats, figures, strict=True)]


_EXPLANATION = (
    "GFLOP: 1e9 operations of matrix products, convolutions and attention, two a multiply-add.",
    "A clip has 16 frames; a hop brings two new ones, the other 14 are remembered.",
    "Working: the most that is alive at once for one clip, weights left out (all: the largest).",
    "To train: weights, gradients, AdamW's states and what is kept for the backward pass, float32;",
    "an estimate, to which the process itself adds about 0.8 GB.",
)


def as_markdown() -> str:
    """The table of all presets for the README."""
    summaries = [costs_of(FERConfig.preset(preset)) for preset in PRESETS]
    lines = [
        "| part | " + " | ".join(PRESETS) + " |",
        "|---|" + "---|" * len(PRESETS),
    ]
    for row in zip(*summaries, strict=True):
        cells = (f"{short(part.parameters)} → {part.shape}" for part in row)
        lines.append(f"| {row[0].name} | " + " | ".join(cells) + " |")
    totals = (short(sum(part.parameters for part in summary)) for summary in summaries)
    lines.append("| **all** | " + " | ".join(f"**{total}**" for total in totals) + " |")
    return "\n".join(lines)


def memory_markdown() -> str:
    """What training and running each preset needs, for docs/troubleshooting.md."""
    lines = [
        "| preset | weights | working, one clip | "
        + " | ".join(f"training, batch {batch}" for batch in MEMORY_BATCHES)
        + " |",
        "|---|---|---|" + "---|" * len(MEMORY_BATCHES),
    ]
    for preset in PRESETS:
        parts = costs_of(FERConfig.preset(preset))
        cells = [
            preset,
            f"{sum(part.weight_bytes for part in parts) / _GIGA:.2f} GB",
            f"{max(part.inference_bytes for part in parts) / _GIGA:.2f} GB",
            *(f"{training_bytes(parts, batch) / _GIGA:.1f} GB" for batch in MEMORY_BATCHES),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def training_bytes(parts: Iterable[PartCosts], batch: int) -> int:
    """Of the whole network; an estimate, see :meth:`PartCosts.training_bytes`."""
    return sum(part.training_bytes(batch) for part in parts)


def short(count: int) -> str:
    """2.1 M or 23.6 k."""
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count / 1e3:.1f} k"
