"""Whether the timeline of a long file scrolls without stutter: drawn offscreen, step by step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from fer_core.analysis.timeline import Segment
from fer_core.labels import CLASSES
from fer_core.media import SEGMENT_SECONDS

FRAME_MS = 16.7  # of a screen that draws 60 a second
LONG_SECONDS, SHORT_SECONDS = 7200.0, 60.0
SHOWN = 1 / 12  # of the file at once: ten minutes of two hours
SIZE = (1280, 320)  # pixels


def measure(seconds: float = LONG_SECONDS) -> list[Figure]:
    """A file of two hours, ten minutes of it shown; a step is a tenth of these, and is painted."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    long, short = steps_ms(app, seconds), steps_ms(app, SHORT_SECONDS)
    naive = naive_steps_ms(app, seconds)
    return [
        Figure(
            "a step, median", float(np.median(long)), "ms", at_most=FRAME_MS,
            naive=float(np.median(naive)), naively="eight curves of all segments",
        ),
        Figure("95 of 100 below", float(np.percentile(long, 95)), "ms", at_most=2 * FRAME_MS),
        Figure("against a file of a minute", float(np.median(long) / np.median(short)), "times"),
    ]  # fmt: skip


def segments_of(seconds: float) -> list[Segment]:
    """Emotions that wander, with a voice that comes and goes."""
    random, logits, segments = np.random.default_rng(0), np.zeros(CLASSES), []
    for number in range(round(seconds / SEGMENT_SECONDS)):
        logits = 0.93 * logits + 0.5 * random.standard_normal(CLASSES)
        shares = np.exp(logits) / np.exp(logits).sum()
        start_s = number * SEGMENT_SECONDS
        spoken = float(np.sin(number / 20) > 0)
        segments.append(
            Segment(
                start_s, start_s + SEGMENT_SECONDS, shares, bool(shares.max() < 0.35),
                spoken > 0, True, None, spoken,
            )
        )  # fmt: skip
    return segments


def steps_ms(app: Any, seconds: float) -> list[float]:
    from fer_desktop.ui.file_timeline import FileTimeline

    timeline = FileTimeline()
    timeline.resize(*SIZE)
    timeline.build()
    timeline.show()
    timeline.set_duration(seconds)
    timeline.add_segments(segments_of(seconds))
    timeline.zoom(1 / SHOWN)
    return _scrolled(app, seconds, timeline.show_from)


def naive_steps_ms(app: Any, seconds: float) -> list[float]:
    """All segments given to pyqtgraph, which draws what is visible of them."""
    import pyqtgraph

    segments = segments_of(seconds)
    times = [segment.start_s for segment in segments]
    values = np.array([segment.probabilities for segment in segments])
    plot = pyqtgraph.PlotWidget()
    plot.resize(*SIZE)
    plot.show()
    for emotion in range(CLASSES):
        # Each in its lane, filled.
        plot.plot(times, values[:, emotion] + emotion, fillLevel=emotion, brush=(emotion, 8))
    length = seconds * SHOWN
    return _scrolled(app, seconds, lambda s: plot.setXRange(s, s + length, padding=0))


def _scrolled(app: Any, seconds: float, show_from: Callable[[float], None]) -> list[float]:
    taken = []
    for step in range(100):
        began = time.perf_counter()
        show_from(step * seconds * SHOWN / 10)
        app.processEvents()
        taken.append(1000 * (time.perf_counter() - began))
    return taken[5:]  # the first ones build what is kept
