"""The network as a figure, drawn from what the code itself says of each part's shape and size."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from fer_core.config import AudioEncoder, FERConfig
from fer_core.costs import PartCosts, costs_of
from fer_core.errors import UserError
from fer_core.labels import CLASSES
from fer_core.media import (
    CLIP_SAMPLES,
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    FRAMES_PER_SEGMENT,
    SEGMENTS,
    TICK_SECONDS,
)
from fer_core.model.inputs import AUDIO_STEPS, MEL_FRAMES, SPECTRA_BINS
from fer_core.patches import GRID, IMAGE_SIZE, PATCHES, ROI_SIDE
from fer_core.training.summary import short

Lane = Literal["audio", "video", "joint"]


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the figure; ``shape`` is written on the arrow that leaves it."""

    name: str
    method: str
    lane: Lane
    shape: str
    size: str = ""  # parameters and operations a hop; nothing for inputs


def boxes_of(config: FERConfig) -> list[Box]:
    """The inputs and parts of the network of ``config``, in the order of the data in each lane."""
    frames = f"(B, {FRAMES_PER_CLIP}, 3, {IMAGE_SIZE}, {IMAGE_SIZE})"
    inputs = [
        Box("waveform", f"{CLIP_SECONDS:g} s at 16 kHz", "audio", f"(B, {CLIP_SAMPLES})"),
        Box("log-mel and pitch", "every 10 ms", "audio", f"(B, {MEL_FRAMES}, {SPECTRA_BINS})"),
        Box(
            "face",
            f"{FRAMES_PER_CLIP} frames, one every {1000 * TICK_SECONDS:g} ms",
            "video",
            frames,
        ),
    ]
    parts = [
        Box(part.name, _method(config, part.name), _LANES.get(part.name, "joint"), part.shape, size)
        for part in costs_of(config)
        for size in [_size(part)]
    ]
    return [*inputs, *parts]


_LANES: dict[str, Lane] = {
    "audio encoder": "audio",
    "segment attention pooling": "audio",
    "vision encoder": "video",
    "ROI token compression": "video",
    "frame pooling": "video",
    "temporal encoder": "video",
    "segment mean pooling": "video",
}


_ENCODERS: dict[AudioEncoder, str] = {
    "fastconformer": "FastConformer",
    "stemmed": "stemmed FastConformer",
    "convolutional": "convolutions",
}


def _size(part: PartCosts) -> str:
    if part.hop_operations < 5e7:
        return short(part.parameters)
    return f"{short(part.parameters)}   {part.hop_operations / 1e9:.2f} GFLOP a hop"


def _method(config: FERConfig, part: str) -> str:
    audio, vision, temporal = config.audio, config.vision, config.temporal
    fusion = config.fusion
    stem = "convolutional stem, " if vision.stem == "conv" else ""
    kept = {
        "after": f"the {config.roi.keep} most important of {PATCHES}, 4 that summarise all",
        "early": f"the face's {config.roi.keep} alone, and 4 that summarise them",
        "none": f"all {PATCHES} patches, 4 that summarise them",
    }
    joining = {
        "lfm2": f"LFM2, {fusion.layers} layers, over a1 v1 a2 v2 ...",
        "attention": f"cross-modal attention, {fusion.layers} layers",
        "concat": "side by side, one layer",
        "late": "the mean of what is present",
    }
    widths = "-".join(map(str, (fusion.out, *config.classifier.hidden, CLASSES)))
    return {
        "audio encoder": " + ".join(
            f"{count} {_ENCODERS[kind]}" if count > 1 else _ENCODERS[kind]
            for kind, count in Counter(audio.encoders).items()
        )
        + f", layers of {audio.heads} heads: {audio.layers}"
        + (" + functionals" if audio.functionals else ""),
        "segment attention pooling": f"{SEGMENTS} learned queries over {AUDIO_STEPS} steps",
        "vision encoder": f"{stem}transformer, {vision.layers} layers, {vision.heads} heads",
        "ROI token compression": kept[config.roi.place],
        "frame pooling": "one learned query for a frame",
        "temporal encoder": (
            f"{temporal.conv_layers} gated convolutions, {temporal.attention_layers} attention"
        ),
        "segment mean pooling": f"of a segment's {FRAMES_PER_SEGMENT} frames",
        "gated projections": "both to one width, marked by a type embedding",
        "joining": joining[fusion.kind],
        "projection": "LayerNorm, Linear, GELU",
        "classifier": f"{config.classifier.pooling} pooling, MLP {widths}",
        "branch heads": "each branch's own answer, added",
    }[part]


# Layout, in units of a hundredth of an inch and a bit: 110 are 10.2 inches.
WIDTH, MARGIN, TOP = 110.0, 4.0, 9.5
BOX_WIDTH, BOX_HEIGHT, STEP = 44.0, 6.6, 10.4
CELL = 0.36  # of the drawn grid of patches
_X: dict[Lane, float] = {
    "audio": MARGIN + BOX_WIDTH / 2,
    "video": WIDTH - MARGIN - BOX_WIDTH / 2,
    "joint": WIDTH / 2,
}
# The row of each box. Both lanes end in the same row, so that they meet side by side.
_ROWS = {
    "waveform": 0,
    "log-mel and pitch": 5 / 3,
    "audio encoder": 10 / 3,
    "segment attention pooling": 5,
    "face": 0,
    "vision encoder": 1,
    "ROI token compression": 2,
    "frame pooling": 3,
    "temporal encoder": 4,
    "segment mean pooling": 5,
    "gated projections": 6.25,
    "joining": 7.25,
    "projection": 8.25,
    "classifier": 9.25,
    "branch heads": 10.25,
}
_INK, _GREY, _LINE = "#1d2733", "#566474", "#7b8794"
_FILL: dict[Lane, str] = {"audio": "#fdeedd", "video": "#e3edfb", "joint": "#e9f4e7"}
_EDGE: dict[Lane, str] = {"audio": "#d4832f", "video": "#4479c4", "joint": "#4f934a"}


def draw(config: FERConfig, path: Path) -> None:
    """Draw the network of ``config``; the suffix of ``path`` says how: .svg, .png or .pdf.

    An SVG holds the boxes as JSON in its description.

    Raises:
        UserError: the file cannot be written.
    """
    boxes = boxes_of(config)
    figure = Figure(facecolor="white")
    height = TOP + STEP * max(_ROWS.values()) + BOX_HEIGHT + 9.5
    figure.set_size_inches(10.2, 10.2 * height / WIDTH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    axes.text(MARGIN, 5.0, f"{config.name}", size=19, weight="bold", color=_INK, va="center")
    axes.text(WIDTH - MARGIN, 5.0, _total(config), size=11, color=_GREY, va="center", ha="right")
    lanes: dict[Lane, list[Box]] = {"audio": [], "video": [], "joint": []}
    for box in boxes:
        lanes[box.lane].append(box)
        _draw_box(axes, box)
    for lane in lanes.values():
        for above, below in itertools.pairwise(lane):
            _draw_arrow(axes, above.shape, _bottom(above), _top(below))
    for lane in (lanes["audio"], lanes["video"]):
        _draw_meeting(axes, lane[-1], lanes["joint"][0])
    _draw_answers(axes, *lanes["joint"][-2:])
    _draw_once_a_frame(axes, lanes["video"])
    _draw_kept_patches(axes, lanes["video"], config)
    _draw_interleaved(axes, lanes["joint"])
    axes.text(MARGIN, height - 5.5, "B: clips in a batch", size=8.8, color=_GREY, va="center")
    notes = {"Description": json.dumps([asdict(box) for box in boxes]), "Date": None}
    try:
        with rc_context({"svg.hashsalt": "fer"}):  # equal networks, equal files
            figure.savefig(path, dpi=160, metadata=notes if path.suffix == ".svg" else None)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The figure could not be written: {error}.", "Name a file that ends in .svg or .png."
        ) from error


def _total(config: FERConfig) -> str:
    parts = costs_of(config)
    parameters = sum(part.parameters for part in parts)
    operations = sum(part.hop_operations for part in parts)
    return f"{short(parameters)} parameters, {operations / 1e9:.1f} GFLOP a hop"


def _middle(box: Box) -> float:
    return TOP + BOX_HEIGHT / 2 + STEP * _ROWS[box.name]


def _top(box: Box) -> tuple[float, float]:
    return _X[box.lane], _middle(box) - BOX_HEIGHT / 2


def _bottom(box: Box) -> tuple[float, float]:
    return _X[box.lane], _middle(box) + BOX_HEIGHT / 2


def _draw_box(axes: Axes, box: Box) -> None:
    x, y = _X[box.lane], _middle(box)
    axes.add_patch(
        FancyBboxPatch(
            (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2),
            BOX_WIDTH,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=1.0",
            facecolor=_FILL[box.lane],
            edgecolor=_EDGE[box.lane],
            linewidth=1.2,
        )
    )
    left, right = x - BOX_WIDTH / 2 + 1.5, x + BOX_WIDTH / 2 - 1.5
    if box.name == "ROI token compression":  # the grid of patches stands there
        right -= GRID * CELL + 0.3
    axes.text(left, y - 1.35, box.name, size=11, weight="bold", color=_INK, va="center")
    axes.text(left, y + 1.55, box.method, size=8.8, color=_GREY, va="center")
    axes.text(right, y - 1.35, box.size, size=8.8, color=_INK, va="center", ha="right")


def _draw_arrow(
    axes: Axes, shape: str, start: tuple[float, float], end: tuple[float, float]
) -> None:
    axes.annotate("", end, start, arrowprops=_ARROW)
    middle = (start[1] + end[1]) / 2
    axes.text(start[0] + 1.4, middle, shape, size=9, color=_INK, va="center", family="monospace")


_ARROW = {"arrowstyle": "-|>", "color": _LINE, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}


def _draw_meeting(axes: Axes, last: Box, first: Box) -> None:
    """From the end of a lane down and inwards to the first common box."""
    x, y = _bottom(last)
    aside = -1 if last.lane == "audio" else 1
    side = _X["joint"] + aside * BOX_WIDTH / 2
    axes.plot([x, x], [y, _middle(first)], color=_LINE, linewidth=1.3)
    axes.annotate("", (side, _middle(first)), (x, _middle(first)), arrowprops=_ARROW)
    shape_x, ha = (x - 1.4, "right") if aside < 0 else (x + 1.4, "left")
    axes.text(
        shape_x, y + 2.0, last.shape, size=9, color=_INK, va="center", ha=ha, family="monospace"
    )


def _draw_answers(axes: Axes, classifier: Box, heads: Box) -> None:
    x, y = _bottom(heads)
    answers = (
        (-BOX_WIDTH / 4, classifier.shape, "the clip's emotion"),
        (BOX_WIDTH / 4, heads.shape, "each segment's emotion"),
    )
    for aside, shape, meaning in answers:
        axes.annotate("", (x + aside, y + 3.4), (x + aside, y), arrowprops=_ARROW)
        axes.text(x + aside, y + 4.9, shape, size=9, ha="center", va="center", family="monospace")
        axes.text(x + aside, y + 7.0, meaning, size=8.8, color=_GREY, ha="center", va="center")


def _draw_once_a_frame(axes: Axes, video: Sequence[Box]) -> None:
    """A bracket beside what is run for new frames only."""
    own = [box for box in video if box.name in ("vision encoder", "frame pooling")]
    x = _X["video"] - BOX_WIDTH / 2 - 2.0
    top, bottom = _top(own[0])[1], _bottom(own[-1])[1]
    axes.plot([x + 1, x, x, x + 1], [top, top, bottom, bottom], color=_EDGE["video"], linewidth=1.3)
    text = "once for each frame, then remembered"
    middle = (top + bottom) / 2
    axes.text(x - 1.5, middle, text, size=9, color=_EDGE["video"], rotation=90, **_CENTRED)


_CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}


def _draw_kept_patches(axes: Axes, video: Sequence[Box], config: FERConfig) -> None:
    """The grid of patches, the face's in colour, above what chooses among them."""
    box = next(box for box in video if box.name == "ROI token compression")
    left = _X["video"] + BOX_WIDTH / 2 - GRID * CELL - 0.9
    top = _middle(box) - GRID * CELL / 2
    first = (GRID - ROI_SIDE) // 2
    inside = range(first, first + ROI_SIDE)
    for row, column in itertools.product(range(GRID), repeat=2):
        face = config.roi.place == "none" or (row in inside and column in inside)
        axes.add_patch(
            Rectangle(
                (left + column * CELL, top + row * CELL),
                CELL,
                CELL,
                facecolor="#8fb2e3" if face else "white",
                edgecolor=_EDGE["video"],
                linewidth=0.35,
            )
        )


def _draw_interleaved(axes: Axes, joint: Sequence[Box]) -> None:
    """a1 v1 a2 v2 ... beside the joining."""
    box = next(box for box in joint if box.name == "joining")
    cell, gap = 1.35, 0.25
    left = _X["joint"] + BOX_WIDTH / 2 + 1.6
    for place in range(2 * SEGMENTS):
        lane: Lane = "video" if place % 2 else "audio"
        x = left + place * (cell + gap)
        axes.add_patch(
            Rectangle(
                (x, _middle(box) - cell / 2),
                cell,
                cell,
                facecolor=_FILL[lane],
                edgecolor=_EDGE[lane],
                linewidth=0.9,
            )
        )
    text = f"{SEGMENTS} segments, heard and seen"
    axes.text(left, _middle(box) + 2.6, text, size=8.8, color=_GREY, va="center")
