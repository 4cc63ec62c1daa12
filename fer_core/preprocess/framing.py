"""Which part of a picture the network looks at, and which of its patches lie on the face.

Picture (H, W) and face box -> a square in frame pixels -> 14x14 patches, 64 of them the ROI. Plain
geometry without torch, so that the window draws the very patches the network sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.config import VisionConfig
from fer_core.media import BoolArray, FaceBox
from fer_core.patches import GRID, PATCHES, ROI_PATCHES


@dataclass(frozen=True, slots=True)
class Square:
    """What the network is shown, in whole pixels of the frame; it may reach beyond the picture."""

    left: int
    top: int
    side: int


def framing_square(face: FaceBox, shape: tuple[int, ...], vision: VisionConfig) -> Square:
    """The square shown to the network of a picture of ``shape`` (H, W, ...).

    ``face``: ``vision.face_scale`` times the longer side of the box, around its centre.
    ``frame``: the smallest square around the whole picture, wherever the face is.
    """
    height, width = shape[:2]
    if vision.framing == "frame":
        side = max(height, width)
        centre_x, centre_y = width / 2, height / 2
    else:
        side = max(_nearest(vision.face_scale * max(face.width, face.height)), 1)
        centre_x, centre_y = face.centre
    return Square(_nearest(centre_x - side / 2), _nearest(centre_y - side / 2), side)


def roi_of(face: FaceBox, square: Square) -> BoolArray:
    """The 64 patches of ``square`` that the face covers most, (196,).

    Of patches covered alike, not at all included, those nearest to the face's centre come first,
    then the upper left ones; so a face smaller than 8x8 patches takes its surroundings along.
    """
    patch = square.side / GRID
    across = _cover((face.x - square.left) / patch, face.width / patch)  # (14,)
    down = _cover((face.y - square.top) / patch, face.height / patch)  # (14,)
    cover = np.outer(down, across).ravel()  # (196,), share of each patch

    x, y = face.centre
    middle = np.arange(GRID) + 0.5
    distance = np.add.outer(
        (middle - (y - square.top) / patch) ** 2, (middle - (x - square.left) / patch) ** 2
    ).ravel()
    # Rounded, because what is equal on paper differs in the last digits.
    order = np.lexsort((np.round(distance, 6), -np.round(cover, 6)))
    roi = np.zeros(PATCHES, dtype=np.bool_)
    roi[order[:ROI_PATCHES]] = True
    return roi


def patch_rectangles(
    square: Square, patches: Iterable[int]
) -> tuple[tuple[float, float, float, float], ...]:
    """Row-major ``patches`` as (x, y, width, height) in frame pixels, for drawing."""
    side = square.side / GRID
    return tuple(
        (square.left + patch % GRID * side, square.top + patch // GRID * side, side, side)
        for patch in patches
    )


def _cover(start: float, length: float) -> NDArray[np.float64]:
    """How much of each unit of [0, 14) the interval covers, 0 to 1."""
    unit = np.arange(GRID)
    return np.clip(np.minimum(unit + 1, start + length) - np.maximum(unit, start), 0.0, 1.0)


def _nearest(value: float) -> int:
    """To the nearest whole number, halves up: ``round`` goes to even ones, which would jitter."""
    return math.floor(value + 0.5)
