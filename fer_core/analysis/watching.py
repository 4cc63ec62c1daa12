"""A file's picture -> the faces that are looked at, and what the network sees in them.

A thread decodes, another finds faces, a third runs the network's eyes; between them lie a few
frames. Of a frame of 3840x2160, 25 MB, a vector of the network comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fer_core.analysis.identities import Follower
from fer_core.analysis.read_ahead import read_ahead
from fer_core.media import FaceBox, VideoFrame
from fer_core.predictor import SeenFaces
from fer_core.preprocess.face import FaceDetector

WAITING_BYTES = 64 * 2**20  # of frames between two threads
MOST_WAITING = 8  # frames; more do not make it faster
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


class Watched(NamedTuple):
    """A frame, without its pixels, and the faces that are looked at in it, each by its number."""

    frame: VideoFrame
    faces: Mapping[int, FaceBox]
    seen: SeenFaces


Look = Callable[[Sequence[tuple[VideoFrame, FaceBox]], SeenFaces], SeenFaces]  # Predictor.look


def watch(
    frames: Generator[VideoFrame], size: tuple[int, int], follower: Follower, look: Look
) -> Generator[Watched]:
    """``frames`` in order of time, of about ``size`` (width, height); closed in the end."""
    room = min(max(WAITING_BYTES // max(3 * size[0] * size[1], 1), 1), MOST_WAITING)
    with (
        closing(read_ahead(frames, room)) as decoded,
        closing(read_ahead(_found(decoded, follower), room)) as found,
        closing(read_ahead(_looked_at(found, look, room), MOST_WAITING)) as watched,
    ):
        yield from watched


_Found = tuple[VideoFrame, Mapping[int, FaceBox]]


def _found(frames: Generator[VideoFrame], follower: Follower) -> Generator[_Found]:
    with FaceDetector() as detector:
        for frame in frames:
            yield frame, follower.follow(detector.detect(frame.image), frame.time_s)


def _looked_at(found: Generator[_Found], look: Look, at_once: int) -> Generator[Watched]:
    """Several frames together: one by one they would take twice the time."""
    waiting: list[_Found] = []
    for frame, faces in found:
        waiting.append((frame, faces))
        if len(waiting) == at_once:
            yield from _look(waiting, look)
            waiting.clear()
    yield from _look(waiting, look)


def _look(found: Sequence[_Found], look: Look) -> list[Watched]:
    seen = look([(frame, face) for frame, faces in found for face in faces.values()], {})
    return [
        Watched(
            replace(frame, image=NO_PIXELS),
            faces,
            {(frame.index, face): seen[frame.index, face] for face in faces.values()},
        )
        for frame, faces in found
    ]
