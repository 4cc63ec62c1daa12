from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from fer_core.config import VisionConfig
from fer_core.media import FaceBox
from fer_core.patches import GRID, ROI_PATCHES
from fer_core.preprocess.framing import Square, framing_square, patch_rectangles, roi_of

FACE = VisionConfig()
WHOLE = VisionConfig(framing="frame")
HD = (720, 1280, 3)


def box(x: float, y: float, width: float, height: float) -> FaceBox:
    return FaceBox(x, y, width, height, 0.9)


def grid(roi: np.ndarray) -> np.ndarray:
    return roi.reshape(GRID, GRID)


def central_8x8() -> np.ndarray:
    expected = np.zeros((GRID, GRID), bool)
    expected[3:11, 3:11] = True
    return expected


def test_square_is_1_75_times_the_longer_side_around_the_face() -> None:
    assert framing_square(box(600, 300, 60, 80), HD, FACE) == Square(560, 270, 140)


def test_square_may_reach_beyond_the_picture() -> None:
    square = framing_square(box(0, 0, 80, 80), HD, FACE)
    assert square == Square(-30, -30, 140)


def test_whole_picture_is_framed_by_the_smallest_square_around_it() -> None:
    assert framing_square(box(0, 0, 80, 80), HD, WHOLE) == Square(0, -280, 1280)
    assert framing_square(box(0, 0, 80, 80), (640, 480), WHOLE) == Square(-80, 0, 640)


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, 1), (37, 11), (-3, 8)])
def test_square_moves_with_the_face_pixel_by_pixel(shift: tuple[int, int]) -> None:
    # A longer side of 61 gives a side of 107 around a centre on half a pixel: rounding to even
    # numbers would jump.
    still = framing_square(box(200, 100, 51, 61), HD, FACE)
    moved = framing_square(box(200 + shift[0], 100 + shift[1], 51, 61), HD, FACE)
    assert moved == Square(still.left + shift[0], still.top + shift[1], still.side)


def test_smallest_face_still_has_a_square() -> None:
    assert framing_square(box(5, 5, 0.1, 0.1), HD, FACE).side == 1


@pytest.mark.parametrize("side", [20, 33, 80, 161, 400])
def test_square_face_covers_the_central_8x8_patches(side: int) -> None:
    face = box(300, 200, side, side)
    roi = roi_of(face, framing_square(face, HD, FACE))
    np.testing.assert_array_equal(grid(roi), central_8x8())


@pytest.mark.parametrize(
    "face",
    [
        box(600, 300, 40, 90),
        box(600, 300, 90, 40),
        box(0, 0, 60, 60),
        box(1275, 700, 5, 20),
        box(0, 0, 1280, 720),
        box(640, 360, 1, 1),
    ],
)
@pytest.mark.parametrize("vision", [FACE, WHOLE], ids=lambda vision: vision.framing)
def test_roi_has_64_patches_whatever_the_face(face: FaceBox, vision: VisionConfig) -> None:
    assert roi_of(face, framing_square(face, HD, vision)).sum() == ROI_PATCHES


def test_narrow_face_takes_its_surroundings_along() -> None:
    face = box(600, 300, 40, 80)  # 4 patches wide, 8 tall
    roi = grid(roi_of(face, framing_square(face, HD, FACE)))
    assert roi[3:11, 5:9].all()
    assert roi[6:8, 3:5].all()
    assert roi[6:8, 9:11].all()


def test_roi_of_the_whole_picture_lies_where_the_face_is() -> None:
    square = Square(0, 0, 224)
    upper_left = grid(roi_of(box(0, 0, 128, 128), square))
    assert upper_left[:8, :8].all()
    assert upper_left.sum() == 64
    tiny = grid(roi_of(box(208, 208, 16, 16), square))  # one patch, in the lower right corner
    assert tiny[-1, -1]
    assert tiny[-6:, -6:].all()
    assert not tiny[:5].any()


def test_face_beyond_the_grid_still_has_a_roi_next_to_it() -> None:
    roi = grid(roi_of(box(500, 100, 10, 10), Square(0, 0, 224)))
    assert roi.sum() == 64
    assert not roi[:, :5].any()


def test_equal_places_are_chosen_equally_at_every_position() -> None:
    """Ties are broken by order and not by the last digits of where the face happens to be."""
    shapes = set()
    for x in range(100, 160, 7):
        face = box(x, 2 * x, 33, 70)
        shapes.add(roi_of(face, framing_square(face, HD, FACE)).tobytes())
    assert len(shapes) == 1


def test_patch_rectangles_tile_the_square_row_by_row() -> None:
    square = Square(-30, 10, 140)
    assert patch_rectangles(square, [0, 1, 14, 195]) == (
        (-30, 10, 10, 10),
        (-20, 10, 10, 10),
        (-30, 20, 10, 10),
        (100, 140, 10, 10),
    )
    assert patch_rectangles(square, ()) == ()


def test_face_scale_is_the_configurations() -> None:
    wide = dataclasses.replace(FACE, face_scale=2.5)
    assert framing_square(box(600, 300, 60, 80), HD, wide).side == 200


def test_window_can_use_it_before_torch_is_loaded() -> None:
    code = "import sys, fer_core.preprocess.framing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_roi_is_where_the_face_is_however_long_and_far_from_the_middle_it_is() -> None:
    square = Square(0, 0, 140)  # patches of 10 pixels
    tall = grid(roi_of(box(110, 0, 30, 120), square))
    assert tall[:12, 11:].all()
    wide = grid(roi_of(box(0, 110, 120, 30), square))
    assert wide[11:, :12].all()
