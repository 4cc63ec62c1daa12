"""A small square picture of a moment in a file: the face if there is one, else its middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.data.media_picture import frames
from fer_core.errors import UserError
from fer_core.media import FaceBox, RgbImage
from fer_core.preprocess.opencv import cv2

SIDE = 160  # pixels
FACE_SCALE = 1.75  # of the face box's longer side: chin and hair are seen


def thumbnail(path: Path, time_s: float, face: FaceBox | None) -> RgbImage | None:
    """(160, 160, 3) of the frame shown at ``time_s``; None where the file has no picture."""
    try:
        for frame in frames(path, time_s, on_damage=lambda _: None):
            return _cut(frame.image, face)
    except UserError:  # the file's analysis has told it already
        pass
    return None


def as_jpeg(picture: RgbImage) -> bytes:
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(coded)


def _cut(image: RgbImage, face: FaceBox | None) -> RgbImage:
    height, width = image.shape[:2]
    if face is None:
        side, (x, y) = min(height, width), (width / 2, height / 2)
    else:
        side = min(round(FACE_SCALE * max(face.width, face.height)), height, width)
        x, y = face.centre
    side = max(side, 1)
    # Moved to lie in the picture, not cut off.
    left = int(np.clip(round(x - side / 2), 0, width - side))
    top = int(np.clip(round(y - side / 2), 0, height - side))
    square = image[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=how), np.uint8)
