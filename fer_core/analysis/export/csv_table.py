"""A timeline as a table for spreadsheets: a row for each segment."""

from __future__ import annotations

import csv
import io
import math

from fer_core.analysis.export.cues import note_of
from fer_core.analysis.timeline import Segment, Timeline
from fer_core.labels import EMOTIONS

FACE = ("x", "y", "width", "height", "score")
COLUMNS = (
    "start_s", "end_s", "emotion", "uncertain", *EMOTIONS,
    "modalities", *(f"face_{name}" for name in FACE), "speech", "markers",
)  # fmt: skip


def as_csv(timeline: Timeline) -> bytes:
    """RFC 4180, UTF-8; what is not there is empty, modalities are joined by "+", notes by "; "."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for number, row in enumerate(timeline.segments):
        segment = row.as_json()
        probabilities, face = segment["probabilities"] or {}, segment["face"] or {}
        table.writerow(
            [
                segment["start_s"],
                segment["end_s"],
                segment["emotion"],
                str(segment["uncertain"]).lower(),
                *(probabilities.get(label) for label in EMOTIONS),
                "+".join(segment["modalities"]),
                *(face.get(name) for name in FACE),
                segment["speech"],
                _notes(timeline, row, last=number == len(timeline.segments) - 1),
            ]
        )
    return text.getvalue().encode(errors="backslashreplace")


def _notes(timeline: Timeline, segment: Segment, last: bool) -> str:
    """Of the markers in ``segment``; those at the file's very end are in the last one."""
    end_s = math.inf if last else segment.end_s
    return "; ".join(note_of(m) for m in timeline.markers if segment.start_s <= m.time_s < end_s)
