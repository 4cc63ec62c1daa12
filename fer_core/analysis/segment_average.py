"""Windows come, segments go: each is the mean over all windows that saw it.

A window of 3 s tells of its eight segments; those of a hop of 375 ms lie exactly on the file's
segments, others across two, and count by how much of each they cover.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.timeline import Segment
from fer_core.config import PerModality
from fer_core.labels import CLASSES
from fer_core.media import FRAMES_PER_SEGMENT, SEGMENT_SECONDS, SEGMENTS, FaceBox
from fer_core.prediction import Prediction

SLIVER_SECONDS = 1e-6  # times are sums of floats: less of a segment is none of it


@dataclass(slots=True)
class _Sum:
    """What windows have said of a segment so far, weighted by seconds."""

    covered_s: float = 0.0  # by windows
    told_s: float = 0.0  # by windows that heard or saw something here
    heard_s: float = 0.0
    seen_s: float = 0.0
    spoken_s: float = 0.0
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros(CLASSES))
    faces: list[FaceBox] = field(default_factory=list)


class SegmentAverage:
    """Takes a file's windows in order, and gives its segments as soon as no more can be said.

    Memory does not grow with the file.
    """

    def __init__(self, uncertain_below: PerModality) -> None:
        self._uncertain_below = uncertain_below
        self._sums: deque[_Sum] = deque()
        self._first = 0  # number of the first segment that is not given away yet

    def add(
        self,
        start_s: float,
        prediction: Prediction | None,
        faces: Sequence[FaceBox | None],
        end_s: float = math.inf,
        from_s: float = -math.inf,
    ) -> None:
        """What was found in the window at ``start_s``.

        Args:
            prediction: None if nothing was heard or seen.
            faces: looked at in its 16 frames.
            end_s: of the file, which may lie in the window.
            from_s: what the window saw before that is not in the file; a segment begins there.
        """
        for place in range(SEGMENTS):
            begin_s = start_s + place * SEGMENT_SECONDS
            if begin_s < from_s - SLIVER_SECONDS or begin_s >= end_s:
                continue
            until_s = min(begin_s + SEGMENT_SECONDS, end_s)
            for number, share_s in _covered(begin_s, until_s):
                total = self._sum(number)
                total.covered_s += share_s
                if prediction is None:
                    continue
                # Of the segment's real part: behind the file's end nobody speaks.
                spoken_s = prediction.segment_speech[place] * SEGMENT_SECONDS
                total.spoken_s += share_s * min(spoken_s / (until_s - begin_s), 1.0)
                heard, seen = prediction.segment_audio[place], prediction.segment_video[place]
                if not heard and not seen:
                    continue
                total.told_s += share_s
                total.heard_s += share_s * bool(heard)
                total.seen_s += share_s * bool(seen)
                total.probabilities += share_s * prediction.segment_probabilities[place]
                shown = faces[place * FRAMES_PER_SEGMENT : (place + 1) * FRAMES_PER_SEGMENT]
                total.faces += [face for face in shown if face is not None]

    def finished(self, before_s: float) -> int:
        """How many segments can be taken when all windows to come start after ``before_s``."""
        return math.floor((before_s + SLIVER_SECONDS) / SEGMENT_SECONDS) - self._first

    def take(self, end_s: float = math.inf) -> Segment:
        """The next segment; ``end_s``: of the file, which may cut it."""
        total = self._sum(self._first)
        self._sums.popleft()
        start_s = self._first * SEGMENT_SECONDS
        self._first += 1
        told = total.probabilities / total.probabilities.sum() if total.told_s > 0 else None
        heard = total.heard_s > 0 and total.heard_s >= total.told_s / 2
        seen = total.seen_s > 0 and total.seen_s >= total.told_s / 2
        return Segment(
            start_s=start_s,
            end_s=min(start_s + SEGMENT_SECONDS, end_s),
            probabilities=told,
            uncertain=told is None or float(told.max()) < self._uncertain_below.of(heard, seen),
            heard=heard,
            seen=seen,
            face=median_face(total.faces) if seen else None,
            speech=total.spoken_s / total.covered_s if total.covered_s > 0 else 0.0,
        )

    def _sum(self, number: int) -> _Sum:
        while len(self._sums) <= number - self._first:
            self._sums.append(_Sum())
        return self._sums[number - self._first]


def segments_in(duration_s: float) -> int:
    """How many segments a file has; the last one may be short."""
    return max(math.ceil((duration_s - SLIVER_SECONDS) / SEGMENT_SECONDS), 1)


def median_face(faces: Sequence[FaceBox]) -> FaceBox | None:
    """The median of each number; None without a face."""
    if not faces:
        return None
    boxes = np.array([[f.x, f.y, f.width, f.height, f.score] for f in faces])
    return FaceBox(*(float(value) for value in np.median(boxes, axis=0)))


def _covered(begin_s: float, end_s: float) -> list[tuple[int, float]]:
    """The segments that ``[begin_s, end_s)`` lies in, and how many seconds of each."""
    first = math.floor((begin_s + SLIVER_SECONDS) / SEGMENT_SECONDS)
    covered = []
    for number in range(first, math.ceil((end_s - SLIVER_SECONDS) / SEGMENT_SECONDS)):
        left_s, right_s = number * SEGMENT_SECONDS, (number + 1) * SEGMENT_SECONDS
        covered.append((number, min(right_s, end_s) - max(left_s, begin_s)))
    return covered
