"""Which faces of a frame are looked at, each under a number: the largest as 0, or every one.

Frames come in order of time, a few in a second; equal numbers mean the same face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from fer_core.media import FaceBox
from fer_core.preprocess.face import SAME_FACE_OVERLAP, FaceTracker

FaceChoice = Literal["largest", "all"] | int  # or the number of one of all, from 0
# A face that comes back to its place after so long is another one: nothing but places is known.
KEPT_SECONDS = 3.0


class Follower(Protocol):
    everybody: bool  # whether those in the background matter too

    def follow(self, faces: Sequence[FaceBox], time_s: float) -> Mapping[int, FaceBox]:
        """Those of a frame's ``faces`` that are looked at, by number."""
        ...


class LargestFace:
    """One face, as live: the largest, kept while it is there."""

    everybody = False

    def __init__(self) -> None:
        self._tracker = FaceTracker()

    def follow(self, faces: Sequence[FaceBox], time_s: float) -> Mapping[int, FaceBox]:
        face = self._tracker.follow(faces, time_s)
        return {} if face is None else {0: face}


class EveryFace:
    """All faces, numbered in the order of their coming, the larger of two first.

    A face keeps its number while it overlaps its last place by ``SAME_FACE_OVERLAP``, also after
    it was not found for a while; where several could be meant, those that overlap most belong
    together.
    """

    everybody = True

    def __init__(self) -> None:
        self._last: dict[int, tuple[FaceBox, float]] = {}  # where each was, and when
        self._next = 0

    def follow(self, faces: Sequence[FaceBox], time_s: float) -> Mapping[int, FaceBox]:
        self._last = {
            number: (box, seen_s)
            for number, (box, seen_s) in self._last.items()
            if time_s - seen_s <= KEPT_SECONDS
        }
        overlaps = sorted(
            (
                (box.overlap(face), number, place)
                for number, (box, _) in self._last.items()
                for place, face in enumerate(faces)
            ),
            reverse=True,
        )
        numbers: dict[int, int] = {}  # by the face's place in ``faces``
        for overlap, number, place in overlaps:
            if overlap < SAME_FACE_OVERLAP:
                break
            if place not in numbers and number not in numbers.values():
                numbers[place] = number
        for place in range(len(faces)):
            if place not in numbers:
                numbers[place] = self._next
                self._next += 1
        found = {number: faces[place] for place, number in numbers.items()}
        self._last |= {number: (face, time_s) for number, face in found.items()}
        return found
