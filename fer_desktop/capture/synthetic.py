"""A camera and a microphone that need no hardware: the drawn face and the made-up voice.

Both are functions of the same clock, so the mouth moves with the voice. They are what ``--demo``
shows and what tests run on.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from fer_core.errors import UserError
from fer_core.media import AudioBlock, VideoFrame
from fer_desktop.capture.synthetic_face import draw_face
from fer_desktop.capture.synthetic_voice import VOICE_RATE, speech

__all__ = ["SyntheticCamera", "SyntheticMicrophone", "draw_face", "speech"]

FPS = 30
BLOCK_SAMPLES = VOICE_RATE // 50  # 20 ms, as a sound card gives them


class SyntheticCamera:
    """The drawn face, 640x480 at 30 frames a second; a slow reader misses frames."""

    name = "Drawn face"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closing = threading.Event()
        self._last = 0

    def open(self) -> None:
        self._closing.clear()

    def read(self) -> VideoFrame:
        due = max(self._last + 1, math.floor(self._clock() * FPS))
        if self._closing.wait(max(due / FPS - self._clock(), 0.0)):
            raise UserError(f"{self.name} is closed.")
        self._last = due
        return VideoFrame(draw_face(due / FPS), due / FPS, due)

    def close(self) -> None:
        self._closing.set()


class SyntheticMicrophone:
    """The made-up voice at 48 kHz, in blocks of 20 ms."""

    name = "Made-up voice"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closing = threading.Event()
        self._next = 0  # block

    def open(self) -> None:
        self._closing.clear()
        self._next = math.floor(self._clock() * VOICE_RATE / BLOCK_SAMPLES)

    def read(self, timeout_s: float) -> AudioBlock | None:
        start = self._next * BLOCK_SAMPLES / VOICE_RATE
        wait_s = start + BLOCK_SAMPLES / VOICE_RATE - self._clock()
        if self._closing.wait(max(min(wait_s, timeout_s), 0.0)):
            raise UserError(f"{self.name} is closed.")
        if wait_s > timeout_s:
            return None
        self._next += 1
        return AudioBlock(speech(start, BLOCK_SAMPLES), VOICE_RATE, start)

    def close(self) -> None:
        self._closing.set()
