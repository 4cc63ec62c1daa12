"""Which cameras and microphones there are, by the names people know."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

from fer_core.errors import UserError
from fer_desktop.capture.microphone import exclusive, look_for_devices, portaudio


@dataclass(frozen=True, slots=True)
class Device:
    """A camera or a microphone."""

    id: str  # to be remembered, because indices move between two starts
    name: str
    source: str  # a camera's text for ``parse_camera``, a microphone's name


@dataclass(frozen=True, slots=True)
class Found:
    """What was found; ``reason`` says why nothing was, and ``hint`` what to do about it."""

    devices: tuple[Device, ...]
    reason: str = ""
    hint: str = ""


def cameras() -> Found:
    """The cameras that are plugged in. Needs a QGuiApplication on Linux; never raises."""
    try:
        found = _qt_cameras() if sys.platform == "linux" else _opencv_cameras()
    except Exception as error:  # a list in a menu is not worth a crash
        return Found((), f"Cameras cannot be listed: {error}")
    return Found(found, "" if found else "No camera is plugged in.")


def microphones(rescan: bool = False) -> Found:
    """The microphones that PortAudio knows; never raises.

    PortAudio looks for them once; ``rescan`` makes it look again, unless a microphone is in use.
    """
    try:
        sounddevice = portaudio()
        if rescan:
            look_for_devices(sounddevice)
        with exclusive:  # looking again frees what is read here
            names = _input_names(sounddevice)
    except UserError as error:
        return Found((), error.text, error.hint)
    except Exception as error:
        return Found((), f"Microphones cannot be listed: {error}")
    found = tuple(Device(name, name, name) for name in names)
    return Found(found, "" if found else "No microphone is plugged in.")


def _input_names(sounddevice: ModuleType) -> list[str]:
    inputs = [d for d in sounddevice.query_devices() if d["max_input_channels"] > 0]
    # Windows lists a microphone once for each of its interfaces: one of them is enough.
    default, _ = sounddevice.default.device
    usual = [d["hostapi"] for d in inputs if d["index"] == default]
    if usual:
        inputs = [d for d in inputs if d["hostapi"] == usual[0]]
    inputs.sort(key=lambda d: d["index"] != default)  # the system's choice first
    return list(dict.fromkeys(d["name"] for d in inputs))


def _qt_cameras() -> tuple[Device, ...]:
    # On Linux Qt's ids are the device paths that OpenCV opens.
    from PySide6.QtMultimedia import QMediaDevices

    found = []
    for camera in QMediaDevices.videoInputs():
        path = bytes(camera.id().data()).decode()
        found.append(Device(path, camera.description(), path))
    return tuple(found)


def _opencv_cameras() -> tuple[Device, ...]:
    # Elsewhere Qt's order is not OpenCV's; this package counts as OpenCV does.
    from cv2_enumerate_cameras import enumerate_cameras

    from fer_desktop.capture.opencv_camera import device_backend

    return tuple(
        Device(camera.path or camera.name, camera.name, str(camera.index))
        for camera in enumerate_cameras(device_backend())
    )
