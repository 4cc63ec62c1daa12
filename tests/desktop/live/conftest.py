"""Recordings as they lie on the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fer_core.media import RgbImage


class Recorded:
    """A video read back: frames and their times, sound and where it begins."""

    def __init__(self, video: Path) -> None:
        self.frames: list[tuple[float, RgbImage]] = []
        blocks: list[Any] = []
        with av.open(str(video)) as file:
            self.tracks = {stream.type for stream in file.streams}
            for frame in file.decode():
                if isinstance(frame, av.VideoFrame):
                    self.frames.append((frame.time, frame.to_ndarray(format="rgb24")))
                else:
                    blocks.append((frame.time, frame.to_ndarray()[0]))
                    self.rate = frame.sample_rate
        self.sound_begins_s = blocks[0][0] if blocks else None
        self.sound = np.concatenate([b for _, b in blocks]) if blocks else np.zeros(0)

    def flashes_s(self) -> list[float]:
        """When the picture becomes bright."""
        bright = [(time_s, image.mean() > 150) for time_s, image in self.frames]
        return [
            t for (t, now), (_, before) in zip(bright[1:], bright, strict=False) if now > before
        ]

    def beeps_s(self, quiet_s: float = 0.3) -> list[float]:
        """When sound begins after so much silence."""
        loud = np.flatnonzero(np.abs(self.sound) > 0.1) / self.rate
        first = np.diff(loud, prepend=-1.0) > quiet_s
        return [float(t) for t in loud[first] + self.sound_begins_s]


@pytest.fixture
def recorded() -> Callable[[Path], Recorded]:
    return Recorded
