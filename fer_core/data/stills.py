"""Still pictures of faces: many in one npz file, or each in a file of its own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_core.data.item import Item
from fer_core.data.npz import read_arrays
from fer_core.errors import UserError
from fer_core.media import RgbImage
from fer_core.preprocess.opencv import cv2


def read_still(item: Item) -> RgbImage:
    """The picture of ``item``, (H, W, 3); grey ones with three equal channels.

    Raises:
        UserError: it cannot be read.
    """
    if item.path.suffix == ".npz":
        images = pictures_of(item.path)
        if item.index >= len(images):
            raise _unreadable(item.path)
        return np.repeat(images[item.index, :, :, None], 3, axis=2)  # (H, W) -> (H, W, 3)
    return read_picture(item.path)


def read_picture(path: Path) -> RgbImage:
    """The picture in a file of its own, (H, W, 3).

    Raises:
        UserError: it cannot be read.
    """
    try:
        # OpenCV's own reading fails on Windows for names it cannot write in the local encoding.
        content = np.fromfile(path, np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error) as error:
        raise _unreadable(path) from error
    if image is None:
        raise _unreadable(path)
    return np.ascontiguousarray(image[:, :, ::-1], np.uint8)  # BGR -> RGB


@lru_cache(maxsize=8)  # FER+ is three or four files of 8 to 33 MB
def pictures_of(path: Path) -> NDArray[np.uint8]:
    """All pictures of an npz file, (N, H, W).

    Raises:
        UserError: it cannot be read.
    """
    (images,) = read_arrays(path, "images")
    if images.ndim != 3 or images.dtype != np.uint8:
        raise _unreadable(path)
    return images


def _unreadable(path: Path) -> UserError:
    return UserError(f"“{path}” holds no picture that can be read.", "Copy it again.")
