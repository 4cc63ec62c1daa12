"""What was found in a file so far, as the views ask for it: at a time, in a range, at its peaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.peaks import Peak, find_peaks, peak_at
from fer_core.analysis.timeline import Segment
from fer_core.labels import CLASSES
from fer_core.media import SEGMENT_SECONDS, SEGMENTS
from fer_desktop.playback.growing_array import GrowingArray


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
        self._probabilities = GrowingArray(CLASSES)  # zeros where nothing was heard or seen
        self._rest = GrowingArray(3)  # start and end in seconds, uncertain

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
        if not segments:
            return
        nothing = np.zeros(CLASSES)
        told = [nothing if s.probabilities is None else s.probabilities for s in segments]
        self._probabilities.extend(np.array(told))
        self._rest.extend(np.array([(s.start_s, s.end_s, s.uncertain) for s in segments]))
        self._segments.extend(segments)

    def clear(self) -> None:
        self._segments.clear()
        self._probabilities.clear()
        self._rest.clear()

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
        certain = self._probabilities.rows * (self._rest.rows[:, 2:] == 0)
        return tuple(peak_at(self._segments[place]) for place in find_peaks(certain))

    def summary(self, start_s: float, end_s: float) -> Summary | None:
        """``[start_s, end_s)`` in short; None where nothing of it is analysed."""
        start_s, end_s = max(start_s, 0.0), min(end_s, self.duration_s)
        begins, ends, uncertain = self._rest.rows.T
        inside_s = np.minimum(ends, end_s) - np.maximum(begins, start_s)
        chosen = inside_s > 0
        inside_s, uncertain = inside_s[chosen], uncertain[chosen]
        probabilities = self._probabilities.rows[chosen]
        whole_s = inside_s.sum()
        if whole_s <= 0:
            return None
        told = probabilities.any(axis=1)
        told_s = inside_s[told].sum()
        leaders = probabilities[told].argmax(axis=1)
        return Summary(
            start_s=start_s,
            end_s=end_s,
            segments=np.bincount(leaders, minlength=CLASSES),
            shares=np.bincount(leaders, inside_s[told], CLASSES) / whole_s,
            probabilities=inside_s @ probabilities / told_s if told_s > 0 else None,
            uncertain=float((inside_s * uncertain)[told].sum() / whole_s),
            nothing=float(1 - told_s / whole_s),
        )
