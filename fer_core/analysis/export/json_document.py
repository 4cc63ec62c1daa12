"""A timeline as JSON, the contract of ``timeline.schema.json``."""

from __future__ import annotations

import json
from typing import Any

from fer_core.analysis.timeline import Timeline


def as_json(timeline: Timeline) -> bytes:
    return encoded(timeline.as_json())


def encoded(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    # A file's name may hold bytes that are no UTF-8.
    return (text + "\n").encode(errors="backslashreplace")
