"""What the network answers, as plain values that may cross threads and be written to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import EMOTIONS
from fer_core.media import BoolArray, FaceBox


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The answer to one clip; probabilities are calibrated and not smoothed."""

    clip_end_s: float
    probabilities: NDArray[np.float32]  # (8,)
    segment_probabilities: NDArray[np.float32]  # (8, 8): segment, emotion
    segment_weights: NDArray[np.float32]  # (8,), sum 1: how much each segment decided
    segment_audio: BoolArray  # (8,), True where the segment was heard
    segment_video: BoolArray  # (8,), True where a face was seen
    uncertain: bool  # the largest probability is under the model's threshold
    face: FaceBox | None  # of the newest frame that has one
    kept_patches: tuple[int, ...]  # row-major places of the 14x14 grid kept in that frame
    audio_level_dbfs: float | None  # of the clip's real sound; None without any
    segment_speech: NDArray[np.float64]  # (8,), share in which somebody spoke, 0 to 1
    took_ms: float  # from the clip to this answer

    @property
    def emotion(self) -> str:
        return EMOTIONS[int(np.argmax(self.probabilities))]

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those the answer rests on, of "audio" and "video"."""
        present = (("audio", self.segment_audio.any()), ("video", self.segment_video.any()))
        return tuple(name for name, there in present if there)


def by_label(probabilities: Sequence[float] | NDArray[np.floating]) -> dict[str, float]:
    """``{"neutral": 0.1, ...}`` with the digits that mean something."""
    return {label: round(float(p), 5) for label, p in zip(EMOTIONS, probabilities, strict=True)}


def from_labels(values: Mapping[str, float]) -> NDArray[np.float64]:
    """What :func:`by_label` made, (8,).

    Raises:
        KeyError: an emotion is missing.
    """
    return np.array([values[label] for label in EMOTIONS], np.float64)


def face_as_json(face: FaceBox | None) -> dict[str, float] | None:
    if face is None:
        return None
    return {
        "x": round(face.x, 1),
        "y": round(face.y, 1),
        "width": round(face.width, 1),
        "height": round(face.height, 1),
        "score": round(face.score, 3),
    }


def face_from_json(values: Mapping[str, float] | None) -> FaceBox | None:
    """Raises:
    TypeError: it is not what :func:`face_as_json` makes.
    """
    return None if values is None else FaceBox(**values)


def prediction_as_json(prediction: Prediction) -> dict[str, Any]:
    """One entry of a report's ``predictions``; the keys are a stable contract."""
    level = prediction.audio_level_dbfs
    return {
        "clip_end_s": round(prediction.clip_end_s, 4),
        "emotion": prediction.emotion,
        "uncertain": prediction.uncertain,
        "probabilities": by_label(prediction.probabilities),
        "segments": [
            {"probabilities": by_label(p), "weight": round(float(w), 5)}
            for p, w in zip(
                prediction.segment_probabilities, prediction.segment_weights, strict=True
            )
        ],
        "modalities": list(prediction.modalities),
        "face": face_as_json(prediction.face),
        "audio_level_dbfs": None if level is None else round(level, 2),
        "took_ms": round(prediction.took_ms, 2),
    }
