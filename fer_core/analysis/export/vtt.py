"""A timeline as subtitles for the web (WebVTT)."""

from __future__ import annotations

from fer_core.analysis.export.cues import clock, cues_of
from fer_core.analysis.timeline import Timeline


def as_vtt(timeline: Timeline) -> bytes:
    blocks = [
        f"{clock(cue.start_s, '.')} --> {clock(cue.end_s, '.')}\n{cue.text}\n"
        for cue in cues_of(timeline.segments)
    ]
    return "\n".join(["WEBVTT\n", *blocks]).encode()
