"""A file's segments as the timeline draws them: means over the columns of pixels on the screen.

Running sums make a column cost the same whether it covers one segment or a thousand, so a file of
2 hours, 19,200 segments, scrolls as fast as one of a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.timeline import Segment
from fer_core.labels import CLASSES
from fer_core.media import SEGMENT_SECONDS, BoolArray
from fer_desktop.live.smoothing import smoothed

FloatArray = NDArray[np.float64]

# What is summed up, by column of the sums
_RAW = slice(0, CLASSES)
_SMOOTHED = slice(CLASSES, 2 * CLASSES)
_TOLD, _SPEECH, _SEEN, _UNCERTAIN = range(2 * CLASSES, 2 * CLASSES + 4)
_SUMS = 2 * CLASSES + 4


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Means over W stretches of time; NaN where nothing was heard or seen, or is known yet."""

    raw: FloatArray  # (W, 8)
    smoothed: FloatArray  # (W, 8)
    speech: FloatArray  # (W,), 0 to 1; 0 where nothing is known
    seen: FloatArray  # (W,), share of the segments with a face
    uncertain: FloatArray  # (W,), share of the segments with an emotion, but no certain one
    known: BoolArray  # (W,), True where the file is analysed


class SegmentTable:
    """Grows while a file is analysed; its segments follow each other from 0."""

    def __init__(self, strength: float = 0.5) -> None:
        """``strength`` of the smoothing, 0 (raw) to 1."""
        self._strength = strength
        self._count = 0
        self._raw = np.zeros((0, CLASSES))
        self._smoothed = np.zeros((0, CLASSES))
        self._sums = np.zeros((1, _SUMS))  # row i: of the first i segments
        self._end_s = 0.0

    def __len__(self) -> int:
        return self._count

    @property
    def end_s(self) -> float:
        """How far the file is analysed."""
        return self._end_s

    def add(self, segments: Sequence[Segment]) -> None:
        """Those that follow the last one."""
        if not segments:
            return
        nothing = np.full(CLASSES, np.nan)
        raw = np.array([nothing if s.probabilities is None else s.probabilities for s in segments])
        told = ~np.isnan(raw[:, 0])
        rest = np.array([(s.speech, s.seen, s.uncertain) for s in segments], np.float64)
        rest[:, 2] *= told
        self._make_room(len(segments))
        first, last = self._count, self._count + len(segments)
        self._raw[first:last] = raw
        self._smoothed[first:last] = self._steadied(first, raw)
        rows = np.concatenate([np.nan_to_num(raw), np.zeros_like(raw), told[:, None], rest], axis=1)
        self._sums[first + 1 : last + 1] = self._sums[first] + rows.cumsum(axis=0)
        self._count, self._end_s = last, segments[-1].end_s
        self._sum_smoothed(first)

    def clear(self) -> None:
        self._count, self._end_s = 0, 0.0

    def smooth(self, strength: float) -> None:
        """Smooth all of it anew."""
        self._strength = strength
        raw = self._raw[: self._count]
        self._smoothed[: self._count] = self._steadied(0, raw)
        self._sum_smoothed(0)

    def values_at(self, time_s: float, smooth: bool) -> FloatArray | None:
        """(8,) of the segment at ``time_s``; None where nothing was heard or seen, or is known."""
        number = int(time_s / SEGMENT_SECONDS)
        if not 0 <= time_s <= self._end_s or not self._count:
            return None
        values = (self._smoothed if smooth else self._raw)[min(number, self._count - 1)]
        return None if np.isnan(values[0]) else values

    def columns(self, edges_s: FloatArray) -> Columns:
        """The means between ``edges_s`` (W + 1,), which ascend; each column has whole segments."""
        first = np.clip(np.floor(edges_s[:-1] / SEGMENT_SECONDS), 0, self._count).astype(np.int64)
        last = np.clip(np.ceil(edges_s[1:] / SEGMENT_SECONDS), 0, self._count).astype(np.int64)
        # A column between two segments' begins belongs to the one in which it begins.
        narrow = edges_s[1:] - edges_s[:-1] <= SEGMENT_SECONDS
        last = np.where(narrow, np.minimum(first + 1, self._count), last)
        outside = (edges_s[1:] <= 0) | (edges_s[:-1] >= self._end_s)
        last = np.where(outside, first, last)
        sums = self._sums[last] - self._sums[first]
        counted = (last - first)[:, None]
        told = sums[:, _TOLD, None]
        with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the NaN that is meant
            raw, smooth = sums[:, _RAW] / told, sums[:, _SMOOTHED] / told
            rest = np.nan_to_num(sums[:, [_SPEECH, _SEEN, _UNCERTAIN]] / counted)
        return Columns(raw, smooth, rest[:, 0], rest[:, 1], rest[:, 2], last > first)

    def _steadied(self, first: int, raw: FloatArray) -> FloatArray:
        before = self._smoothed[first - 1] if first else None
        return smoothed(raw, self._strength, before)

    def _sum_smoothed(self, first: int) -> None:
        rows = np.nan_to_num(self._smoothed[first : self._count])
        start = self._sums[first, _SMOOTHED]
        self._sums[first + 1 : self._count + 1, _SMOOTHED] = start + rows.cumsum(axis=0)

    def _make_room(self, more: int) -> None:
        needed = self._count + more
        if needed <= len(self._raw):
            return
        rows = max(2 * len(self._raw), needed, 1024)
        self._raw = _longer(self._raw, rows)
        self._smoothed = _longer(self._smoothed, rows)
        self._sums = _longer(self._sums, rows + 1)


def _longer(array: FloatArray, rows: int) -> FloatArray:
    longer = np.zeros((rows, array.shape[1]))
    longer[: len(array)] = array
    return longer
