"""A file's picture -> the faces that are looked at, and their vectors.

A thread decodes, another finds faces, a third encodes these; between them lie a few
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
from fer_core.predictor import EncodedFaces
from fer_core.preprocess.face import FaceDetector

WAITING_BYTES = 64 * 2**20  # of frames between two threads
MOST_WAITING = 8  # frames; more do not make it faster
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


class EncodedFrame(NamedTuple):
    """A frame, without its pixels, and the faces that are looked at in it, each by its number."""

    frame: VideoFrame
    faces: Mapping[int, FaceBox]
    seen: EncodedFaces


EncodeFaces = Callable[
    [Sequence[tuple[VideoFrame, FaceBox]], EncodedFaces], EncodedFaces
]  # Predictor.encode_faces


def encoded_frames(
    frames: Generator[VideoFrame], size: tuple[int, int], follower: Follower, encode: EncodeFaces
) -> Generator[EncodedFrame]:
    """``frames`` in order of time, of about ``size`` (width, height); closed in the end."""
    room = min(max(WAITING_BYTES // max(3 * size[0] * size[1], 1), 1), MOST_WAITING)
    with (
        closing(read_ahead(frames, room)) as decoded,
        closing(read_ahead(_found(decoded, follower), room)) as found,
        closing(read_ahead(_encoded(found, encode, room), MOST_WAITING)) as encoded,
    ):
        yield from encoded


_Found = tuple[VideoFrame, Mapping[int, FaceBox]]


def _found(frames: Generator[VideoFrame], follower: Follower) -> Generator[_Found]:
    with FaceDetector(everybody=follower.everybody) as detector:
        for frame in frames:
            yield frame, follower.follow(detector.detect(frame.image), frame.time_s)


def _encoded(
    found: Generator[_Found], encode: EncodeFaces, at_once: int
) -> Generator[EncodedFrame]:
    """Several frames together: one by one they would take twice the time."""
    waiting: list[_Found] = []
    for frame, faces in found:
        waiting.append((frame, faces))
        if len(waiting) == at_once:
            yield from _encode(waiting, encode)
            waiting.clear()
    yield from _encode(waiting, encode)


def _encode(found: Sequence[_Found], encode: EncodeFaces) -> list[EncodedFrame]:
    seen = encode([(frame, face) for frame, faces in found for face in faces.values()], {})
    return [
        EncodedFrame(
            replace(frame, image=NO_PIXELS),
            faces,
            {(frame.index, face): seen[frame.index, face] for face in faces.values()},
        )
        for frame, faces in found
    ]
