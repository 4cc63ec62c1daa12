from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from fer_core.data.augment.picture import VARIED_SIDE, PictureAugmentation, picture_variation

OFF = PictureAugmentation(**{field.name: 0.0 for field in fields(PictureAugmentation)})


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)


@pytest.fixture
def roi() -> np.ndarray:
    """The 64 patches from the third row and the fifth column on."""
    inside = np.zeros((14, 14), np.bool_)
    inside[2:10, 4:12] = True
    return inside.ravel()


def varied(how: PictureAugmentation, seed: int, picture: np.ndarray, roi: np.ndarray):
    return picture_variation(how, np.random.default_rng(seed))(picture, roi)


def test_switched_off_it_changes_nothing(picture: np.ndarray, roi: np.ndarray) -> None:
    for seed in range(20):
        made, patches = varied(OFF, seed, picture, roi)
        np.testing.assert_array_equal(made, picture)
        np.testing.assert_array_equal(patches, roi)


def test_the_roi_is_flipped_with_the_picture(picture: np.ndarray, roi: np.ndarray) -> None:
    made, patches = varied(replace(OFF, flip=1.0), 0, picture, roi)
    np.testing.assert_array_equal(made, picture[:, ::-1])
    np.testing.assert_array_equal(patches.reshape(14, 14), roi.reshape(14, 14)[:, ::-1])
    assert patches.reshape(14, 14)[2:10, 2:10].all()


def test_half_of_the_clips_are_flipped(picture: np.ndarray, roi: np.ndarray) -> None:
    how = replace(OFF, flip=0.5)
    flipped = sum(
        not np.array_equal(varied(how, seed, picture, roi)[1], roi) for seed in range(100)
    )
    assert 35 < flipped < 65


@pytest.mark.parametrize("name", [field.name for field in fields(PictureAugmentation)])
def test_each_of_them_changes_the_picture(name: str, picture: np.ndarray, roi: np.ndarray) -> None:
    strength = 10.0 if name == "rotation_degrees" else 0.9
    how = replace(OFF, **{name: strength})
    before = picture.copy()
    assert all(varied(how, seed, picture, roi)[0].dtype == np.uint8 for seed in range(5))
    assert any(not np.array_equal(varied(how, seed, picture, roi)[0], picture) for seed in range(5))
    np.testing.assert_array_equal(picture, before)  # what the store keeps is left alone


def test_all_frames_of_a_clip_are_varied_alike(roi: np.ndarray) -> None:
    vary = picture_variation(PictureAugmentation(), np.random.default_rng(3))
    grey = np.full((224, 224, 3), 90, np.uint8)
    first, _ = vary(grey, roi)
    vary(255 - grey, roi)
    again, _ = vary(grey, roi)
    np.testing.assert_array_equal(first, again)


def test_equal_seeds_give_equal_pictures(picture: np.ndarray, roi: np.ndarray) -> None:
    made = [varied(PictureAugmentation(), seed, picture, roi)[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_what_is_hidden_lies_on_the_face(roi: np.ndarray) -> None:
    black = np.zeros((224, 224, 3), np.uint8)
    hidden = 0
    for seed in range(30):
        made, _ = varied(replace(OFF, erase=1.0), seed, black, roi)
        rows, columns = np.nonzero(made.any(axis=2))
        if rows.size:  # it may be as black as the picture
            hidden += 1
            assert rows.min() >= 48
            assert columns.min() >= 48
            assert rows.max() < 176
            assert columns.max() < 176
    assert hidden > 20


def test_what_is_at_the_edge_goes_on_in_what_moves_in(roi: np.ndarray) -> None:
    white = np.full((224, 224, 3), 255, np.uint8)
    for seed in range(20):
        made, _ = varied(replace(OFF, shift=0.9), seed, white, roi)
        np.testing.assert_array_equal(made, white)


def test_a_face_box_is_off_by_a_quarter_at_most_and_mostly_by_much_less(roi: np.ndarray) -> None:
    ramp = np.repeat(np.arange(224, dtype=np.uint8)[None, :, None], 224, axis=0).repeat(3, axis=2)
    shifts = []
    for seed in range(300):
        made, _ = varied(replace(OFF, shift=0.25), seed, ramp, roi)
        shifts.append((112 - float(made[112, 112, 0])) / VARIED_SIDE)
    assert max(np.abs(shifts)) <= 0.25 + 0.01
    assert 0.05 < np.std(shifts) < 0.08


def test_a_moving_mouth_leaves_the_upper_face_alone(picture: np.ndarray, roi: np.ndarray) -> None:
    made, _ = varied(replace(OFF, mouth=1.0), 0, picture, roi)
    np.testing.assert_array_equal(made[:130], picture[:130])
    assert (made[150:180] != picture[150:180]).any()


def test_in_whatever_light_what_was_brighter_is_no_darker(roi: np.ndarray) -> None:
    ramp = np.repeat(np.arange(224, dtype=np.uint8)[None, :, None], 224, axis=0).repeat(3, axis=2)
    for seed in range(20):
        made, _ = varied(replace(OFF, light=0.9, colour=0.9), seed, ramp + 31, roi)
        assert (np.diff(made.astype(int), axis=1) >= 0).all()
