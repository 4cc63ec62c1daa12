from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.analysis.peaks import Peak
from fer_desktop.playback.thumbnails import Thumbnail, Thumbnails


@pytest.fixture
def grey_ramp(tmp_path: Path) -> Path:
    """4 s at 10 frames a second that become brighter."""
    with av.open(str(tmp_path / "ramp.mkv"), "w") as file:
        track = file.add_stream("libx264", rate=10)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        for number in range(40):
            picture = np.full((48, 64, 3), 20 + 5 * number, np.uint8)
            file.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(track.encode(None))
    return tmp_path / "ramp.mkv"


@pytest.fixture
def thumbnails(qapp: object, no_thread_stays: None) -> Iterator[Thumbnails]:
    thumbnails = Thumbnails()
    yield thumbnails
    thumbnails.stop()


def peak(time_s: float) -> Peak:
    return Peak("happy", time_s, 0.9, None)


def test_each_peak_gets_the_picture_of_its_time(thumbnails, grey_ramp, until) -> None:
    told: list[Thumbnail] = []
    thumbnails.ready.connect(told.append)
    thumbnails.want(grey_ramp, [peak(0.55), peak(3.05)])
    until(lambda: len(told) == 2, 30)
    assert [thumbnail.peak.time_s for thumbnail in told] == [0.55, 3.05]
    assert told[0].image.mean() == pytest.approx(20 + 5 * 5, abs=4)
    assert told[1].image.mean() == pytest.approx(20 + 5 * 30, abs=4)


def test_what_was_told_is_not_made_again(thumbnails, grey_ramp, until) -> None:
    told: list[Thumbnail] = []
    thumbnails.ready.connect(told.append)
    thumbnails.want(grey_ramp, [peak(1.0)])
    until(lambda: told, 30)
    thumbnails.want(grey_ramp, [peak(1.0), peak(2.0)])
    until(lambda: len(told) == 2, 30)
    assert [thumbnail.peak.time_s for thumbnail in told] == [1.0, 2.0]


def test_a_file_without_picture_is_passed_over(thumbnails, grey_ramp, tmp_path, until) -> None:
    told: list[Thumbnail] = []
    thumbnails.ready.connect(told.append)
    thumbnails.want(tmp_path / "gone.mkv", [peak(1.0)])
    thumbnails.want(grey_ramp, [peak(1.0)])
    until(lambda: told, 30)
    assert len(told) == 1
