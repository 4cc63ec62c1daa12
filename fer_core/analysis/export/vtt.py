"""A timeline as subtitles for the web (WebVTT)."""

from __future__ import annotations

from html import escape

from fer_core.analysis.export.cues import clock, subtitles_of
from fer_core.analysis.timeline import Timeline


def as_vtt(timeline: Timeline) -> bytes:
    blocks = [
        f"{clock(start_s, '.')} --> {clock(end_s, '.')}\n{escape(text, quote=False)}\n"
        for start_s, end_s, text in subtitles_of(timeline)
    ]
    return "\n".join(["WEBVTT\n", *blocks]).encode(errors="backslashreplace")
