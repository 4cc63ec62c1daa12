"""What the network is given: frames, sound and face boxes, cut to clips of three seconds.

A clip is 3 s, cut into 8 segments of 375 ms; a new clip starts every hop of 375 ms. It holds 16
frames, two a segment, and 48,000 samples of sound at 16 kHz. All times are seconds on the clock of
the source: the session's monotonic clock live, the presentation time in a file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz
CLIP_SECONDS = 3.0
SEGMENTS = 8
SEGMENT_SECONDS = CLIP_SECONDS / SEGMENTS  # 0.375
HOP_SECONDS = SEGMENT_SECONDS
SHORTEST_HOP_SECONDS = 0.05  # of a file's analysis, whose windows may lie closer; the longest is 3
CLIP_SAMPLES = int(SAMPLE_RATE * CLIP_SECONDS)  # 48,000
SEGMENT_SAMPLES = CLIP_SAMPLES // SEGMENTS  # 6,000
FRAMES_PER_SEGMENT = 2
FRAMES_PER_CLIP = SEGMENTS * FRAMES_PER_SEGMENT  # 16
TICK_SECONDS = SEGMENT_SECONDS / FRAMES_PER_SEGMENT  # 0.1875, exact in binary
# A camera's older frame says nothing about now: one that stalled is no face.
MAX_FRAME_AGE_SECONDS = 0.5

RgbImage = NDArray[np.uint8]  # (H, W, 3)
Waveform = NDArray[np.float32]  # (n,), -1 to 1
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One picture of a camera or a file."""

    image: RgbImage  # (H, W, 3), unmirrored
    time_s: float
    index: int  # counts up within its source; equal index means equal picture


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """Consecutive samples as a microphone or a file delivered them."""

    samples: Waveform  # (n,) mono
    sample_rate: int
    time_s: float  # of the first sample
    overflowed: bool = False  # the driver lost sound before this block


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A face in pixels of its frame, clipped to the picture; (x, y) is the top left corner."""

    x: float
    y: float
    width: float
    height: float
    score: float  # of the detector, 0 to 1

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def contains(self, x: float, y: float) -> bool:
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def overlap(self, other: FaceBox) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared) if shared > 0 else 0.0

    def shared(self, other: FaceBox) -> float:
        """The area that lies in both."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The 3 s given to the network, ``[start_s, start_s + 3)``.

    Frame ``k`` is the newest one at or before ``start_s + (k + 1) * 0.1875``, so that the last is
    the freshest there is; None where the camera gave nothing or the file's picture has ended.
    ``faces[k]`` is the face followed in
    it, None where none was found: that frame is then hidden from the network.
    """

    start_s: float
    frames: tuple[VideoFrame | None, ...]  # 16
    faces: tuple[FaceBox | None, ...]  # 16
    waveform: Waveform  # (48000,) at 16 kHz, zeros where there is no sound
    waveform_mask: BoolArray  # (48000,), True where the sound is real

    def __post_init__(self) -> None:
        if len(self.frames) != FRAMES_PER_CLIP or len(self.faces) != FRAMES_PER_CLIP:
            raise ValueError(
                f"a clip has {FRAMES_PER_CLIP} frames and faces, "
                f"got {len(self.frames)} and {len(self.faces)}"
            )
        for name, array in (("waveform", self.waveform), ("waveform_mask", self.waveform_mask)):
            if array.shape != (CLIP_SAMPLES,):
                raise ValueError(f"{name} must have shape ({CLIP_SAMPLES},), got {array.shape}")

    @property
    def end_s(self) -> float:
        return self.start_s + CLIP_SECONDS


def tick_of(time_s: float) -> int:
    """The first sampling tick at or after ``time_s``: the one a frame of that time can serve."""
    return math.ceil(time_s / TICK_SECONDS)


def clip_starts(duration_s: float) -> list[float]:
    """Where the clips of a file or an utterance start.

    Every 375 ms from 0, and one that ends at the media's end; media shorter than a clip gets one.
    """
    last = duration_s - CLIP_SECONDS
    if last <= 0:
        return [0.0]
    starts = [i * HOP_SECONDS for i in range(math.floor(last / HOP_SECONDS) + 1)]
    return starts if starts[-1] == last else [*starts, last]


def newest_frames(
    times_s: NDArray[np.float64], start_s: float, last_until_s: float | None = None
) -> NDArray[np.int64]:
    """Which frame each of the 16 places of the clip at ``start_s`` shows, -1 where none.

    Args:
        times_s: (n,), of the frames, ascending.
        last_until_s: of a file, where a frame is shown until the next one: when the last one ends.
            None: of a camera, which may have stalled in between.
    """
    ticks = start_s + TICK_SECONDS * np.arange(1, FRAMES_PER_CLIP + 1)
    newest = np.searchsorted(times_s, ticks, side="right") - 1
    if not len(times_s):
        return newest.astype(np.int64)
    shown = ticks - times_s[newest] <= MAX_FRAME_AGE_SECONDS
    if last_until_s is not None:
        shown |= (newest < len(times_s) - 1) | (ticks < last_until_s)
    return np.where((newest >= 0) & shown, newest, -1).astype(np.int64)


def sample_frames(
    frames: Sequence[VideoFrame], start_s: float, last_until_s: float | None = None
) -> tuple[VideoFrame | None, ...]:
    """The 16 frames of the clip at ``start_s``, from ``frames`` in order of time.

    ``last_until_s``: as for :func:`newest_frames`.
    """
    times_s = np.array([frame.time_s for frame in frames], np.float64)
    chosen = newest_frames(times_s, start_s, last_until_s)
    return tuple(frames[place] if place >= 0 else None for place in chosen)
