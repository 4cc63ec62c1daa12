"""Segments in a row with the same emotion, as one line of text: for subtitles and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from fer_core.analysis.timeline import Segment


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


def clock(time_s: float, point: str) -> str:
    """``01:02:03.456`` with ``point`` before the milliseconds."""
    seconds, milliseconds = divmod(round(1000 * time_s), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"
