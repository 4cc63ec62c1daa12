from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.frame_folder import folder_frames, folder_frames_at, folder_info, frame_paths
from fer_core.errors import UserError
from fer_core.preprocess.opencv import cv2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve frames, each brighter than the one before: 5_1.png to 5_12.png."""
    return write_frames(tmp_path / "frames", [f"5_{number}.png" for number in range(1, 13)])


def write_frames(folder: Path, names: Iterable[str]) -> Path:
    folder.mkdir()
    for place, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((48, 64, 3), 10 * place, np.uint8))
    return folder


def test_frames_come_in_the_order_of_their_numbers_at_their_rate(folder: Path) -> None:
    (folder / "._5_1.png").write_bytes(b"what macOS leaves in archives")
    (folder / "notes.txt").write_text("no frame")
    found = list(folder_frames(folder, 10.0))
    assert [frame.time_s for frame in found] == pytest.approx([k / 10 for k in range(12)])
    assert [frame.image[0, 0, 0] for frame in found] == [10 * k for k in range(12)]
    assert [frame.index for frame in found] == list(range(12))


def test_a_part_begins_with_the_frame_shown_there(folder: Path) -> None:
    assert [frame.index for frame in folder_frames(folder, 10.0, 0.25, 0.5)] == [2, 3, 4]


def test_the_frames_of_some_moments_are_the_newest_then(folder: Path) -> None:
    for start_s, times_s, expected in (
        (0.0, [0.05, 0.2, 0.25, 0.71, 9.0], [0, 2, 7, 11]),
        (0.45, [0.45, 0.66], [4, 6]),
    ):
        found = folder_frames_at(folder, 10.0, times_s, start_s)
        assert [frame.index for frame in found] == expected


def test_the_length_is_that_of_all_frames(folder: Path) -> None:
    info = folder_info(folder, 25.0)
    assert (info.duration_s, info.fps, info.frames) == (pytest.approx(12 / 25), 25.0, 12)
    assert (info.has_picture, info.has_sound, info.size) == (True, False, (64, 48))


def test_a_broken_frame_is_passed_over_and_told_once(folder: Path) -> None:
    for number in (3, 4):
        (folder / f"5_{number}.png").write_bytes(b"")
    damage: list[str] = []
    found = list(folder_frames(folder, 10.0, on_damage=damage.append))
    assert [frame.index for frame in found] == [0, 1, *range(4, 12)]
    assert damage == ["some of its frames cannot be read"]


def test_a_folder_without_frames_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        frame_paths(tmp_path / "missing")
    with pytest.raises(UserError, match="There is no picture"):
        frame_paths(tmp_path)
