from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.media_info import probe, tracks
from fer_core.errors import UserError


def test_probe_tells_what_is_there(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    info = probe(write_video("a.mp4", sound=np.full(8_000, 0.1)))
    assert (info.has_sound, info.has_picture, info.size) == (True, True, (64, 48))
    assert info.duration_s == pytest.approx(0.5, abs=0.15)
    info = probe(write_sound("a.wav"))
    assert (info.has_sound, info.has_picture, info.size, info.fps) == (True, False, None, None)
    assert info.duration_s == pytest.approx(0.5)


def test_noise_that_calls_itself_a_picture_is_no_media_file(tmp_path: Path) -> None:
    path = tmp_path / "noise.jpg"
    path.write_bytes(np.random.default_rng(0).bytes(30_000))
    with pytest.raises(UserError, match="is not a sound or video file"):
        probe(path)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_a_file_that_does_not_begin_at_0_is_as_long_as_what_is_in_it(
    write_video: Callable[..., Path], name: str
) -> None:
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 30
    path = write_video(name, pictures, [5 + number / 10 for number in range(30)])
    assert probe(path).duration_s == pytest.approx(2.95, abs=0.06)


def test_a_picture_without_times_is_said(write_video: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match=r"a\.h264” does not say when its frames are shown\. Give"):
        probe(write_video("a.h264"))


def test_tracks_are_told_without_decoding_any(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    silent = tracks(write_video("silent.mp4"))
    assert (silent.has_sound, silent.has_picture) == (False, True)
    assert silent.duration_s == pytest.approx(0.5, abs=0.15)
    heard = tracks(write_sound("a.wav"))
    assert (heard.has_sound, heard.has_picture) == (True, False)
