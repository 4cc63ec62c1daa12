"""From a picture (H, W, 3) and a face in it, to the pixels of the network and those on the face."""

from __future__ import annotations

import numpy as np

from fer_core.config import VisionConfig
from fer_core.media import BoolArray, FaceBox, RgbImage
from fer_core.patches import IMAGE_SIZE
from fer_core.preprocess.framing import Square, framing_square, roi_of
from fer_core.preprocess.opencv import cv2

# Mid grey is 0 once normalised: what lies outside the picture says nothing. Replicated edges would
# draw streaks, which a network may take for hair or shoulders.
SURROUNDINGS = 128


def looked_at(image: RgbImage, face: FaceBox, vision: VisionConfig) -> tuple[RgbImage, BoolArray]:
    """What is shown of ``image`` (H, W, 3) when ``face`` is looked at, live as in training.

    The picture (224, 224, 3) and its ROI (196,).

    Raises:
        ValueError: ``image`` is not a picture.
    """
    square = framing_square(face, image.shape, vision)
    return crop(image, square), roi_of(face, square)


def crop(image: RgbImage, square: Square) -> RgbImage:
    """``square`` of ``image`` at the network's size, (224, 224, 3); grey beyond the picture.

    Raises:
        ValueError: ``image`` is not (H, W, 3) of uint8.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a picture is uint8 (H, W, 3), got {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    left, right = np.clip((square.left, square.left + square.side), 0, width)
    top, bottom = np.clip((square.top, square.top + square.side), 0, height)
    shown = np.full((square.side, square.side, 3), SURROUNDINGS, np.uint8)
    shown[top - square.top : bottom - square.top, left - square.left : right - square.left] = image[
        top:bottom, left:right
    ]
    # Averaging areas is what keeps a shrunk picture free of aliasing; it cannot enlarge.
    shrinks = square.side > IMAGE_SIZE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(shown, (IMAGE_SIZE, IMAGE_SIZE), interpolation=how)
    return np.asarray(resized, np.uint8)
