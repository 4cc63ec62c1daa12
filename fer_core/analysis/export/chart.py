"""A timeline as a picture: shares of the emotions over time, and lanes for speech and face."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from fer_core.analysis.export.cues import clock
from fer_core.analysis.timeline import Timeline
from fer_core.labels import EMOTIONS
from fer_core.palette import ON_LIGHT

DPI = 120
GREY = ON_LIGHT[0]
MOST_STEPS = 1500  # more than a picture of 1440 pixels shows; an hour has 9600 segments
LONG_SECONDS = 120  # from here on the axis shows a clock
CLOCK_STEPS = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)  # between its ticks, seconds
MOST_TICKS = 9


def as_png(timeline: Timeline) -> bytes:
    picture = io.BytesIO()
    timeline_figure(timeline).savefig(picture, dpi=DPI, format="png")
    return picture.getvalue()


def as_svg(timeline: Timeline) -> bytes:
    """Text stays text, and the same timeline gives the same bytes."""
    picture = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "timeline"}):
        timeline_figure(timeline).savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()


def timeline_figure(timeline: Timeline) -> Figure:
    """Blank where nothing was heard or seen."""
    edges, shares, spoken, seen = _steps(timeline)
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    emotions, speech, face = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": (8, 1, 1)}
    )
    tops = np.concatenate([np.zeros((len(shares), 1)), shares.cumsum(axis=1)], axis=1)
    for number, (label, colour) in enumerate(zip(EMOTIONS, ON_LIGHT, strict=True)):
        emotions.stairs(
            tops[:, number + 1], edges, baseline=tops[:, number],
            fill=True, color=colour, label=label,
        )  # fmt: skip
    emotions.set(ylim=(0, 1), ylabel="probability", xlim=(0, edges[-1]))
    emotions.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)
    speech.stairs(spoken, edges, fill=True, color=GREY)
    face.stairs(seen, edges, fill=True, color=GREY)
    for lane, name in ((speech, "speech"), (face, "face")):
        lane.set(ylim=(0, 1), yticks=())
        lane.set_ylabel(name, rotation=0, ha="right", va="center")
    for marker in timeline.markers:
        for axes in (emotions, speech, face):
            axes.axvline(marker.time_s, color="black", linestyle="--", linewidth=0.8)
    if edges[-1] < LONG_SECONDS:
        face.set_xlabel("seconds")
    else:
        step_s = next((s for s in CLOCK_STEPS if edges[-1] <= MOST_TICKS * s), CLOCK_STEPS[-1])
        face.xaxis.set_major_locator(MultipleLocator(step_s))
        face.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: clock(time_s, ".")[:8]))
    return figure


def _steps(timeline: Timeline) -> tuple[NDArray[np.float64], ...]:
    """Edges (n + 1,), and between them shares (n, 8), speech and face (n,): means of segments."""
    segments = timeline.segments
    firsts = np.arange(0, len(segments), -(-len(segments) // MOST_STEPS))
    edges = np.array([*(segments[i].start_s for i in firsts), segments[-1].end_s])
    nothing = np.zeros(len(EMOTIONS))
    shares = np.array([nothing if s.probabilities is None else s.probabilities for s in segments])
    lanes = np.array([(s.speech, s.seen, s.probabilities is not None) for s in segments], float)
    counts = np.diff([*firsts, len(segments)])
    spoken, seen, told = np.add.reduceat(lanes, firsts).T
    # The mean of what is there: a step is blank only where all of it is.
    means = np.add.reduceat(shares, firsts) / np.maximum(told, 1)[:, None]
    return edges, means, spoken / counts, seen / counts
