from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.thumbnails import SIDE, as_jpeg, thumbnail
from fer_core.media import FaceBox
from fer_core.preprocess.opencv import cv2


def half_white(side: str) -> np.ndarray:
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:, :80] = 255 if side == "left" else 0
    picture[:, 80:] = 255 if side == "right" else 0
    return picture


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_it_shows_the_face_at_its_time(write_video: Callable[..., Path], name: str) -> None:
    path = write_video(name, [half_white("left")] * 10 + [half_white("right")] * 10)
    face = FaceBox(10, 40, 20, 30, 0.9)
    early, late = thumbnail(path, 0.2, face), thumbnail(path, 1.5, face)
    assert early is not None
    assert late is not None
    assert early.shape == late.shape == (SIDE, SIDE, 3)
    assert early.mean() > 220
    assert late.mean() < 30


def test_a_face_at_the_edge_is_moved_into_the_picture(write_video: Callable[..., Path]) -> None:
    path = write_video("a.mkv", [np.full((120, 160, 3), 255, np.uint8)] * 3)
    shown = thumbnail(path, 0.1, FaceBox(150, 110, 10, 10, 0.9))
    assert shown is not None
    assert shown.min() > 240


def test_sound_alone_and_lost_files_have_none(
    write_sound: Callable[..., Path], tmp_path: Path
) -> None:
    assert thumbnail(write_sound("a.wav"), 0.1, None) is None
    assert thumbnail(tmp_path / "gone.mp4", 0.1, None) is None


def test_as_jpeg_its_colours_stay() -> None:
    red = np.zeros((SIDE, SIDE, 3), np.uint8)
    red[..., 0] = 200
    coded = cv2.imdecode(np.frombuffer(as_jpeg(red), np.uint8), cv2.IMREAD_COLOR)
    assert coded is not None
    assert abs(int(coded[80, 80, 2]) - 200) < 8  # OpenCV's order is blue, green, red
    assert coded[80, 80, 0] < 8
