from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from fer_core.errors import UserError
from fer_desktop.capture import opencv_camera
from fer_desktop.capture.opencv_camera import OpenCVCamera


@pytest.fixture
def camera(mjpeg_server):
    """An open camera on a server that sends 100 pictures a second."""
    server = mjpeg_server(100)
    camera = OpenCVCamera(server.url)
    camera.open()
    camera.server = server
    yield camera
    camera.close()


def read_on(camera) -> None:
    while True:
        camera.read()


def test_frames_of_a_network_camera_arrive_as_rgb_with_rising_times(camera):
    frames = [camera.read() for _ in range(20)]
    assert frames[0].image.shape == (120, 160, 3)
    assert frames[0].image.dtype == np.uint8
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert abs(times[-1] - time.monotonic()) < 0.2
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))


def test_a_slow_reader_gets_the_newest_frame_and_no_backlog(camera, until):
    camera.read()
    before = camera.server.sent
    until(lambda: camera.server.sent > before + 100)
    frame = camera.read()
    assert time.monotonic() - frame.time_s < 0.1
    sent = camera.server.sent
    level = frame.image.mean() / 5  # of the picture that was sent as number `level`, modulo 50
    assert (sent - level) % 50 < 15


def test_a_stalled_network_camera_raises_and_does_not_hang(camera, monkeypatch):
    monkeypatch.setattr(opencv_camera, "STALLED_SECONDS", 0.3)
    camera.read()
    camera.server.stalled.set()
    started = time.monotonic()
    with pytest.raises(UserError, match="no picture"):
        read_on(camera)
    assert time.monotonic() - started < 1.5


def test_an_ended_connection_is_told(camera):
    camera.read()
    camera.server.ended.set()
    with pytest.raises(UserError, match="ended the connection"):
        read_on(camera)


def test_close_ends_a_read_in_progress(camera, until):
    camera.server.stalled.set()
    raised = []

    def read() -> None:
        try:
            read_on(camera)
        except UserError as error:
            raised.append((error.text, time.monotonic()))

    reading = threading.Thread(target=read)
    reading.start()
    time.sleep(0.1)
    closed_at = time.monotonic()
    camera.close()
    assert time.monotonic() - closed_at < 0.1, "closing must not hold up the window"
    reading.join(2)
    assert "closed" in raised[0][0]
    assert raised[0][1] - closed_at < 0.5


def test_a_camera_can_be_opened_again_and_counts_on(camera):
    last = camera.read().index
    camera.close()
    camera.open()
    assert camera.read().index > last


def test_nobody_at_the_address_is_told_at_once_and_quietly(capfd):
    camera = OpenCVCamera("http://127.0.0.1:9/video")
    started = time.monotonic()
    with pytest.raises(UserError, match="does not answer"):
        camera.open()
    assert time.monotonic() - started < 6
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="device paths are Linux's")
def test_a_device_that_does_not_exist_is_named_quietly(capfd):
    with pytest.raises(UserError, match="no camera at /dev/video77"):
        OpenCVCamera(77).open()
    assert capfd.readouterr().err == ""
