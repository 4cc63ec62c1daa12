"""Folders of small media files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.preprocess.opencv import cv2


@pytest.fixture
def place(
    tmp_path: Path, write_sound: Callable[..., Path], write_video: Callable[..., Path]
) -> Callable[..., Path]:
    """Put small whole files under these names into the folder that is returned."""
    contents: dict[str, bytes] = {}
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 44_100)
    folder = tmp_path / "corpus"

    def place(*names: str) -> Path:
        folder.mkdir(exist_ok=True)
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix not in contents:
                path_of = f"example{path.suffix}"
                if path.suffix in (".png", ".jpg"):
                    cv2.imwrite(str(tmp_path / path_of), np.full((48, 48), 128, np.uint8))
                elif path.suffix in (".wav", ".flac", ".mp3"):
                    write_sound(path_of)
                else:
                    write_video(path_of, sound=tone, rate=44_100)
                contents[path.suffix] = (tmp_path / path_of).read_bytes()
            path.write_bytes(contents[path.suffix])
        return folder

    return place
