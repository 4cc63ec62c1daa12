"""Rows of numbers that come one after another, as one array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST = 1024  # rows: 6 minutes of segments


class GrowingArray:
    """Doubles its room when it is full, so that a row costs the same however many there are."""

    def __init__(self, columns: int) -> None:
        self._rows = np.zeros((_LEAST, columns))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[np.float64]:
        """(n, columns), a view: may be written to, and is outdated by :meth:`extend`."""
        return self._rows[: self._count]

    def extend(self, rows: NDArray[np.float64]) -> None:
        end = self._count + len(rows)
        if end > len(self._rows):
            longer = np.zeros((max(2 * len(self._rows), end), self._rows.shape[1]))
            longer[: self._count] = self.rows
            self._rows = longer
        self._rows[self._count : end] = rows
        self._count = end

    def clear(self) -> None:
        self._count = 0
