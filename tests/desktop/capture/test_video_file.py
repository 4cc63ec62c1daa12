from __future__ import annotations

import threading
import time

import pytest

from fer_core.errors import UserError
from fer_desktop.capture.video_file import VideoFileCamera


@pytest.fixture
def camera(clip):
    camera = VideoFileCamera(clip)
    yield camera
    camera.close()


def shade(frame) -> int:
    """Which of the clip's pictures it is."""
    return round((frame.image[..., 0].mean() - 20) / 20)


def test_a_file_plays_at_its_own_pace_in_rgb(camera):
    camera.open()
    frames = [camera.read() for _ in range(10)]
    assert frames[0].image[..., 1:].max() < 40, "red is the first channel"
    assert [shade(frame) for frame in frames] == list(range(10))
    assert frames[-1].time_s - frames[0].time_s == pytest.approx(9 / 25, abs=0.03)


def test_a_slow_reader_skips_what_it_missed(camera):
    camera.open()
    assert shade(camera.read()) == 0
    time.sleep(0.2)
    assert shade(camera.read()) == pytest.approx(5, abs=1)


def test_a_looped_file_goes_on_without_a_break(clip):
    camera = VideoFileCamera(clip)
    camera.open()
    frames = [camera.read() for _ in range(25)]
    camera.close()
    assert {shade(frame) for frame in frames[10:]} == set(range(10))
    assert frames[-1].time_s - frames[0].time_s == pytest.approx(24 / 25, abs=0.05)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))


def test_close_ends_the_wait_for_the_next_frame(camera):
    camera.open()
    camera.read()
    raised = []

    def read() -> None:
        try:
            while True:
                camera.read()
        except UserError as error:
            raised.append(error.text)

    reading = threading.Thread(target=read)
    reading.start()
    camera.close()
    reading.join(1)
    assert raised == ["clip.avi is closed."]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone\.mp4"):
        VideoFileCamera(tmp_path / "gone.mp4").open()


@pytest.mark.parametrize("content", [b"", b"not a video at all\n" * 100])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a video"):
        VideoFileCamera(path).open()


def test_a_file_that_decodes_slower_than_it_plays_is_shown_slower(camera, monkeypatch):
    grab = camera._grab

    def slow() -> None:
        time.sleep(0.06)  # 25 a second are wanted
        grab()

    monkeypatch.setattr(camera, "_grab", slow)
    camera.open()
    frames = [camera.read() for _ in range(3)]  # and not the file's end at once
    assert len({shade(frame) for frame in frames}) == 3
