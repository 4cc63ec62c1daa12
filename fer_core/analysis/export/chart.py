"""A timeline as a picture: shares of the emotions over time, and lanes for speech and face."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure

from fer_core.analysis.timeline import Timeline
from fer_core.labels import EMOTIONS
from fer_core.palette import ON_LIGHT

DPI = 120
GREY = ON_LIGHT[0]


def as_png(timeline: Timeline) -> bytes:
    picture = io.BytesIO()
    timeline_figure(timeline).savefig(picture, dpi=DPI, format="png")
    return picture.getvalue()


def timeline_figure(timeline: Timeline) -> Figure:
    """Blank where nothing was heard or seen."""
    segments = timeline.segments
    edges = np.array([segments[0].start_s, *(segment.end_s for segment in segments)])
    nothing = np.zeros(len(EMOTIONS))
    shares = np.array([nothing if s.probabilities is None else s.probabilities for s in segments])
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    emotions, speech, face = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": (8, 1, 1)}
    )
    tops = np.concatenate([np.zeros((len(segments), 1)), shares.cumsum(axis=1)], axis=1)
    for number, (label, colour) in enumerate(zip(EMOTIONS, ON_LIGHT, strict=True)):
        emotions.stairs(
            tops[:, number + 1], edges, baseline=tops[:, number],
            fill=True, color=colour, label=label,
        )  # fmt: skip
    emotions.set(ylim=(0, 1), ylabel="probability", xlim=(0, edges[-1]))
    emotions.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)
    speech.stairs([segment.speech for segment in segments], edges, fill=True, color=GREY)
    face.stairs([float(segment.seen) for segment in segments], edges, fill=True, color=GREY)
    for lane, name in ((speech, "speech"), (face, "face")):
        lane.set(ylim=(0, 1), yticks=())
        lane.set_ylabel(name, rotation=0, ha="right", va="center")
    face.set_xlabel("seconds")
    return figure
