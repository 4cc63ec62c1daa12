"""A live camera through OpenCV: on the desk, or an MJPEG or RTSP address in the network.

A thread of its own reads without pause and keeps only the newest frame. Whoever is slower than the
camera then loses frames instead of falling behind in the driver's or the socket's buffer, and a
camera that hangs inside the driver is noticed from outside.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from fer_core.errors import UserError
from fer_core.media import VideoFrame
from fer_core.preprocess.opencv import cv2
from fer_desktop.capture.camera import is_address, refusal

WIDTH, HEIGHT, FPS = 640, 480, 30  # a face at arm's length is 150 pixels wide: enough for 224
STALLED_SECONDS = 3.0
LETTING_GO_SECONDS = 2.0
NETWORK_TIMEOUT_MS = 5000


# The last reader of each source, perhaps that of another object: a session started anew has one.
_leaving: dict[int | str, threading.Thread] = {}


class OpenCVCamera:
    """``source`` is OpenCV's index, a device's path, or a network address."""

    def __init__(self, source: int | str, name: str | None = None) -> None:
        self._source = source
        self._network = isinstance(source, str) and is_address(source)
        self._name = name or (f"Camera {source}" if isinstance(source, int) else source)
        self._frames = 0  # over all openings, so that no two frames share an index
        self._changed = threading.Condition()
        self._newest: VideoFrame | None = None  # not yet handed out
        self._reader: threading.Thread | None = None  # None: closed
        self._ended = False  # the camera gives no more frames

    @property
    def name(self) -> str:
        return self._name

    def open(self) -> None:
        self.close()
        leaving = _leaving.get(self._source)
        if leaving is not None:
            # Many devices can be open only once; the last reader lets go of this one by itself.
            leaving.join(LETTING_GO_SECONDS)
        capture = self._capture()
        if not capture.isOpened():
            capture.release()
            raise refusal(self._source)
        with self._changed:
            self._newest, self._ended = None, False
            self._reader = threading.Thread(
                # A driver that never returns must not keep the program from ending.
                target=self._drain,
                args=(capture,),
                name=f"reading {self.name}",
                daemon=True,
            )
            self._reader.start()

    def read(self) -> VideoFrame:
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: self._newest is not None or self._ended or self._reader is None,
                STALLED_SECONDS,
            )
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self._reader is None:
                raise UserError(f"{self.name} is closed.")
        if not arrived:
            raise UserError(
                f"{self.name} has sent no picture for {STALLED_SECONDS:.0f} seconds.",
                "Check the network." if self._network else "Unplug it and plug it in again.",
            )
        if self._network:
            raise UserError(f"{self.name} ended the connection.", "Check that it is still on.")
        raise UserError(f"{self.name} was unplugged or stopped.", "Plug it in again.")

    def close(self) -> None:
        with self._changed:
            if self._reader is not None:
                _leaving[self._source] = self._reader
            self._reader = None
            self._changed.notify_all()

    def _capture(self) -> cv2.VideoCapture:
        if self._network:
            # Without them a camera that went silent holds the thread for half a minute.
            timeouts = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS),
            ]
            return cv2.VideoCapture(str(self._source), cv2.CAP_FFMPEG, timeouts)
        capture = cv2.VideoCapture(self._source, device_backend())
        if sys.platform == "linux":
            # Uncompressed, many USB cameras reach 30 frames a second at no useful size.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        capture.set(cv2.CAP_PROP_FPS, FPS)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _drain(self, capture: Any) -> None:
        me = threading.current_thread()
        try:
            while self._reader is me and capture.grab():
                time_s = time.monotonic()
                decoded, image = capture.retrieve()
                if not decoded:  # a damaged picture; the next one may be whole
                    continue
                frame = VideoFrame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), time_s, self._frames)
                with self._changed:
                    if self._reader is not me:
                        break
                    self._frames += 1
                    self._newest = frame
                    self._changed.notify_all()
        finally:
            capture.release()
            with self._changed:
                if self._reader is me:
                    self._ended = True
                    self._changed.notify_all()


def device_backend() -> int:
    """OpenCV's interface to the cameras of this platform; indices count within it."""
    backends = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
    return backends.get(sys.platform, cv2.CAP_ANY)
