from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_core.analysis.segment_average import SegmentAverage, segments_in
from fer_core.config import Thresholds
from fer_core.media import FaceBox
from fer_core.prediction import Prediction

FACE = FaceBox(1, 2, 30, 30, 0.9)
FACES = (FACE,) * 16


def said(heard: bool = True, seen: bool = True, speech: float = 0.0) -> Prediction:
    return Prediction(
        clip_end_s=0.0,
        probabilities=np.full(8, 1 / 8, np.float32),
        segment_probabilities=np.full((8, 8), 1 / 8, np.float32),
        segment_weights=np.full(8, 1 / 8, np.float32),
        segment_audio=np.full(8, heard),
        segment_video=np.full(8, seen),
        uncertain=False,
        face=FACE,
        kept_patches=(),
        audio_level_dbfs=-20.0,
        segment_speech=np.full(8, speech),
        took_ms=1.0,
    )


@pytest.fixture
def average() -> SegmentAverage:
    return SegmentAverage(Thresholds().uncertain_below)


@pytest.mark.parametrize(("times", "counts"), [(1, False), (2, True), (3, True)])
@pytest.mark.parametrize("modality", ["heard", "seen"])
def test_what_half_of_the_windows_had_is_there_and_what_fewer_had_is_not(
    average: SegmentAverage, modality: str, times: int, counts: bool
) -> None:
    for number in range(4):
        there: dict[str, Any] = {"heard": True, "seen": True, modality: number < times}
        average.add(0.0, said(**there), FACES)
    segment = average.take()
    assert getattr(segment, modality) == counts
    assert segment.heard or segment.seen
    assert (segment.face == FACE) == segment.seen


@pytest.mark.parametrize("speech", [0.2 / 0.375, 1.0])
def test_in_a_file_that_ends_in_a_segment_its_real_part_counts(
    average: SegmentAverage, speech: float
) -> None:
    """The window knows 375 ms, of which 175 are behind the end."""
    average.add(0.0, said(speech=speech), FACES, end_s=0.2)
    segment = average.take(0.2)
    assert segment.end_s == 0.2
    assert segment.speech == pytest.approx(1.0)


def test_the_face_of_a_segment_is_that_of_both_its_frames(average: SegmentAverage) -> None:
    average.add(0.0, said(), (None, FACE, *(None,) * 14))
    assert average.take().face == FACE


def test_a_rounding_error_before_a_segment_is_none_of_the_one_before(
    average: SegmentAverage,
) -> None:
    average.add(0.0, None, (None,) * 16)
    average.add(0.375 - 1e-9, said(), FACES)
    assert average.finished(0.375 - 1e-9) == 1
    before, own = average.take(), average.take()
    assert before.probabilities is None
    assert own.probabilities is not None


def test_a_rounding_error_behind_a_whole_segment_is_no_segment() -> None:
    assert segments_in(0.375) == segments_in(0.375 + 1e-9) == 1
    assert segments_in(0.38) == 2
    assert segments_in(0.0) == 1
