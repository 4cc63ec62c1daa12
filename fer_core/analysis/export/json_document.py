"""A timeline as JSON, the contract of ``timeline.schema.json``."""

from __future__ import annotations

import json

from fer_core.analysis.timeline import Timeline


def as_json(timeline: Timeline) -> bytes:
    text = json.dumps(timeline.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
    # A file's name may hold bytes that are no UTF-8.
    return (text + "\n").encode(errors="backslashreplace")
