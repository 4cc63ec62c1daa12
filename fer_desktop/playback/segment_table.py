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
from fer_desktop.playback.growing_array import GrowingArray

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
        self._raw = GrowingArray(CLASSES)
        self._smoothed = GrowingArray(CLASSES)
        self._sums = GrowingArray(_SUMS)  # row i: of the first i segments
        self.clear()

    def __len__(self) -> int:
        return len(self._raw)

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
        before = self._smoothed.rows[-1] if len(self) else None
        steadied = smoothed(raw, self._strength, before)
        shares = np.nan_to_num(np.concatenate([raw, steadied], axis=1))
        rows = np.concatenate([shares, told[:, None], rest], axis=1)
        self._raw.extend(raw)
        self._smoothed.extend(steadied)
        self._sums.extend(self._sums.rows[-1] + rows.cumsum(axis=0))
        self._end_s = segments[-1].end_s

    def clear(self) -> None:
        for array in (self._raw, self._smoothed, self._sums):
            array.clear()
        self._sums.extend(np.zeros((1, _SUMS)))
        self._end_s = 0.0

    def smooth(self, strength: float) -> None:
        """Smooth all of it anew."""
        self._strength = strength
        self._smoothed.rows[:] = smoothed(self._raw.rows, strength)
        self._sums.rows[1:, _SMOOTHED] = np.nan_to_num(self._smoothed.rows).cumsum(axis=0)

    def values_at(self, time_s: float, smooth: bool) -> FloatArray | None:
        """(8,) of the segment at ``time_s``; None where nothing was heard or seen, or is known."""
        number = int(time_s / SEGMENT_SECONDS)
        if not 0 <= time_s <= self._end_s or not len(self):
            return None
        values = (self._smoothed if smooth else self._raw).rows[min(number, len(self) - 1)]
        return None if np.isnan(values[0]) else values

    def columns(self, edges_s: FloatArray) -> Columns:
        """The means between ``edges_s`` (W + 1,), which ascend; each column has whole segments."""
        first = np.clip(np.floor(edges_s[:-1] / SEGMENT_SECONDS), 0, len(self)).astype(np.int64)
        last = np.clip(np.ceil(edges_s[1:] / SEGMENT_SECONDS), 0, len(self)).astype(np.int64)
        # A column between two segments' begins belongs to the one in which it begins.
        narrow = edges_s[1:] - edges_s[:-1] <= SEGMENT_SECONDS
        last = np.where(narrow, np.minimum(first + 1, len(self)), last)
        outside = (edges_s[1:] <= 0) | (edges_s[:-1] >= self._end_s)
        last = np.where(outside, first, last)
        sums = self._sums.rows[last] - self._sums.rows[first]
        counted = (last - first)[:, None]
        told = sums[:, _TOLD, None]
        with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the NaN that is meant
            raw, smooth = sums[:, _RAW] / told, sums[:, _SMOOTHED] / told
            rest = np.nan_to_num(sums[:, [_SPEECH, _SEEN, _UNCERTAIN]] / counted)
        return Columns(raw, smooth, rest[:, 0], rest[:, 1], rest[:, 2], last > first)
