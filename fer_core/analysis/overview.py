"""Many files in one table for spreadsheets: a row for each, or for each of its faces."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fer_core.analysis.batch import Outcome
from fer_core.labels import EMOTIONS

COLUMNS = (
    "path", "face", "emotion",
    *(f"share_{name}" for name in EMOTIONS), *(f"certain_{name}" for name in EMOTIONS),
    "face_s", "speech_s", "error",
)  # fmt: skip


def as_overview(outcomes: Sequence[Outcome]) -> bytes:
    """RFC 4180, UTF-8. A file that failed has its error alone; faces are numbered from 0 where a
    file has several.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for outcome in outcomes:
        path = str(outcome.job.path)
        if outcome.error is not None:
            table.writerow([path, *[None] * (len(COLUMNS) - 2), outcome.error])
        for number, face in enumerate(outcome.summaries):
            table.writerow(
                [
                    path,
                    number if len(outcome.summaries) > 1 else None,
                    face["emotion"],
                    *(face["shares"][name] for name in EMOTIONS),
                    *(face["certain"][name] for name in EMOTIONS),
                    face["face_s"],
                    face["speech_s"],
                    None,
                ]
            )
    return text.getvalue().encode(errors="backslashreplace")
