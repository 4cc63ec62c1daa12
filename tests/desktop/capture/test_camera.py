from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fer_core.errors import UserError
from fer_desktop.capture.camera import parse_camera, refusal
from fer_desktop.capture.opencv_camera import OpenCVCamera
from fer_desktop.capture.video_file import VideoFileCamera

linux = pytest.mark.skipif(sys.platform != "linux", reason="device paths are Linux's")


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("0", OpenCVCamera, "Camera 0"),
        (" 2 ", OpenCVCamera, "Camera 2"),
        ("/dev/video0", OpenCVCamera, "/dev/video0"),
        ("http://10.0.0.2:8080/video", OpenCVCamera, "http://10.0.0.2:8080/video"),
        ("RTSP://host/stream", OpenCVCamera, "RTSP://host/stream"),
        ("clip.mp4", VideoFileCamera, "clip.mp4"),
        ("~/a folder/clip.mp4", VideoFileCamera, "clip.mp4"),
    ],
)
def test_a_text_names_a_camera(text, kind, name):
    camera = parse_camera(text)
    assert type(camera) is kind
    assert camera.name == name


@pytest.mark.parametrize("text", ["none", "NONE "])
def test_none_is_no_camera(text):
    assert parse_camera(text) is None


@pytest.mark.parametrize("text", ["", "  ", "ftp://host/clip.mp4"])
def test_what_is_no_camera_says_what_would_be(text):
    with pytest.raises(UserError, match="is not a camera") as refused:
        parse_camera(text)
    assert "http://" in refused.value.hint


@linux
def test_a_missing_device_is_told_from_a_forbidden_one(tmp_path, monkeypatch):
    device = tmp_path / "video7"
    assert "no camera" in refusal(str(device)).text
    device.touch()
    assert "cannot be opened" in refusal(str(device)).text
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != device)
    assert "may not use" in refusal(str(device)).text
    assert "usermod -aG video" in refusal(str(device)).hint


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_system_settings_are_named(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert "Settings, Privacy & " in refusal(0).hint
