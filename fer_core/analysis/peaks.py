"""Where each emotion is shown most clearly: the segments worth going to, and worth a thumbnail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fer_core.analysis.timeline import Segment
from fer_core.labels import EMOTIONS
from fer_core.media import CLIP_SECONDS, FaceBox

MOST_PEAKS = 3  # of an emotion
APART_SECONDS = CLIP_SECONDS  # nearer ones were told by the same windows


@dataclass(frozen=True, slots=True)
class Peak:
    emotion: str
    time_s: float  # the middle of its segment
    probability: float
    face: FaceBox | None  # where it was seen, in pixels of the file's picture


def peaks_of(segments: Iterable[Segment], most: int = MOST_PEAKS) -> tuple[Peak, ...]:
    """The ``most`` highest segments of each emotion, highest first, emotions in their own order.

    Only where the emotion leads and the model is certain of it; peaks of one emotion are at least
    3 s apart.
    """
    led: dict[str, list[Segment]] = {emotion: [] for emotion in EMOTIONS}
    for segment in segments:
        if segment.emotion is not None and not segment.uncertain:
            led[segment.emotion].append(segment)
    return tuple(peak for emotion in EMOTIONS for peak in _highest(led[emotion], most))


def _highest(segments: list[Segment], most: int) -> list[Peak]:
    found: list[Peak] = []
    for segment in sorted(segments, key=_probability, reverse=True):
        time_s = (segment.start_s + segment.end_s) / 2
        if all(abs(time_s - peak.time_s) >= APART_SECONDS for peak in found):
            emotion = segment.emotion
            assert emotion is not None
            found.append(Peak(emotion, time_s, _probability(segment), segment.face))
            if len(found) == most:
                break
    return found


def _probability(segment: Segment) -> float:
    return 0.0 if segment.probabilities is None else float(segment.probabilities.max())
