"""Figures of a run: confusion matrix, training curves, reliability diagram.

Each is a matplotlib Figure of its own, which knows no window and no global state. Colours are those
of Okabe and Ito (2008), which colour-blind people can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_core.errors import UserError
from fer_core.evaluation.calibration import Fit
from fer_core.evaluation.reliability import BINS
from fer_core.evaluation.scores import Scores

DPI = 160
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#888888"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
DASHES = ("-", "--", "-.", ":")  # lines differ in grey print too
DARK = 0.55  # of "Blues", from which text on it is white


def confusion_figure(scores: Scores, title: str) -> Figure:
    """Counts, and under them the share of the row: of the items with that label."""
    counts = np.array(scores.confusion)
    labelled = np.array([scores.per_class[label].n for label in scores.labels])
    shares = counts / np.maximum(labelled, 1)[:, None]
    figure = _figure(7.0, 6.2)
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{counts[row, column]}\n{share:.0%}",
            ha="center",
            va="center",
            color="white" if share > DARK else "black",
        )
    places = np.arange(len(scores.labels))
    rows = [f"{label} ({n})" for label, n in zip(scores.labels, labelled, strict=True)]
    axes.set_xticks(places, scores.labels, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, rows)
    axes.set(xlabel="answered", ylabel="labelled", title=title)
    axes.tick_params(length=0)
    figure.colorbar(picture, ax=axes, label="share of the row", fraction=0.046)
    return figure


def history_figure(history: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Losses on the left, scores on the right, over the epochs of all stages.

    Args:
        history: the rows of a ``training_history.json``, each with its ``stage``; every number
            whose name ends with ``loss``, ``uar`` or ``war`` is drawn.
        title: of the whole.
    """
    figure = _figure(9.0, 4.0)
    left, right = figure.subplots(1, 2)
    _curves(left, history, ("loss",))
    _curves(right, history, ("uar", "war"))
    left.set_ylabel("loss")
    right.set_ylabel("score")
    figure.suptitle(title)
    return figure


def reliability_figure(fits: Mapping[str, Fit]) -> Figure:
    """For each name accuracy over confidence, and under it how many answers have that confidence.

    Bars are the answers after temperature scaling, the line those before. On the dashed diagonal
    answers are right as often as they say.

    Raises:
        ValueError: there is nothing to draw.
    """
    figure = _figure(4.2 * len(fits), 4.8)
    axes = figure.subplots(
        2, len(fits), squeeze=False, sharex=True, sharey="row", height_ratios=(3, 1)
    )
    middles = (np.arange(BINS) + 0.5) / BINS
    bars: dict[str, Any] = {"width": 1 / BINS, "color": BLUE, "edgecolor": "white"}
    line: dict[str, Any] = {"color": VERMILION, "marker": "o", "markersize": 4}
    for (above, below), (name, fit) in zip(axes.T, fits.items(), strict=True):
        before, after = np.array(fit.before.counts), np.array(fit.after.counts)
        there = before > 0
        above.bar(middles, fit.after.accuracy, label="after", **bars)
        above.plot(
            np.array(fit.before.confidence)[there],
            np.array(fit.before.accuracy)[there],
            label="before",
            **line,
        )
        above.plot([0, 1], [0, 1], "--", color=GREY)
        below.bar(middles, after / after.sum(), **bars)
        below.plot(middles, before / before.sum(), **line)
        errors = f"ECE {fit.before.ece:.3f} → {fit.after.ece:.3f}"
        above.set(xlim=(0, 1), ylim=(0, 1), title=f"{name}\n{errors}")
        below.set_xlabel("confidence")
        _plain(above)
        _plain(below)
    axes[0, 0].set_ylabel("share that is right")
    axes[1, 0].set_ylabel("share of all")
    axes[0, 0].legend(loc="upper left", frameon=False)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write ``figure``.

    Raises:
        UserError: it cannot be written.
    """
    try:
        figure.savefig(path, dpi=DPI, format="png")
    except OSError as error:
        raise UserError(
            f"The figure {path} cannot be written: {error}.", "Make room there."
        ) from error


class _Stage(NamedTuple):
    name: str
    first: int  # its first epoch, counted from 1 through all stages
    rows: list[Mapping[str, Any]]


def _stages(history: Sequence[Mapping[str, Any]]) -> list[_Stage]:
    stages, first = [], 1
    for name, group in groupby(history, key=lambda row: str(row["stage"])):
        rows = list(group)
        stages.append(_Stage(name, first, rows))
        first += len(rows)
    return stages


def _curves(axes: Axes, history: Sequence[Mapping[str, Any]], endings: tuple[str, ...]) -> None:
    names = list(dict.fromkeys(n for row in history for n in row if n.endswith(endings)))
    for stage in _stages(history):
        axes.axvline(stage.first - 0.5, color=GREY, linewidth=0.8)
        axes.text(stage.first, 1.01, stage.name, transform=axes.get_xaxis_transform())
        for name, colour, dash in zip(names, COLOURS, DASHES, strict=False):
            points = [
                (stage.first + i, row[name]) for i, row in enumerate(stage.rows) if name in row
            ]
            # Points too: a stage may have validated once. A line for each: losses differ in kind.
            axes.plot(
                [epoch for epoch, _ in points],
                [value for _, value in points],
                color=colour,
                linestyle=dash,
                marker=".",
                label=name if stage.first == 1 else None,
            )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _plain(axes)
    if names:
        axes.legend(frameon=False)


def _figure(width: float, height: float) -> Figure:
    """In inches."""
    return Figure(figsize=(width, height), layout="constrained")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
