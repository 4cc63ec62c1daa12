"""Scores: probabilities steadied over time for the eye. What is written down stays raw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.media import HOP_SECONDS, SEGMENTS
from fer_core.prediction import Prediction

_BLOCK = 64  # segments that are averaged at once
STRONGEST = 0.9  # share of the old scores kept over one hop at strength 1: half-life 2.5 s


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the views draw; equal to the probabilities at strength 0."""

    window: NDArray[np.float32]  # (8,)
    segments: NDArray[np.float32]  # (8, 8): segment, emotion


class Smoothing:
    """An exponential moving average over predictions.

    A segment is averaged with itself: the clip that comes one hop later holds the same 375 ms one
    place further left.
    """

    def __init__(self, strength: float = 0.5) -> None:
        self.strength = strength  # 0 (raw) to 1
        self._scores: Scores | None = None
        self._end_s = 0.0

    def update(self, prediction: Prediction) -> Scores:
        window, segments = prediction.probabilities, prediction.segment_probabilities
        hops = round((prediction.clip_end_s - self._end_s) / HOP_SECONDS)
        if self._scores is not None and hops > 0:
            keep = kept_share(self.strength) ** hops
            window = keep * self._scores.window + (1 - keep) * window
            shared = max(SEGMENTS - hops, 0)  # segments that both clips hold
            segments = segments.copy()
            segments[:shared] *= 1 - keep
            segments[:shared] += keep * self._scores.segments[SEGMENTS - shared :]
        self._scores = Scores(window, segments)
        self._end_s = prediction.clip_end_s
        return self._scores

    def reset(self) -> None:
        """Forget; after a pause or without any modality the past says nothing."""
        self._scores = None


def kept_share(strength: float) -> float:
    """Of the old scores over one hop of 375 ms, at a strength of 0 (raw) to 1."""
    return STRONGEST * strength


def smoothed(
    probabilities: NDArray[np.floating], strength: float, before: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """A file's segments (n, 8) steadied as a live window is, hop by hop.

    Args:
        probabilities: rows of NaN where nothing was heard or seen; the average then begins anew.
        before: the scores of the segment before the first one.
    """
    keep = kept_share(strength)
    scores = np.array(probabilities, np.float64)
    kept = keep ** np.arange(_BLOCK)
    # Row i: what is left of each segment of a block after its segment i.
    ages = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    weights = np.where(ages >= 0, (1 - keep) * kept[np.maximum(ages, 0)], 0.0)
    there = ~np.isnan(scores[:, 0])
    # Where runs of segments without a gap begin and end
    limits = np.flatnonzero(np.diff(there, prepend=False, append=False)).reshape(-1, 2)
    for first, end in limits:
        last = before if first == 0 else None
        if last is None or np.isnan(last[0]):
            last = scores[first]
        for begin in range(first, end, _BLOCK):
            block = scores[begin : min(begin + _BLOCK, end)]  # a view
            n = len(block)
            block[:] = weights[:n, :n] @ block + keep * kept[:n, None] * last
            last = block[-1]
    return scores
