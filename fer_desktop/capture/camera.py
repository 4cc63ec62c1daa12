"""What a camera is, and how a text names one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Protocol

from fer_core.errors import UserError
from fer_core.media import VideoFrame

NETWORK = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "udp://", "tcp://")
NO_CAMERA = "none"


class Camera(Protocol):
    """A source of frames. One thread opens and reads it; any thread may close it."""

    @property
    def name(self) -> str:
        """As people know it."""

    def open(self) -> None:
        """Begin; may be called again after :meth:`close`.

        Raises:
            UserError: there is no such camera, or it may not be used.
        """

    def read(self) -> VideoFrame:
        """Wait for the next frame, at the camera's own pace, and return the newest.

        Raises:
            UserError: the camera was unplugged, stalled or closed.
        """

    def close(self) -> None:
        """Let go of the device and end a read in progress.

        Returns at once, and is harmless when the camera is not open.
        """


def is_address(text: str) -> bool:
    """Whether ``text`` names a camera in the network."""
    return text.lower().startswith(NETWORK)


def parse_camera(text: str, name: str | None = None) -> Camera | None:
    """The camera named by ``text``: ``0``, ``/dev/video0``, ``http://...``, ``clip.mp4``.

    ``name``: a device's, as people know it, if that is another.

    None for ``none``. Nothing is opened yet, so nothing is said about whether it exists.

    Raises:
        UserError: the text is empty, or an address of an unknown kind.
    """
    # Both import OpenCV, which a window that only lists cameras does not need.
    from fer_desktop.capture.opencv_camera import OpenCVCamera
    from fer_desktop.capture.video_file import VideoFileCamera

    text = text.strip()
    if text.lower() == NO_CAMERA:
        return None
    if text.isdecimal():
        return OpenCVCamera(int(text), name)
    if text.startswith("/dev/") or is_address(text):
        return OpenCVCamera(text, name)
    if not text or re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
        raise UserError(
            f"“{text}” is not a camera.",
            "Give a number (0), a device (/dev/video0), an address that begins with http:// or "
            "rtsp://, a video file, or “none”.",
        )
    return VideoFileCamera(Path(text).expanduser())


def refusal(source: int | str) -> UserError:
    """Why the camera ``source``, which did not open, most likely did not."""
    if isinstance(source, str) and is_address(source):
        return UserError(
            f"The network camera {source} does not answer.",
            "Check the address, and that the camera and this computer are in the same network.",
        )
    if sys.platform == "darwin":
        return UserError(
            f"Camera {source} cannot be opened.",
            "Allow this program to use the camera in System Settings, Privacy & Security, Camera; "
            "close other programs that use it.",
        )
    if sys.platform == "win32":
        return UserError(
            f"Camera {source} cannot be opened.",
            "Allow desktop apps to use the camera in Settings, Privacy & security, Camera; close "
            "other programs that use it.",
        )
    return _linux_refusal(Path(f"/dev/video{source}" if isinstance(source, int) else source))


def _linux_refusal(device: Path) -> UserError:
    if not device.exists():
        return UserError(f"There is no camera at {device}.", "Plug one in, or choose another.")
    if not os.access(device, os.R_OK | os.W_OK):
        return UserError(
            f"This account may not use the camera {device}.",
            "Run “sudo usermod -aG video $USER”, then log out and in again.",
        )
    return UserError(
        f"The camera {device} cannot be opened.",
        "Close other programs that use it. If it has several devices, choose another.",
    )
