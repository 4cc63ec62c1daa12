"""A file's answer: the mean over its windows of log-probabilities, renormalised."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import CLASSES
from fer_core.prediction import Prediction

SMALLEST = 1e-12  # of a probability in single precision that became zero


class FileAverage:
    """Takes windows one by one; those in which nothing was heard or seen do not count."""

    def __init__(self) -> None:
        self._log_probabilities = np.zeros(CLASSES)
        self._windows = 0

    def add(self, prediction: Prediction | None, weight: int = 1) -> None:
        """``weight`` -1 takes back what was added before."""
        if prediction is not None:
            logs = np.log(np.maximum(prediction.probabilities, SMALLEST))
            self._log_probabilities += weight * logs
            self._windows += weight

    def __add__(self, other: Self) -> Self:
        total = type(self)()
        total._log_probabilities = self._log_probabilities + other._log_probabilities
        total._windows = self._windows + other._windows
        return total

    def probabilities(self) -> NDArray[np.float64] | None:
        """(8,), sum 1; None if no window had an answer."""
        if not self._windows:
            return None
        mean = self._log_probabilities / self._windows
        shares: NDArray[np.float64] = np.exp(mean - mean.max())
        return shares / shares.sum()
