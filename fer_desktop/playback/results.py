"""What was found in a file so far, as the views ask for it: at a time, in a range, at its peaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.peaks import Peak, peaks_of
from fer_core.analysis.timeline import Segment
from fer_core.labels import CLASSES, EMOTIONS
from fer_core.media import SEGMENT_SECONDS, SEGMENTS


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """A part of a file in short; shares are of ``[start_s, end_s)``, as far as it is analysed.

    The shares of the emotions, led certainly or not, and of nothing add up to 1.
    """

    start_s: float
    end_s: float
    segments: NDArray[np.int64]  # (8,), how many each emotion leads
    shares: NDArray[np.float64]  # (8,), of the time that each emotion leads
    probabilities: NDArray[np.float64] | None  # (8,), their mean; None: nothing was heard or seen
    uncertain: float  # share of the time in which an emotion leads, but not certainly
    nothing: float  # share of the time in which nothing was heard or seen


class Results:
    """Grows while a file is analysed; its segments follow each other from 0."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []

    def __len__(self) -> int:
        return len(self._segments)

    @property
    def duration_s(self) -> float:
        """How far the file is analysed."""
        return self._segments[-1].end_s if self._segments else 0.0

    @property
    def segments(self) -> Sequence[Segment]:
        return self._segments

    def add(self, segments: Sequence[Segment]) -> None:
        """Those that follow the last one."""
        self._segments.extend(segments)

    def clear(self) -> None:
        self._segments.clear()

    def at(self, time_s: float) -> Segment | None:
        """The segment in which ``time_s`` lies; None before the file and where nothing is yet.

        The last one is also at its very end, where a player stops.
        """
        if not 0 <= time_s <= self.duration_s or not self._segments:
            return None
        return self._segments[min(int(time_s / SEGMENT_SECONDS), len(self._segments) - 1)]

    def window(self, time_s: float) -> tuple[Segment, ...]:
        """The eight segments up to the one at ``time_s``; fewer at the file's beginning."""
        if self.at(time_s) is None:
            return ()
        last = min(int(time_s / SEGMENT_SECONDS), len(self._segments) - 1)
        return tuple(self._segments[max(0, last + 1 - SEGMENTS) : last + 1])

    def peaks(self) -> tuple[Peak, ...]:
        """Where each emotion is shown most clearly."""
        return peaks_of(self._segments)

    def summary(self, start_s: float, end_s: float) -> Summary | None:
        """``[start_s, end_s)`` in short; None where nothing of it is analysed."""
        end_s = min(end_s, self.duration_s)
        start_s = max(start_s, 0.0)
        first = int(start_s / SEGMENT_SECONDS)
        counts = np.zeros(CLASSES, np.int64)
        led_s, sums = np.zeros(CLASSES), np.zeros(CLASSES)
        uncertain_s = nothing_s = 0.0
        for segment in islice(self._segments, first, None):
            inside_s = min(segment.end_s, end_s) - max(segment.start_s, start_s)
            if inside_s <= 0:
                break
            if segment.probabilities is None or segment.emotion is None:
                nothing_s += inside_s
                continue
            leader = EMOTIONS.index(segment.emotion)
            counts[leader] += 1
            led_s[leader] += inside_s
            sums += inside_s * segment.probabilities
            uncertain_s += inside_s * segment.uncertain
        told_s = float(led_s.sum())
        whole_s = told_s + nothing_s
        if whole_s <= 0:
            return None
        return Summary(
            start_s=start_s,
            end_s=end_s,
            segments=counts,
            shares=led_s / whole_s,
            probabilities=sums / told_s if told_s > 0 else None,
            uncertain=uncertain_s / whole_s,
            nothing=nothing_s / whole_s,
        )
