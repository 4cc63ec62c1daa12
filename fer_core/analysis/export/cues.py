"""Segments in a row with the same emotion, as one line of text: for subtitles and tables.

In subtitles, markers are lines of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from fer_core.analysis.timeline import Marker, Segment, Timeline

MARKER_SECONDS = 2.0  # for which a marker's note is shown


@dataclass(frozen=True, slots=True)
class Cue:
    start_s: float
    end_s: float
    emotion: str
    uncertain: bool
    probability: float  # of the emotion, the mean over the segments

    @property
    def text(self) -> str:
        return f"{self.emotion}{'?' if self.uncertain else ''} {self.probability:.0%}"


def cues_of(segments: Sequence[Segment]) -> list[Cue]:
    """In order of time; where nothing was heard or seen there is none."""
    cues = []
    for (emotion, uncertain), group in groupby(segments, lambda s: (s.emotion, s.uncertain)):
        run = list(group)
        seconds = [segment.end_s - segment.start_s for segment in run]
        largest = [0.0 if s.probabilities is None else s.probabilities.max() for s in run]
        if emotion is not None:
            mean = sum(p * s for p, s in zip(largest, seconds, strict=True)) / sum(seconds)
            cues.append(Cue(run[0].start_s, run[-1].end_s, emotion, uncertain, float(mean)))
    return cues


def subtitles_of(timeline: Timeline) -> list[tuple[float, float, str]]:
    """From when to when which line is shown, in order of time; lines may overlap."""
    lines = [(cue.start_s, cue.end_s, cue.text) for cue in cues_of(timeline.segments)]
    for marker in timeline.markers:
        end_s = min(marker.time_s + MARKER_SECONDS, timeline.source.duration_s)
        # An arrow of this kind and an empty line have a meaning in subtitles.
        text = " ".join(note_of(marker).replace("-->", "→").split())
        lines.append((marker.time_s, max(end_s, marker.time_s + 0.1), f"⚑ {text}"))
    return sorted(lines, key=lambda line: line[0])


def note_of(marker: Marker) -> str:
    return marker.note.strip() or "marker"


def clock(time_s: float, point: str) -> str:
    """``01:02:03.456`` with ``point`` before the milliseconds."""
    seconds, milliseconds = divmod(round(1000 * time_s), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"
