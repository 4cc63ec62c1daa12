"""Variation of pictures: where the face lies in them, their light and colour, and what is hidden.

All frames of a clip are varied alike: a face does not change its light from frame to frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fer_core.data.augment.limits import refuse_unusable
from fer_core.media import BoolArray, RgbImage
from fer_core.patches import GRID, IMAGE_SIZE
from fer_core.preprocess.opencv import cv2

# Pixels: what the sizes below are shares of. It is a face's side where face_scale is 1.75; with
# compact's 2.0 that is 112. Trained results and recipes rest on this number, so it stays.
VARIED_SIDE = IMAGE_SIZE * 8 / 14


@dataclass(frozen=True)
class PictureAugmentation:
    """How strongly pictures are varied; 0 is not at all."""

    flip: float = 0.5  # how often left and right are exchanged
    rotation_degrees: float = 12.0
    # The largest of two normal distributions whose deviation is a quarter of it:
    scale: float = 0.3  # natural logarithm of the change of size
    shift: float = 0.25  # of VARIED_SIDE: a face box that is off
    mouth: float = 0.25  # how often the mouth is opened or closed a little, as in speech
    light: float = 0.25  # brightness and contrast
    colour: float = 0.15  # each channel on its own
    grey: float = 0.2  # how often colour is taken away
    blur: float = 0.25  # how often the picture is made smaller and larger again
    noise: float = 0.25  # how often a camera's noise is added
    erase: float = 0.25  # how often a rectangle is hidden (Zhong et al. 2020)

    def __post_init__(self) -> None:
        shares = ("flip", "mouth", "light", "colour", "grey", "blur", "noise", "erase")
        ranges = {"rotation_degrees": 180.0, "scale": 1.0, "shift": 1.0}
        refuse_unusable(self, {**dict.fromkeys(shares, 1.0), **ranges})


def picture_variation(
    config: PictureAugmentation, rng: Generator
) -> Callable[[RgbImage, BoolArray], tuple[RgbImage, BoolArray]]:
    """A change for all frames of one clip: picture (224, 224, 3) and ROI (196,) to the same."""
    flip = rng.random() < config.flip
    movement = _movement(config, rng)
    table = _light_and_colour(config, rng)
    grey = rng.random() < config.grey
    small = int(VARIED_SIDE * rng.uniform(0.25, 0.7)) if rng.random() < config.blur else None
    rows = _mouth(rng) if rng.random() < config.mouth else None
    noise = _noise(rng) if rng.random() < config.noise else None
    hidden = _rectangle(rng) if rng.random() < config.erase else None

    def vary(picture: RgbImage, roi: BoolArray) -> tuple[RgbImage, BoolArray]:
        shown: Any = picture  # OpenCV's annotations know no element type
        if rows is not None:
            shown = cv2.remap(shown, *rows, interpolation=cv2.INTER_LINEAR)
        if small is not None:
            side = round(small * IMAGE_SIZE / VARIED_SIDE)
            shown = cv2.resize(shown, (side, side), interpolation=cv2.INTER_AREA)
            shown = cv2.resize(shown, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR)
        shown = cv2.warpAffine(
            shown,
            movement,
            (IMAGE_SIZE, IMAGE_SIZE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if grey:
            shown = cv2.cvtColor(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shown = cv2.LUT(shown, table)
        if noise is not None:
            shown = cv2.add(shown, noise, dtype=cv2.CV_8U)
        if hidden is not None:
            x, y, width, height, tone = hidden
            shown[y : y + height, x : x + width] = tone
        if flip:
            shown = shown[:, ::-1]
            roi = roi.reshape(GRID, GRID)[:, ::-1].ravel()
        return np.ascontiguousarray(shown), np.ascontiguousarray(roi)

    return vary


def _movement(config: PictureAugmentation, rng: Generator) -> NDArray[np.float64]:
    """The affine map (2, 3) that turns, resizes and shifts around the picture's centre."""
    angle = rng.uniform(-config.rotation_degrees, config.rotation_degrees)
    scale, *shift = np.clip(rng.standard_normal(3) / 4, -1, 1)
    middle = (IMAGE_SIZE / 2, IMAGE_SIZE / 2)
    size = float(np.exp(config.scale * scale))
    movement = np.array(cv2.getRotationMatrix2D(middle, angle, size), np.float64)
    movement[:, 2] += VARIED_SIDE * config.shift * np.array(shift)
    return movement


def _mouth(rng: Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel comes from, (224, 224) twice, so that the lower lip and chin move.

    What lies between the middle of the mouth and the chin is stretched or pressed together.
    """
    lips, chin = IMAGE_SIZE / 2 + 0.22 * VARIED_SIDE, IMAGE_SIZE / 2 + 0.5 * VARIED_SIDE
    moved = chin + VARIED_SIDE * rng.uniform(-0.08, 0.12)
    ends = [0, lips, moved, 1.5 * IMAGE_SIZE]
    sources = np.interp(np.arange(IMAGE_SIZE), ends, [0, lips, chin, 1.5 * IMAGE_SIZE])
    columns, rows = np.meshgrid(np.arange(IMAGE_SIZE), sources)
    return columns.astype(np.float32), rows.astype(np.float32)


def _noise(rng: Generator) -> NDArray[np.int16]:
    """(224, 224, 3) to be added: alike in all channels, as most of a sensor's noise in the dark."""
    deviation = rng.uniform(2, 12)
    grey = deviation * rng.standard_normal((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    return np.repeat(grey.astype(np.int16)[..., None], 3, axis=2)


def _light_and_colour(config: PictureAugmentation, rng: Generator) -> NDArray[np.uint8]:
    """What each value of each channel becomes, (256, 1, 3)."""
    contrast = np.exp(rng.uniform(-config.light, config.light))
    gamma = np.exp(rng.uniform(-config.light, config.light))
    brightness = 255 * rng.uniform(-config.light, config.light) / 2
    channels = np.exp(rng.uniform(-config.colour, config.colour, size=3))
    value = 255 * (np.arange(256) / 255) ** gamma
    table = ((value - 128) * contrast + 128 + brightness)[:, None, None] * channels
    return np.clip(table, 0, 255).round().astype(np.uint8)


def _rectangle(rng: Generator) -> tuple[int, int, int, int, int]:
    """x, y, width, height and grey value of something in front of the face."""
    width, height = (VARIED_SIDE * rng.uniform(0.15, 0.5, size=2)).astype(int)
    low, high = (IMAGE_SIZE - VARIED_SIDE) / 2, (IMAGE_SIZE + VARIED_SIDE) / 2
    x, y = int(rng.uniform(low, high - width)), int(rng.uniform(low, high - height))
    return x, y, int(width), int(height), int(rng.integers(0, 256))
