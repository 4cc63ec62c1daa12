"""A picture fitted into another size: whole, in the middle, black around it."""

from __future__ import annotations

import av
import numpy as np

from fer_core.media import RgbImage


def fitted(image: RgbImage, size: tuple[int, int]) -> RgbImage:
    """``image`` as (height, width, 3) of ``size``, (width, height); itself if it has that size."""
    width, height = size
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = [max(round(scale * side), 1) for side in (image.shape[1], image.shape[0])]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    shown = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    shown[top : top + inner[1], left : left + inner[0]] = frame.reformat(
        width=inner[0], height=inner[1]
    ).to_ndarray()
    return shown
