"""A timeline as a table for spreadsheets: a row for each segment."""

from __future__ import annotations

import csv
import io

from fer_core.analysis.timeline import Timeline
from fer_core.labels import EMOTIONS

FACE = ("x", "y", "width", "height", "score")
COLUMNS = (
    "start_s", "end_s", "emotion", "uncertain", *EMOTIONS,
    "modalities", *(f"face_{name}" for name in FACE), "speech",
)  # fmt: skip


def as_csv(timeline: Timeline) -> bytes:
    """RFC 4180, UTF-8; what is not there is empty, modalities are joined by "+"."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for segment in (segment.as_json() for segment in timeline.segments):
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
            ]
        )
    return text.getvalue().encode()
