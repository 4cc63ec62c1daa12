"""A timeline as subtitles that any player shows (SubRip)."""

from __future__ import annotations

from fer_core.analysis.export.cues import clock, subtitles_of
from fer_core.analysis.timeline import Timeline


def as_srt(timeline: Timeline) -> bytes:
    blocks = [
        f"{number}\n{clock(start_s, ',')} --> {clock(end_s, ',')}\n{text}\n"
        for number, (start_s, end_s, text) in enumerate(subtitles_of(timeline), start=1)
    ]
    return "\n".join(blocks).encode(errors="backslashreplace")
