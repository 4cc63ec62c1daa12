"""The frames of a file under a window that moves on through it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import count

from fer_core.analysis.encoded_frames import EncodedFrame
from fer_core.media import (
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    TICK_SECONDS,
    FaceBox,
    VideoFrame,
    sample_frames,
)
from fer_core.predictor import EncodedFaces


class SlidingPicture:
    """Keeps what the window may still need, and no more."""

    def __init__(
        self, encoded: Iterable[EncodedFrame], last_until: Callable[[float], float]
    ) -> None:
        """``last_until``: when the file's last frame, which was read, ends; from its time."""
        self._encoded: Iterator[EncodedFrame] = iter(encoded)
        self._next: EncodedFrame | None = None  # read, and later than what was asked for
        self._kept: deque[EncodedFrame] = deque()
        self._last_until = last_until
        self.end_s = 0.0  # the time of the last frame read

    def reaches(self, time_s: float) -> bool:
        """Read all frames up to ``time_s``; False if the last one is not after it."""
        while (encoded := self._next or next(self._encoded, None)) is not None:
            self._next, self.end_s = encoded, encoded.frame.time_s
            if self.end_s > time_s:
                break
            self._next = None
            self._kept.append(encoded)
        return self._next is not None

    @property
    def seen(self) -> EncodedFaces:
        """What the network saw in the faces of all frames that are kept."""
        return {key: face for encoded in self._kept for key, face in encoded.seen.items()}

    def at(
        self, start_s: float
    ) -> tuple[tuple[VideoFrame | None, ...], dict[int, tuple[FaceBox | None, ...]]]:
        """The 16 frames of the window at ``start_s``, without pixels, and where each face was.

        What no later window shows is forgotten.
        """
        while len(self._kept) > 1 and self._kept[1].frame.time_s <= start_s:
            self._kept.popleft()
        faces_in = {encoded.frame.index: encoded.faces for encoded in self._kept}
        last_until_s = math.inf if self._next is not None else self._last_until(self.end_s)
        shown = sample_frames([encoded.frame for encoded in self._kept], start_s, last_until_s)
        faces = [{} if frame is None else faces_in[frame.index] for frame in shown]
        numbers = {number: None for boxes in faces for number in boxes}
        return shown, {number: tuple(boxes.get(number) for boxes in faces) for number in numbers}


def looking_times(hop_s: float, duration_s: float) -> Iterator[float]:
    """When the windows of a file look, ascending and without end.

    Those of every ``hop_s`` from 0, and those of the window that ends at ``duration_s``.
    """
    last_s = max(duration_s - CLIP_SECONDS, 0.0)
    places = [TICK_SECONDS * place for place in range(1, FRAMES_PER_CLIP + 1)]
    return merge(*(_every(hop_s, place) for place in places), [last_s + place for place in places])


def _every(hop_s: float, begin_s: float) -> Iterator[float]:
    return (begin_s + hop_s * number for number in count())
