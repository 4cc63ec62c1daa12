"""Tiny models, noise, and a wandering square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.model import LoadedModel
from fer_core.config import FERConfig, Thresholds
from fer_core.media import FaceBox, RgbImage
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.preprocess.opencv import cv2
from fer_core.weights import new_model, save_checkpoint

RATE = 16_000


@pytest.fixture
def bright_square(bright_square: type, monkeypatch: pytest.MonkeyPatch) -> type:
    """Where files are analysed as well."""
    monkeypatch.setattr("fer_core.analysis.encoded_frames.FaceDetector", bright_square)
    return bright_square


class BrightSquares:
    """Finds all of them, largest first; if not everybody is wanted, that one alone."""

    def __init__(self, everybody: bool) -> None:
        self._wanted = None if everybody else 1

    def __enter__(self) -> BrightSquares:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def detect(self, image: RgbImage) -> list[FaceBox]:
        bright = (image.mean(axis=2) > 100).astype(np.uint8)
        _, _, boxes, _ = cv2.connectedComponentsWithStats(bright)
        faces = [FaceBox(*(int(n) for n in box[:4]), 0.9) for box in boxes[1:] if box[4] > 100]
        return sorted(faces, key=lambda face: face.area, reverse=True)[: self._wanted]


@pytest.fixture
def bright_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of the face detector, where a file shows several."""
    monkeypatch.setattr("fer_core.analysis.encoded_frames.FaceDetector", BrightSquares)


@pytest.fixture
def folder(
    tmp_path: Path, tiny_config: FERConfig, corrected: Callable[[MultimodalFER], MultimodalFER]
) -> Path:
    """A tiny model's, for which any sound counts as speech."""
    config = replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))
    save_checkpoint(corrected(new_model(config, seed=0)), tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def model(folder: Path) -> LoadedModel:
    return LoadedModel.load(folder, "cpu")


@pytest.fixture
def noise() -> Callable[[float], np.ndarray]:
    def make(seconds: float) -> np.ndarray:
        return 0.1 * np.random.default_rng(1).standard_normal(round(seconds * RATE))

    return make


@pytest.fixture
def squares() -> Callable[..., list[RgbImage]]:
    """A wandering square at 10 frames a second; ``dark`` frames are without it."""

    def make(seconds: float, dark: range = range(0)) -> list[RgbImage]:
        random = np.random.default_rng(0)
        pictures = []
        for number in range(round(10 * seconds)):
            picture = np.zeros((120, 160, 3), np.uint8)
            if number not in dark:
                x, y = 20 + number % 60, 10 + number // 2 % 40
                picture[y : y + 60, x : x + 60] = random.integers(160, 255, 3, np.uint8)
            pictures.append(picture)
        return pictures

    return make
