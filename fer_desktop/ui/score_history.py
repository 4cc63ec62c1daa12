"""The scores of a session over time, in memory that does not grow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import CLASSES
from fer_core.media import HOP_SECONDS

KEPT = int(4 * 3600 / HOP_SECONDS)  # four hours, 38,400 rows, 1.6 MB twice
GAP_SECONDS = 3 * HOP_SECONDS  # a longer silence is drawn as a gap, not as a line


class ScoreHistory:
    """The newest ``kept`` rows, in order of time.

    The arrays are twice as long as what is kept, so that the newest rows are always one plain
    slice: when the end is reached the kept half moves to the front, once in ``kept`` rows.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._times = np.zeros(2 * kept, np.float64)
        self._scores = np.zeros((2 * kept, CLASSES), np.float32)
        self._winners = np.zeros(2 * kept, np.int8)
        self._end = 0

    def __len__(self) -> int:
        return min(self._end, self._kept)

    @property
    def nbytes(self) -> int:
        return self._times.nbytes + self._scores.nbytes + self._winners.nbytes

    @property
    def last_s(self) -> float | None:
        return float(self._times[self._end - 1]) if self._end else None

    @property
    def first_s(self) -> float | None:
        return float(self._times[self._end - len(self)]) if self._end else None

    def append(self, time_s: float, scores: NDArray[np.float32] | None, winner: int | None) -> None:
        """Remember (8,) scores, or None where there was no prediction; ``winner`` None: uncertain.

        A time that does not come after the last one is ignored.
        """
        last = self.last_s
        if last is not None and time_s <= last:
            return
        if scores is not None and last is not None and time_s - last > GAP_SECONDS:
            self._write(last + HOP_SECONDS, None, None)
        self._write(time_s, scores, winner)

    def clear(self) -> None:
        self._end = 0

    def between(
        self, start_s: float, end_s: float, most: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Times (n,) and scores (n, 8) of a range, at most about ``most`` rows.

        Long ranges are averaged over equal groups of rows; a group of nothing but gaps is NaN. One
        row beyond each end lets lines leave the picture.
        """
        times, scores, _ = self._newest()
        first = max(0, int(np.searchsorted(times, start_s)) - 1)
        last = min(len(times), int(np.searchsorted(times, end_s, side="right")) + 1)
        times, scores = times[first:last], scores[first:last]
        group = -(-len(times) // most)  # rounded up
        if group <= 1:
            return times, scores
        # Whole groups counted from the session's first row, so that points keep still while live.
        skip = -(first + self._end - len(self)) % group
        n = (len(times) - skip) // group
        whole = slice(skip, skip + n * group)
        grouped = scores[whole].reshape(n, group, CLASSES)
        real = ~np.isnan(grouped)
        with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
            means = np.where(real, grouped, 0).sum(axis=1) / real.sum(axis=1)
        return times[whole].reshape(n, group).mean(axis=1), means.astype(np.float32)

    def winners_at(self, times_s: NDArray[np.floating]) -> NDArray[np.int8]:
        """For each time the winner then: an emotion's index, -1 uncertain, -2 no prediction.

        A row stands for the hop that ends with it.
        """
        times, _, winners = self._newest()
        if not len(times):
            return np.full(len(times_s), -2, np.int8)
        index = np.searchsorted(times, times_s)
        inside = index < len(times)
        index = np.minimum(index, len(times) - 1)
        fresh = inside & (times[index] - times_s <= GAP_SECONDS)
        return np.where(fresh, winners[index], np.int8(-2))

    def _newest(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int8]]:
        rows = slice(self._end - len(self), self._end)
        return self._times[rows], self._scores[rows], self._winners[rows]

    def _write(self, time_s: float, scores: NDArray[np.float32] | None, winner: int | None) -> None:
        if self._end == len(self._times):
            for array in (self._times, self._scores, self._winners):
                array[: self._kept] = array[self._kept :]
            self._end = self._kept
        self._times[self._end] = time_s
        self._scores[self._end] = np.nan if scores is None else scores
        self._winners[self._end] = -2 if scores is None else -1 if winner is None else winner
        self._end += 1
