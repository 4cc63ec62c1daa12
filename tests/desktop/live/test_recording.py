"""What the thread of a recording gives to the writer of its file, at made-up times."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fer_core.media import AudioBlock, FaceBox
from fer_core.prediction import Prediction
from fer_desktop.errors import Notice
from fer_desktop.live import recording
from fer_desktop.live.recording import SOUND_RATE, Layout, Recording

pytestmark = pytest.mark.usefixtures("no_thread_stays")

FACE = FaceBox(20, 10, 24, 24, 0.9)
SIZE = (8, 6)


class Reel:
    """A writer of media files that only remembers."""

    def __init__(self, path: Path, size: object, rate: int | None) -> None:
        self.frames_s: list[float] = []
        self.sound: list[tuple[float, np.ndarray]] = []
        self.sound_s = 0.0
        self.may_write = threading.Event()
        self.may_write.set()
        self.fails: Exception | None = None

    def write_frame(self, image: np.ndarray, time_s: float) -> None:
        self.may_write.wait(10)
        if self.fails is not None:
            raise self.fails
        self.frames_s.append(time_s)

    def write_sound(self, samples: np.ndarray, time_s: float) -> None:
        self.sound.append((time_s, np.array(samples)))
        self.sound_s = time_s + len(samples) / SOUND_RATE

    def close(self) -> None:
        pass


@pytest.fixture
def reel(monkeypatch: pytest.MonkeyPatch) -> Reel:
    reel = Reel(Path(), None, None)
    monkeypatch.setattr(recording, "MediaWriter", lambda *_: reel)
    monkeypatch.setattr(recording, "write_timeline", lambda _: None)
    return reel


@pytest.fixture
def notices() -> list[Notice]:
    return []


@pytest.fixture
def film(reel: Reel, notices: list[Notice], tmp_path: Path) -> Recording:
    """A recording whose thread has not started: what is put in waits."""
    return Recording(tmp_path, Layout(SIZE, True), None, datetime.now(UTC), notices.append)


def picture() -> np.ndarray:
    return np.zeros((6, 8, 3), np.uint8)


def sound(time_s: float, seconds: float = 0.1, level: float = 0.5) -> AudioBlock:
    samples = np.full(round(seconds * SOUND_RATE), level, np.float32)
    return AudioBlock(samples, SOUND_RATE, time_s)


def written(film: Recording, ended_s: float = 0.0) -> None:
    film.end(ended_s)
    film.start()
    film.join(10)
    assert not film.is_alive()


def test_the_first_picture_is_there_from_the_beginning_on(film, reel) -> None:
    for time_s in (0.03, 0.06):
        film.add_frame(picture(), time_s, None)
    written(film)
    assert reel.frames_s == [0.0, 0.06]


def test_what_comes_after_the_end_is_not_recorded_and_the_first_end_counts(film, reel) -> None:
    film.add_frame(picture(), 0.0, None)
    film.end(3.0)
    film.add_frame(picture(), 3.1, None)
    written(film, 5.0)
    assert reel.frames_s == [0.0]
    assert [time_s for time_s, _ in reel.sound] == [3.0]  # the silence that tells the length


def test_the_first_sound_of_a_stretch_is_laid_to_the_sample(film, reel) -> None:
    film.add_sound(sound(0.02), 0.0)
    film.add_sound(sound(0.125), 0.0)  # its time jitters: the writer lets that be
    film.add_sound(sound(0.2), 0.2)  # after a pause; the sound before went on for 25 ms more
    written(film)
    (first_s, first), (second_s, second), (third_s, third) = reel.sound
    assert (first_s, second_s, third_s) == pytest.approx((0.0, 0.125, 0.225))
    late = round(0.02 * SOUND_RATE)
    assert len(first) == late + 4800
    assert not first[:late].any()
    assert (first[late:] == 0.5).all()
    assert (len(second), len(third)) == (4800, 4800 - round(0.025 * SOUND_RATE))


def test_a_disk_that_keeps_up_costs_no_frame_however_many_there_are(
    film, reel, until, monkeypatch
) -> None:
    monkeypatch.setattr(recording, "WAITING_BYTES", 2 * picture().nbytes)
    film.start()
    for number in range(6):
        film.add_frame(picture(), number / 10, None)
        until(lambda number=number: len(reel.frames_s) > number, 10)
    film.end(1.0)
    film.join(10)
    assert film.frames_dropped == 0


def test_what_waits_is_bounded_and_sound_left_out_is_no_frame(film, reel, monkeypatch) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 3)
    for place in range(5):
        film.add_sound(sound(place / 10), 0.0)
    assert film.frames_dropped == 0
    film.add_frame(picture(), 0.5, None)
    assert film.frames_dropped == 1
    written(film)
    assert len(reel.sound) == 3


def test_once_it_has_failed_it_holds_on_to_no_picture(film, reel, notices) -> None:
    reel.fails = OSError("the encoder broke")
    waiting, late = picture(), picture()
    held = [weakref.ref(waiting), weakref.ref(late)]
    film.add_frame(picture(), 0.0, None)
    film.add_frame(waiting, 0.1, None)
    film.start()
    film.join(10)
    film.add_frame(late, 0.2, None)
    del waiting, late
    assert film.failed
    assert [reference() for reference in held] == [None, None]
    (notice,) = notices
    assert "the encoder broke" in notice.text


def test_a_face_seen_at_a_segments_very_end_is_that_segments(
    film, make_prediction: Callable[..., Prediction]
) -> None:
    film.add_frame(picture(), 0.375, FACE)
    film.add_frame(picture(), 0.5, None)
    film.add_result(make_prediction(), 3.0, 0.0)
    written(film)
    last = film.video.with_suffix(".jsonl").read_text().splitlines()[-1]
    seen = [segment["face"] is not None for segment in json.loads(last)["segments"]]
    assert seen == [True] + [False] * 7
