"""A timeline as subtitles that any player shows (SubRip)."""

from __future__ import annotations

from fer_core.analysis.export.cues import clock, cues_of
from fer_core.analysis.timeline import Timeline


def as_srt(timeline: Timeline) -> bytes:
    blocks = [
        f"{number}\n{clock(cue.start_s, ',')} --> {clock(cue.end_s, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues_of(timeline.segments), start=1)
    ]
    return "\n".join(blocks).encode()
