"""The frames of a file under a window that moves on through it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from itertools import count
from typing import NamedTuple

import numpy as np

from fer_core.media import (
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    MAX_FRAME_AGE_SECONDS,
    TICK_SECONDS,
    FaceBox,
    VideoFrame,
    sample_frames,
)
from fer_core.predictor import SeenFaces

NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


class Watched(NamedTuple):
    """A frame and the faces that are looked at in it, each by its number."""

    frame: VideoFrame
    faces: Mapping[int, FaceBox]


Look = Callable[[Sequence[tuple[VideoFrame, FaceBox]], SeenFaces], SeenFaces]  # Predictor.look


class SlidingPicture:
    """The network looks at a face as soon as its frame comes; the pixels are then let go.

    Of a frame of 3840x2160, 25 MB, a vector of the network stays.
    """

    def __init__(self, watched: Iterable[Watched], look: Look, at_once: int) -> None:
        """``at_once``: how many frames may wait with their pixels."""
        self._watched: Iterator[Watched] = iter(watched)
        self._look = look
        self._at_once = at_once
        self._next: Watched | None = None  # read, and later than what was asked for
        self._frames: deque[VideoFrame] = deque()  # without pixels
        self._faces: dict[int, Mapping[int, FaceBox]] = {}  # by the frame's index
        self.seen: SeenFaces = {}
        self.end_s = 0.0  # the time of the last frame read

    def reaches(self, time_s: float) -> bool:
        """Read all frames up to ``time_s``; False if the last one is not after it."""
        fresh: list[Watched] = []
        while (watched := self._next or next(self._watched, None)) is not None:
            self._next, self.end_s = watched, watched.frame.time_s
            if self.end_s > time_s:
                break
            self._next = None
            fresh.append(watched)
            if len(fresh) == self._at_once:
                self._take(fresh)
        self._take(fresh)
        return self._next is not None

    def at(
        self, start_s: float
    ) -> tuple[tuple[VideoFrame | None, ...], dict[int, tuple[FaceBox | None, ...]]]:
        """The 16 frames of the window at ``start_s``, without pixels, and where each face was.

        What no later window shows is forgotten.
        """
        while self._frames and self._frames[0].time_s < start_s - MAX_FRAME_AGE_SECONDS:
            del self._faces[self._frames.popleft().index]
        self.seen = {key: face for key, face in self.seen.items() if key[0] in self._faces}
        shown = sample_frames(self._frames, start_s)
        faces = [{} if frame is None else self._faces[frame.index] for frame in shown]
        numbers = {number: None for boxes in faces for number in boxes}
        return shown, {number: tuple(boxes.get(number) for boxes in faces) for number in numbers}

    def _take(self, fresh: list[Watched]) -> None:
        """Look at the faces of ``fresh``, which is emptied."""
        looked_at = [(frame, face) for frame, faces in fresh for face in faces.values()]
        self.seen = {**self.seen, **self._look(looked_at, {})}
        for frame, faces in fresh:
            self._frames.append(replace(frame, image=NO_PIXELS))
            self._faces[frame.index] = faces
        fresh.clear()


def looking_times(hop_s: float, duration_s: float) -> Iterator[float]:
    """When the windows of a file look, ascending and without end.

    Those of every ``hop_s`` from 0, and those of the window that ends at ``duration_s``.
    """
    last_s = max(duration_s - CLIP_SECONDS, 0.0)
    places = [TICK_SECONDS * place for place in range(1, FRAMES_PER_CLIP + 1)]
    return merge(*(_every(hop_s, place) for place in places), [last_s + place for place in places])


def _every(hop_s: float, begin_s: float) -> Iterator[float]:
    return (begin_s + hop_s * number for number in count())
