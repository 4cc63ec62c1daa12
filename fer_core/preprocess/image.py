"""From a picture (H, W, 3) and a face in it, to the pixels of the network and those on the face."""

from __future__ import annotations

import numpy as np

from fer_core.config import VisionConfig
from fer_core.media import BoolArray, FaceBox, RgbImage
from fer_core.patches import IMAGE_SIZE
from fer_core.preprocess.framing import Square, framing_square, roi_of
from fer_core.preprocess.opencv import cv2


def looked_at(image: RgbImage, face: FaceBox, vision: VisionConfig) -> tuple[RgbImage, BoolArray]:
    """What is shown of ``image`` (H, W, 3) when ``face`` is looked at, live as in training.

    The picture (224, 224, 3) and its ROI (196,).

    Raises:
        ValueError: ``image`` is not a picture.
    """
    square = framing_square(face, image.shape, vision)
    return crop(image, square), roi_of(face, square)


def crop(image: RgbImage, square: Square) -> RgbImage:
    """``square`` of ``image`` at the network's size, (224, 224, 3).

    Beyond the picture its edge goes on, as around the stills that faces are learnt from.

    Raises:
        ValueError: ``image`` is not (H, W, 3) of uint8, or not in ``square``.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a picture is uint8 (H, W, 3), got {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    left, right = max(square.left, 0), min(square.left + square.side, width)
    top, bottom = max(square.top, 0), min(square.top + square.side, height)
    if left >= right or top >= bottom:
        raise ValueError(f"{square} shows nothing of a picture of {width}x{height}")
    around = (
        top - square.top,
        square.top + square.side - bottom,
        left - square.left,
        square.left + square.side - right,
    )
    shown = cv2.copyMakeBorder(image[top:bottom, left:right], *around, cv2.BORDER_REPLICATE)
    # Averaging areas is what keeps a shrunk picture free of aliasing; it cannot enlarge.
    shrinks = square.side > IMAGE_SIZE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(shown, (IMAGE_SIZE, IMAGE_SIZE), interpolation=how)
    return np.asarray(resized, np.uint8)
