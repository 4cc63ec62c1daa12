from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from fer_desktop.capture import devices
from fer_desktop.capture.devices import Device


def qt_camera(path: bytes, name: str) -> SimpleNamespace:
    return SimpleNamespace(id=lambda: SimpleNamespace(data=lambda: path), description=lambda: name)


def test_on_linux_a_cameras_id_is_the_path_that_opencv_opens(monkeypatch):
    multimedia = pytest.importorskip("PySide6.QtMultimedia")
    monkeypatch.setattr(sys, "platform", "linux")
    listed = [qt_camera(b"/dev/video2", "Integrated Camera")]
    monkeypatch.setattr(multimedia, "QMediaDevices", SimpleNamespace(videoInputs=lambda: listed))
    (camera,) = devices.cameras().devices
    assert camera == Device("/dev/video2", "Integrated Camera", "/dev/video2")


def test_elsewhere_the_index_is_opencvs_and_what_is_remembered_is_not(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    listed = [SimpleNamespace(index=1, name="USB Camera", path=r"\\?\usb#vid_046d")]
    monkeypatch.setitem(
        sys.modules, "cv2_enumerate_cameras", SimpleNamespace(enumerate_cameras=lambda _: listed)
    )
    assert devices.cameras().devices == (Device(r"\\?\usb#vid_046d", "USB Camera", "1"),)


def test_no_camera_has_a_reason(qapp):
    found = devices.cameras()
    if found.devices:
        pytest.skip("this computer has a camera")
    assert found.reason == "No camera is plugged in."


def test_a_list_that_fails_is_a_reason_and_no_crash(monkeypatch):
    def fail() -> tuple[Device, ...]:
        raise RuntimeError("no backend")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "_qt_cameras", fail)
    assert devices.cameras() == devices.Found((), "Cameras cannot be listed: no backend")


def test_windows_double_entries_are_listed_once(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    listed = [
        {"index": 0, "name": "Desk mic", "max_input_channels": 1, "hostapi": 0},
        {"index": 1, "name": "Speaker", "max_input_channels": 0, "hostapi": 0},
        {"index": 2, "name": "Desk microphone", "max_input_channels": 1, "hostapi": 1},
    ]
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: listed)
    monkeypatch.setattr(sounddevice.default, "device", (2, -1))
    assert [device.name for device in devices.microphones().devices] == ["Desk microphone"]


def test_a_rescan_starts_portaudio_anew(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    calls = []
    monkeypatch.setattr(sounddevice, "_terminate", lambda: calls.append("terminate"))
    monkeypatch.setattr(sounddevice, "_initialize", lambda: calls.append("initialize"))
    devices.microphones()
    assert calls == []
    devices.microphones(rescan=True)
    assert calls == ["terminate", "initialize"]
