"""Made-up answers and pictures for the views."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from fer_core.prediction import Prediction
from fer_desktop.ui.theme import apply_theme


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "dark")
    yield
    # Windows of earlier tests would be restyled and repainted in every later one.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def make_prediction() -> Callable[..., Prediction]:
    def make(
        winner: int = 4,
        end_s: float = 3.0,
        audio: bool = True,
        video: bool = True,
        uncertain: bool = False,
    ) -> Prediction:
        segments = np.full((8, 8), 0.04, np.float32)
        segments[:, winner] = 0.72
        return Prediction(
            clip_end_s=end_s,
            probabilities=segments[0],
            segment_probabilities=segments,
            segment_weights=np.full(8, 0.125, np.float32),
            segment_audio=np.full(8, audio),
            segment_video=np.full(8, video),
            uncertain=uncertain,
            face=None,
            kept_patches=(),
            audio_level_dbfs=-20.0,
            segment_speech=np.full(8, 0.5),
            took_ms=80.0,
        )

    return make
