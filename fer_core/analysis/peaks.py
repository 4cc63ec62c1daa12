"""Where each emotion is shown most clearly: the segments worth going to, and worth a thumbnail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.timeline import Segment
from fer_core.labels import EMOTIONS
from fer_core.media import SEGMENTS, FaceBox

MOST_PEAKS = 3  # of an emotion
APART = SEGMENTS  # segments, 3 s: nearer ones were told by the same windows


@dataclass(frozen=True, slots=True)
class Peak:
    emotion: str
    time_s: float  # the middle of its segment
    probability: float
    face: FaceBox | None  # where it was seen, in pixels of the file's picture


def peaks_of(segments: Sequence[Segment]) -> tuple[Peak, ...]:
    """The three highest segments of each emotion, highest first, emotions in their own order.

    Only where the emotion leads and the model is certain of it; peaks of one emotion are at least
    3 s apart.
    """
    nothing = np.zeros(len(EMOTIONS))
    told = [
        nothing if s.uncertain or s.probabilities is None else s.probabilities for s in segments
    ]
    places = find_peaks(np.array(told).reshape(-1, len(EMOTIONS)))
    return tuple(peak_at(segments[place]) for place in places)


def find_peaks(certain: NDArray[np.float64]) -> list[int]:
    """The places of these segments among all, from their probabilities (n, 8).

    Rows of zeros stand for what is uncertain or empty. 2 hours take 3 ms.
    """
    leaders, heights = certain.argmax(axis=1), certain.max(axis=1, initial=0.0)
    found = []
    for emotion in range(certain.shape[1]):
        left = np.where(leaders == emotion, heights, 0.0)
        for _ in range(MOST_PEAKS):
            if not left.any():
                break
            highest = int(left.argmax())
            found.append(highest)
            left[max(highest + 1 - APART, 0) : highest + APART] = 0.0
    return found


def peak_at(segment: Segment) -> Peak:
    """Raises:
    ValueError: nothing was heard or seen in ``segment``.
    """
    if segment.probabilities is None or segment.emotion is None:
        raise ValueError(f"the segment at {segment.start_s} s has no emotion")
    middle_s = (segment.start_s + segment.end_s) / 2
    return Peak(segment.emotion, middle_s, float(segment.probabilities.max()), segment.face)
