"""What is said of each of a file's faces, where it differs from what is said without them.

While a face is not in the window, its answers are those of the sound alone, which all faces share:
memory grows with how long faces are seen, not with their number times the file's length.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fer_core.analysis.file_average import FileAverage
from fer_core.analysis.segment_average import SLIVER_SECONDS, SegmentAverage
from fer_core.analysis.timeline import Segment
from fer_core.config import PerModality
from fer_core.media import CLIP_SECONDS, FRAMES_PER_CLIP, FaceBox
from fer_core.prediction import Prediction

NOBODY: tuple[FaceBox | None, ...] = (None,) * FRAMES_PER_CLIP
LEAST_SECONDS = 1.0  # a face that was seen for less was none, or somebody who passed by


class Answer(NamedTuple):
    """To one window."""

    prediction: Prediction | None  # None where nothing was heard or seen
    faces: Sequence[FaceBox | None]  # looked at in its 16 frames


@dataclass(slots=True)
class _Face:
    average: SegmentAverage | None = None  # while one of its windows may still tell of a segment
    until_s: float = 0.0  # the end of its last window
    segments: dict[int, Segment] = field(default_factory=dict)  # its own, by number
    difference: FileAverage = field(default_factory=FileAverage)  # from what all faces share

    @property
    def seen_s(self) -> float:
        return sum(s.end_s - s.start_s for s in self.segments.values() if s.seen)


class Appearances:
    """Takes a file's windows in order and gives its segments, as SegmentAverage does."""

    def __init__(self, uncertain_below: PerModality) -> None:
        self._shared = SegmentAverage(uncertain_below)
        self._whole = FileAverage()
        self._faces: dict[int, _Face] = {}
        self._taken: list[Segment] = []

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those taken so far that all faces share."""
        return tuple(self._taken)

    @property
    def whole(self) -> FileAverage:
        """Of the windows without the numbered faces."""
        return self._whole

    def add(
        self,
        start_s: float,
        shared: Answer,
        faces: Mapping[int, Answer],
        end_s: float = math.inf,
    ) -> None:
        """The window at ``start_s``: the answer without, and with each of the faces in it."""
        for number in faces:
            face = self._faces.setdefault(number, _Face())
            if face.average is None:  # until now it was told what all were
                face.average = copy.deepcopy(self._shared)
        for number, face in self._faces.items():
            if face.average is None:
                continue
            answer = faces.get(number, shared)
            face.average.add(start_s, *answer, end_s)
            if number in faces:
                face.until_s = start_s + CLIP_SECONDS
                face.difference.add(answer.prediction)
                face.difference.add(shared.prediction, -1)
        self._shared.add(start_s, *shared, end_s)
        self._whole.add(shared.prediction)

    def finished(self, before_s: float) -> int:
        """How many segments can be taken when all windows to come start after ``before_s``."""
        return self._shared.finished(before_s)

    def take(self, end_s: float = math.inf) -> Segment:
        """The next segment that all faces share; ``end_s``: of the file, which may cut it."""
        segment = self._shared.take(end_s)
        for face in self._faces.values():
            if face.average is not None:
                face.segments[len(self._taken)] = face.average.take(end_s)
                if face.until_s <= segment.end_s + SLIVER_SECONDS:
                    face.average = None
        self._taken.append(segment)
        return segment

    def of_faces(self) -> list[tuple[tuple[Segment, ...], FileAverage]]:
        """For each face that was seen for at least a second, in the order of their coming."""
        return [
            (
                tuple(face.segments.get(i, shared) for i, shared in enumerate(self._taken)),
                self._whole + face.difference,
            )
            for _, face in sorted(self._faces.items())
            if face.seen_s >= LEAST_SECONDS - SLIVER_SECONDS
        ]
