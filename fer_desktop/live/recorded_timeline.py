"""The results of a recording -> the timeline of its video, as an analysis of a file gives it.

The segments are those of the live windows: each the mean over all windows that saw it. They are
read back from the lines of ``recorded_results``, so that an hour-long recording costs no memory
while it goes on, and one that a crash ended has its timeline too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.analysis.export.json_document import as_json
from fer_core.analysis.file_average import FileAverage
from fer_core.analysis.segment_average import SegmentAverage, segments_in
from fer_core.analysis.timeline import ModelUsed, Segment, Timeline
from fer_core.config import PerModality
from fer_core.labels import EMOTIONS
from fer_core.media import (
    CLIP_SECONDS,
    FRAMES_PER_SEGMENT,
    HOP_SECONDS,
    SEGMENT_SECONDS,
    SEGMENTS,
    FaceBox,
)
from fer_core.prediction import Prediction, face_from_json, from_labels
from fer_core.whole_file import write_whole

# Before the end or a pause: a hop that was not yet whole, and one whose answer was on its way.
CUT_SHORT_SECONDS = 2 * HOP_SECONDS


def write_timeline(video: Path) -> None:
    """Beside the recording ``video``; without an answer of a model there is none.

    Raises:
        UserError: the video or its results cannot be read, or the folder cannot be written.
    """
    timeline = recorded_timeline(video)
    if timeline is not None:
        write_whole(as_json(timeline), video.with_suffix(".json"))


def said_live(video: Path) -> Timeline | None:
    """What the program said of ``video`` while it recorded it; None of any other file.

    Raises:
        OSError: its results cannot be read.
        UserError: the video cannot be read.
        ValueError, KeyError, TypeError: its results are damaged.
    """
    results = video.with_suffix(".jsonl")
    if not results.is_file():
        return None
    head = next(_lines(results), None)
    if not isinstance(head, dict) or "recording" not in head:
        return None
    timeline = recorded_timeline(video)
    document = video.with_suffix(".json")  # names the content of what was recorded
    if timeline is not None and document.is_file():
        written = json.loads(document.read_text(encoding="utf-8"))
        if written["source"]["sha256"] != timeline.source.sha256:
            return None  # cut or edited since then
    return timeline


def recorded_timeline(video: Path) -> Timeline | None:
    """What was said live of the recording ``video``; None if no model had answered.

    Where nobody was asked, as while the model loaded, it has segments without anything heard or
    seen, and a warning.

    Raises:
        OSError: its results cannot be read.
        UserError: the video cannot be read.
    """
    # Imported here because they import the face detector.
    from fer_core.analysis.source import source_of
    from fer_core.data.digest import content_digest
    from fer_core.data.media_info import probe

    info = probe(video)
    duration_s = info.duration_s
    expected = segments_in(duration_s)
    segments: list[Segment] = []
    whole, begun_before = FileAverage(), FileAverage()
    models: list[dict[str, Any]] = []
    warnings: list[str] = []
    average: SegmentAverage | None = None
    answered_s = 0.0  # as far as windows reach
    for line in _lines(video.with_suffix(".jsonl")):
        if "model" in line:
            models.append(line["model"])
            average = average or SegmentAverage(PerModality(**line["model"]["uncertain_below"]))
        elif "segments" in line and average is not None:
            begin_s = line["end_s"] - CLIP_SECONDS
            warnings += _unanswered(answered_s, line["start_s"])
            answered_s = line["end_s"]
            prediction, faces = _prediction(line)
            (begun_before if begin_s < line["start_s"] else whole).add(prediction)
            average.add(begin_s, prediction, faces, duration_s, from_s=line["start_s"])
            for _ in range(min(average.finished(begin_s), expected - len(segments))):
                segments.append(average.take(duration_s))
    if average is None:
        return None
    for _ in range(expected - len(segments)):
        segments.append(average.take(duration_s))
    warnings += _unanswered(answered_s, duration_s)
    # What a window saw before the recording counts only where there is nothing better.
    probabilities = whole.probabilities()
    if probabilities is None:
        probabilities = begun_before.probabilities()
    for before in models[:-1]:
        warnings.append(f"A part was answered by another model: {before['name']}.")
    return Timeline(
        source=source_of(video, info, content_digest(video), duration_s),
        model=ModelUsed(*(models[-1][key] for key in ("name", "preset", "sha256"))),
        hop_s=HOP_SECONDS,
        segments=tuple(segments),
        probabilities=probabilities,
        warnings=tuple(warnings),
    )


def _unanswered(begin_s: float, end_s: float) -> list[str]:
    """What no window saw is no silence; of what every end and pause costs nobody need be warned."""
    if end_s - begin_s <= CUT_SHORT_SECONDS:
        return []
    return [f"From {begin_s:.2f} s to {end_s:.2f} s no answer was given."]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """One by one; after a crash the last may be cut."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


def _prediction(line: dict[str, Any]) -> tuple[Prediction | None, list[FaceBox | None]]:
    """The answer as it was, and the faces of its 16 frames; what was not recorded is absent."""
    faces: list[FaceBox | None] = [None] * (SEGMENTS * FRAMES_PER_SEGMENT)
    if line["emotion"] is None:
        return None, faces
    probabilities = np.zeros((SEGMENTS, len(EMOTIONS)), np.float32)
    weights = np.zeros(SEGMENTS, np.float32)
    heard, seen = np.zeros(SEGMENTS, np.bool_), np.zeros(SEGMENTS, np.bool_)
    speech = np.zeros(SEGMENTS)
    for segment in line["segments"]:
        place = round((segment["start_s"] - line["end_s"] + CLIP_SECONDS) / SEGMENT_SECONDS)
        probabilities[place] = from_labels(segment["probabilities"])
        weights[place] = segment["weight"]
        heard[place] = "audio" in segment["modalities"]
        seen[place] = "video" in segment["modalities"]
        speech[place] = segment["speech"]
        first, face = place * FRAMES_PER_SEGMENT, face_from_json(segment["face"])
        faces[first : first + FRAMES_PER_SEGMENT] = [face] * FRAMES_PER_SEGMENT
    prediction = Prediction(
        clip_end_s=line["end_s"],
        probabilities=from_labels(line["probabilities"]).astype(np.float32),
        segment_probabilities=probabilities,
        segment_weights=weights,
        segment_audio=heard,
        segment_video=seen,
        uncertain=line["uncertain"],
        face=face_from_json(line["face"]),
        kept_patches=(),
        audio_level_dbfs=None,
        segment_speech=speech,
        took_ms=0.0,
    )
    return prediction, faces
