"""The results of a recording: lines of JSON, appended as the answers come.

The first line names the video; one with ``model`` says who answers from there on; every other is
the answer to a window of 3 s:

    {"start_s": 1.5, "end_s": 4.5, "emotion": "happy", "uncertain": false, "probabilities": {...},
     "modalities": ["audio", "video"], "face": {...}, "segments": [{"start_s": 1.5, "end_s": 1.875,
     "probabilities": {...}, "weight": 0.1, "modalities": ["video"], "speech": 0.2, "face": {...}}]}

Times are seconds from the recording's beginning, boxes pixels of its picture, probabilities
calibrated and not smoothed. Where a window began before the recording did, or before a pause ended,
it is told from there on. A line without an answer (``emotion`` null) says that nobody was there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from fer_core.config import FERConfig
from fer_core.labels import EMOTIONS
from fer_core.media import CLIP_SECONDS, SEGMENT_SECONDS, SEGMENTS, FaceBox
from fer_core.prediction import Prediction, face_as_json
from fer_core.whole_file import unwritable


@dataclass(frozen=True, slots=True)
class ModelAnswering:
    config: FERConfig
    folder: Path


def model_line(model: ModelAnswering) -> dict[str, Any]:
    """Raises:
    UserError: the model's files have gone.
    """
    # Imported here because it imports the network, which the one who answers has done by then.
    from fer_core.analysis.model import model_used

    used = model_used(model.folder)
    return {
        "model": {
            "name": used.name,
            "preset": used.preset,
            "sha256": used.sha256,
            "labels": list(EMOTIONS),
            "uncertain_below": dataclasses.asdict(model.config.thresholds.uncertain_below),
        }
    }


def result_line(
    prediction: Prediction | None,
    end_s: float,
    goes_on_from_s: float,
    faces: Sequence[FaceBox | None],
) -> dict[str, Any]:
    """The answer to the window that ends at ``end_s``.

    Args:
        goes_on_from_s: what was before is not in the recording.
        faces: of the window's 8 segments.
    """
    begin_s = end_s - CLIP_SECONDS
    line: dict[str, Any] = {
        "start_s": round(max(begin_s, goes_on_from_s), 4),
        "end_s": round(end_s, 4),
        "emotion": None,
        "uncertain": True,
        "probabilities": None,
        "modalities": [],
        "face": None,
        "segments": [],
    }
    if prediction is None:
        return line
    line |= {
        "emotion": prediction.emotion,
        "uncertain": prediction.uncertain,
        "probabilities": _by_label(prediction.probabilities),
        "modalities": list(prediction.modalities),
        "face": face_as_json(prediction.face),
    }
    for place in range(SEGMENTS):
        start_s = begin_s + place * SEGMENT_SECONDS
        if start_s < goes_on_from_s:
            continue
        there = (
            ("audio", prediction.segment_audio[place]),
            ("video", prediction.segment_video[place]),
        )
        line["segments"].append(
            {
                "start_s": round(start_s, 4),
                "end_s": round(start_s + SEGMENT_SECONDS, 4),
                "probabilities": _by_label(prediction.segment_probabilities[place]),
                "weight": round(float(prediction.segment_weights[place]), 5),
                "modalities": [name for name, present in there if present],
                "speech": round(float(prediction.segment_speech[place]), 4),
                "face": face_as_json(faces[place]),
            }
        )
    return line


def write_line(file: TextIO, values: dict[str, Any]) -> None:
    """Append it; the file is one that flushes at each line.

    Raises:
        UserError: it cannot be written.
    """
    try:
        file.write(json.dumps(values, allow_nan=False) + "\n")
    except OSError as error:
        raise unwritable(Path(file.name), error) from error


def _by_label(probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Six digits of each, however small: logarithms are averaged over a recording."""
    return {label: float(f"{p:.6g}") for label, p in zip(EMOTIONS, probabilities, strict=True)}
