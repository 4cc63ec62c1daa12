from __future__ import annotations

import numpy as np
import pytest

from fer_core.config import VisionConfig
from fer_core.media import FaceBox
from fer_core.preprocess.framing import Square
from fer_core.preprocess.image import crop, looked_at


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)


def test_square_of_the_networks_size_is_copied_as_it_is(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(crop(picture, Square(50, 40, 224)), picture[40:264, 50:274])


def test_picture_moved_with_its_square_gives_the_same_pixels(picture: np.ndarray) -> None:
    moved = np.zeros((400, 500, 3), np.uint8)
    moved[30:330, 45:445] = picture
    for side in (100, 224, 250):
        here, there = Square(20, 10, side), Square(65, 40, side)
        np.testing.assert_array_equal(crop(picture, here), crop(moved, there))


def test_beyond_the_picture_its_edge_goes_on(picture: np.ndarray) -> None:
    shown = crop(picture, Square(-112, -112, 224))
    np.testing.assert_array_equal(shown[112:, 112:], picture[:112, :112])
    np.testing.assert_array_equal(shown[:112], np.repeat(shown[112:113], 112, axis=0))
    np.testing.assert_array_equal(shown[:, :112], np.repeat(shown[:, 112:113], 112, axis=1))


def test_a_square_beside_the_picture_is_refused(picture: np.ndarray) -> None:
    for square in (Square(-300, 0, 224), Square(0, 400, 224), Square(900, 900, 50)):
        with pytest.raises(ValueError, match="shows nothing of a picture of 400x300"):
            crop(picture, square)


def test_shrinking_averages_instead_of_aliasing() -> None:
    stripes = np.zeros((896, 896, 3), np.uint8)
    stripes[:, ::2] = 255  # one pixel wide: picking single pixels would show them as black or white
    shown = crop(stripes, Square(0, 0, 896))
    assert abs(shown.astype(int) - 128).max() <= 1


def test_tiny_face_is_enlarged_smoothly() -> None:
    ramp = np.repeat(np.arange(16, dtype=np.uint8)[None, :, None] * 16, 16, axis=0)
    shown = crop(np.repeat(ramp, 3, axis=2), Square(0, 0, 16))
    assert shown.shape == (224, 224, 3)
    assert np.abs(np.diff(shown[100, :, 0].astype(int))).max() <= 2


def test_colours_stay_in_order() -> None:
    red = np.zeros((300, 300, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_array_equal(crop(red, Square(0, 0, 300))[100, 100], [200, 0, 0])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_what_is_no_rgb_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is uint8"):
        crop(wrong, Square(0, 0, 10))


def test_a_face_at_the_edge_is_shown_as_a_still_whose_edge_goes_on() -> None:
    still = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    face, vision = FaceBox(10, 10, 85, 85, 1.0), VisionConfig(face_scale=2.0)
    padded = np.pad(still, ((100, 100), (100, 100), (0, 0)), "edge")
    shown, roi = looked_at(still, face, vision)
    expected, expected_roi = looked_at(padded, FaceBox(110, 110, 85, 85, 1.0), vision)
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(roi, expected_roi)
