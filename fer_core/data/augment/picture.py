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

from fer_core.media import BoolArray, RgbImage
from fer_core.patches import GRID, IMAGE_SIZE
from fer_core.preprocess.image import SURROUNDINGS
from fer_core.preprocess.opencv import cv2

FACE = IMAGE_SIZE * 8 / 14  # pixels: the side of the face in a framed picture


@dataclass(frozen=True)
class PictureAugmentation:
    """How strongly pictures are varied; 0 is not at all."""

    flip: float = 0.5  # how often left and right are exchanged
    rotation_degrees: float = 12.0
    scale: float = 0.15  # natural logarithm of the largest change of size, both ways
    shift: float = 0.08  # of the face's side: a face box that is off
    light: float = 0.25  # brightness and contrast
    colour: float = 0.15  # each channel on its own
    grey: float = 0.2  # how often colour is taken away
    blur: float = 0.25  # how often the picture is made smaller and larger again
    erase: float = 0.25  # how often a rectangle is hidden (Zhong et al. 2020)


def picture_variation(
    config: PictureAugmentation, rng: Generator
) -> Callable[[RgbImage, BoolArray], tuple[RgbImage, BoolArray]]:
    """A change for all frames of one clip: picture (224, 224, 3) and ROI (196,) to the same."""
    flip = rng.random() < config.flip
    movement = _movement(config, rng)
    table = _light_and_colour(config, rng)
    grey = rng.random() < config.grey
    small = int(FACE * rng.uniform(0.25, 0.7)) if rng.random() < config.blur else None
    hidden = _rectangle(rng) if rng.random() < config.erase else None

    def vary(picture: RgbImage, roi: BoolArray) -> tuple[RgbImage, BoolArray]:
        shown: Any = picture  # OpenCV's annotations know no element type
        if small is not None:
            side = round(small * IMAGE_SIZE / FACE)
            shown = cv2.resize(shown, (side, side), interpolation=cv2.INTER_AREA)
            shown = cv2.resize(shown, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR)
        shown = cv2.warpAffine(
            shown,
            movement,
            (IMAGE_SIZE, IMAGE_SIZE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(SURROUNDINGS,) * 3,
        )
        if grey:
            shown = cv2.cvtColor(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shown = cv2.LUT(shown, table)
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
    scale = float(np.exp(rng.uniform(-config.scale, config.scale)))
    middle = (IMAGE_SIZE / 2, IMAGE_SIZE / 2)
    movement = np.array(cv2.getRotationMatrix2D(middle, angle, scale), np.float64)
    movement[:, 2] += FACE * rng.uniform(-config.shift, config.shift, size=2)
    return movement


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
    width, height = (FACE * rng.uniform(0.15, 0.5, size=2)).astype(int)
    low, high = (IMAGE_SIZE - FACE) / 2, (IMAGE_SIZE + FACE) / 2
    x, y = int(rng.uniform(low, high - width)), int(rng.uniform(low, high - height))
    return x, y, int(width), int(height), int(rng.integers(0, 256))
