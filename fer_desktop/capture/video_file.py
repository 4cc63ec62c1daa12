"""A video file that behaves as a camera: it plays at its own pace."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from fer_core.errors import UserError
from fer_core.media import RgbImage, VideoFrame
from fer_core.preprocess.opencv import cv2

CATCH_UP_SECONDS = 0.1  # spent on leaving out frames; then the file plays slower
USUAL_FPS = 25.0  # of a file that does not say


class VideoFileCamera:
    """Plays ``path`` again and again.

    Frames are due by the file's timestamps; a reader that comes late gets the frame that is due
    and misses those in between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frames = 0  # over all openings, so that no two frames share an index
        self._guard = threading.Lock()  # around the capture, which is not safe in two threads
        self._capture: cv2.VideoCapture | None = None
        self._closing = threading.Event()

    @property
    def name(self) -> str:
        return self._path.name

    def open(self) -> None:
        self.close()
        self._closing.clear()
        self._start()
        self._zero: float | None = None  # when the file's time was 0

    def read(self) -> VideoFrame:
        self._grab()
        begun = time.monotonic()
        while self._until_due() < -self._frame_s:
            if time.monotonic() - begun > CATCH_UP_SECONDS:
                assert self._zero is not None
                self._zero -= self._until_due()  # it plays slower than it was made: from here on
                break
            self._grab()
        if self._closing.wait(max(self._until_due(), 0.0)):
            raise self._closed()
        with self._guard:
            if self._capture is None:
                raise self._closed()
            time_s = time.monotonic()
            decoded, image = self._capture.retrieve()
        if not decoded:
            raise UserError(f"{self.name} is damaged.", "Choose another file.")
        self._frames += 1
        rgb: RgbImage = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        return VideoFrame(rgb, time_s, self._frames - 1)

    def close(self) -> None:
        self._closing.set()
        with self._guard:
            if self._capture is not None:
                self._capture.release()
            self._capture = None

    def _start(self) -> None:
        if not self._path.is_file():
            raise UserError(f"There is no file {self._path}.", "Check its name and folder.")
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            capture.release()
            raise self._no_video()
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._frame_s = 1 / fps if fps > 0 else 1 / USUAL_FPS
        self._at = -self._frame_s  # in the file, of the frame grabbed last
        self._empty = True
        with self._guard:
            self._capture = capture

    def _grab(self) -> None:
        """Go to the next frame; after the last, to the first one."""
        with self._guard:
            if self._capture is None:
                raise self._closed()
            grabbed = self._capture.grab()
            at = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if grabbed:
            # Some files repeat timestamps or count backwards.
            self._at = at if at > self._at else self._at + self._frame_s
            self._empty = False
            if self._zero is None:
                self._zero = time.monotonic() - self._at
            return
        if self._empty:
            raise self._no_video()
        length = self._at + self._frame_s
        # From the beginning of the file: seeking is not exact in every format.
        self._start()
        assert self._zero is not None
        self._zero += length
        self._grab()

    def _until_due(self) -> float:
        """Seconds until the grabbed frame is to be shown."""
        assert self._zero is not None
        return self._zero + self._at - time.monotonic()

    def _closed(self) -> UserError:
        return UserError(f"{self.name} is closed.")

    def _no_video(self) -> UserError:
        return UserError(
            f"{self.name} is not a video that can be played.",
            "Choose an MP4, MOV, MKV, AVI or WebM file with pictures in it.",
        )
