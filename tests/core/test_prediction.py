from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox
from fer_core.prediction import Prediction, by_label, prediction_as_json


@pytest.fixture
def prediction() -> Prediction:
    probabilities = np.array([0.05, 0.05, 0.5, 0.1, 0.1, 0.1, 0.05, 0.05], np.float32)
    return Prediction(
        clip_end_s=3.3750001,
        probabilities=probabilities,
        segment_probabilities=np.tile(probabilities, (8, 1)),
        segment_weights=np.full(8, 0.125, np.float32),
        segment_audio=np.zeros(8, bool),
        segment_video=np.ones(8, bool),
        uncertain=False,
        face=FaceBox(10.04, 20, 30, 40, 0.98765),
        kept_patches=(1, 2),
        audio_level_dbfs=-23.456,
        segment_speech=np.full(8, 0.25),
        took_ms=12.3456,
    )


def test_emotion_is_the_largest_probability_even_if_uncertain(prediction: Prediction) -> None:
    assert prediction.emotion == "happy"
    assert dataclasses.replace(prediction, uncertain=True).emotion == "happy"


def test_modalities_are_those_of_any_segment(prediction: Prediction) -> None:
    assert prediction.modalities == ("video",)
    last = np.arange(8) == 7
    both = dataclasses.replace(prediction, segment_audio=last, segment_video=last)
    assert both.modalities == ("audio", "video")
    neither = dataclasses.replace(prediction, segment_video=np.zeros(8, bool))
    assert neither.modalities == ()


def test_json_keeps_its_contract(prediction: Prediction) -> None:
    written = json.loads(json.dumps(prediction_as_json(prediction), allow_nan=False))
    values = dict(zip(EMOTIONS, [0.05, 0.05, 0.5, 0.1, 0.1, 0.1, 0.05, 0.05], strict=True))
    assert written == {
        "clip_end_s": 3.375,
        "emotion": "happy",
        "uncertain": False,
        "probabilities": values,
        "segments": 8 * [{"probabilities": values, "weight": 0.125}],
        "modalities": ["video"],
        "face": {"x": 10.0, "y": 20, "width": 30, "height": 40, "score": 0.988},
        "audio_level_dbfs": -23.46,
        "took_ms": 12.35,
    }


def test_what_is_not_there_is_null(prediction: Prediction) -> None:
    written = prediction_as_json(dataclasses.replace(prediction, face=None, audio_level_dbfs=None))
    assert written["face"] is None
    assert written["audio_level_dbfs"] is None


def test_probabilities_without_a_label_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        by_label([0.5, 0.5])
