from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.item import NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.stills import read_still
from fer_core.errors import UserError
from fer_core.preprocess.opencv import cv2


def still(path: Path, index: int = 0) -> Item:
    return Item(
        key="a",
        path=path,
        kind="still",
        has_sound=False,
        has_picture=True,
        shares=one_emotion(2),
        groups=NEUTRAL_OR_CALM,
        index=index,
    )


def test_a_picture_of_many_is_found_by_its_index(tmp_path: Path) -> None:
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    np.savez(tmp_path / "a.npz", images=images)
    picture = read_still(still(tmp_path / "a.npz", 2))
    assert (picture.shape, picture.dtype) == ((4, 5, 3), np.uint8)
    assert all((picture[:, :, channel] == images[2]).all() for channel in range(3))


def test_there_is_no_picture_after_the_last(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 5), np.uint8))
    with pytest.raises(UserError, match="holds no picture"):
        read_still(still(tmp_path / "a.npz", 3))


def test_a_picture_file_is_rgb_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "Zoë.png"
    bgr = np.zeros((4, 5, 3), np.uint8)
    bgr[:, :, 0] = 255  # blue
    path.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
    assert (read_still(still(path))[0, 0] == (0, 0, 255)).all()


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    np.savez(tmp_path / "other.npz", votes=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", images=np.array([object()]))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:100])
    names = (
        "text.png",
        "empty.png",
        "missing.png",
        "other.npz",
        "pickled.npz",
        "missing.npz",
        "cut.npz",
    )
    for name in names:
        with pytest.raises(UserError, match=f"{name}.* (holds no picture|does not hold)"):
            read_still(still(tmp_path / name))
