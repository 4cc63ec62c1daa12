from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.analysis.appearances import NOBODY, Answer, Appearances
from fer_core.analysis.file_average import FileAverage
from fer_core.analysis.segment_average import SegmentAverage, segments_in
from fer_core.analysis.timeline import Segment
from fer_core.config import PerModality
from fer_core.media import FaceBox
from fer_core.prediction import Prediction

BELOW = PerModality(both=0.5, audio=0.3, video=0.2)
RANDOM = np.random.default_rng(0)
FACES = (FaceBox(1, 2, 30, 30, 0.9),) * 16


def answer(seen: bool) -> Answer:
    """A random one; the sound is always there."""
    shares = RANDOM.dirichlet(np.ones(8), 9).astype(np.float32)
    here = np.ones(8, np.bool_)
    prediction = Prediction(
        clip_end_s=0.0,
        probabilities=shares[8],
        segment_probabilities=shares[:8],
        segment_weights=np.full(8, 1 / 8, np.float32),
        segment_audio=here,
        segment_video=here if seen else ~here,
        uncertain=False,
        face=FACES[0] if seen else None,
        kept_patches=(),
        audio_level_dbfs=-20.0,
        segment_speech=np.ones(8),
        took_ms=1.0,
    )
    return Answer(prediction, FACES if seen else NOBODY)


@pytest.mark.parametrize(
    ("heard", "seen", "largest"), [(True, True, 0.5), (True, False, 0.3), (False, True, 0.2)]
)
def test_a_segments_doubt_is_that_of_what_it_rests_on(
    heard: bool, seen: bool, largest: float
) -> None:
    def uncertain(probability: float) -> bool:
        prediction, faces = answer(seen)
        assert prediction is not None
        shares = np.full(8, (1 - probability) / 7, np.float32)
        shares[3] = probability
        said = replace(
            prediction,
            segment_probabilities=np.tile(shares, (8, 1)),
            segment_audio=np.full(8, heard),
        )
        average = SegmentAverage(BELOW)
        average.add(0.0, said, faces)
        return average.take().uncertain

    assert uncertain(largest - 0.01)
    assert not uncertain(largest + 0.01)


def test_what_a_window_saw_behind_the_files_end_counts_for_nothing() -> None:
    average = SegmentAverage(BELOW)
    average.add(0.05, *answer(seen=True), end_s=0.79)  # its third segment begins at 0.8
    segments = [average.take(0.79) for _ in range(3)]
    assert [segment.speech for segment in segments] == pytest.approx([1, 1, 1])


def fed(
    hop_s: float, windows: list[tuple[Answer, dict[int, Answer]]]
) -> tuple[Appearances, list[Segment]]:
    said, end_s = Appearances(BELOW), (len(windows) - 1) * hop_s + 3.0
    taken = []
    for number, (shared, faces) in enumerate(windows):
        said.add(number * hop_s, shared, faces, end_s)
        taken += [said.take() for _ in range(said.finished(number * hop_s))]
    taken += [said.take(end_s) for _ in range(segments_in(end_s) - len(taken))]
    return said, taken


def alone(hop_s: float, answers: list[Answer]) -> tuple[list[Segment], np.ndarray]:
    """The same, the long way: one face, all windows."""
    average, whole = SegmentAverage(BELOW), FileAverage()
    end_s = (len(answers) - 1) * hop_s + 3.0
    for number, (prediction, faces) in enumerate(answers):
        average.add(number * hop_s, prediction, faces, end_s)
        whole.add(prediction)
    probabilities = whole.probabilities()
    assert probabilities is not None
    return [average.take(end_s) for _ in range(segments_in(end_s))], probabilities


@pytest.mark.parametrize("hop_s", [0.375, 0.5])
def test_each_face_gets_what_it_would_get_alone(hop_s: float) -> None:
    """One comes and goes twice, one leaves before it, one stays longer, one until the end."""
    there = {0: [*range(5), *range(30, 40)], 1: range(3), 2: range(12), 3: range(35, 60)}
    windows = [
        (answer(False), {face: answer(True) for face, when in there.items() if number in when})
        for number in range(60)
    ]
    said, _ = fed(hop_s, windows)
    for (segments, whole), face in zip(said.of_faces(), there, strict=True):
        expected, probabilities = alone(hop_s, [own.get(face, any_) for any_, own in windows])
        assert len(segments) == len(expected)
        for found, wanted in zip(segments, expected, strict=True):
            assert found.probabilities == pytest.approx(wanted.probabilities)
            rest = replace(found, probabilities=wanted.probabilities)
            assert rest.start_s == wanted.start_s
            assert (rest.seen, rest.face, rest.end_s) == (wanted.seen, wanted.face, wanted.end_s)
        assert whole.probabilities() == pytest.approx(probabilities)


def test_without_a_face_all_share_the_same_segments() -> None:
    windows = [(answer(False), {0: answer(True)} if n < 4 else {}) for n in range(400)]
    said, shared = fed(0.375, windows)
    ((segments, _),) = said.of_faces()
    assert all(mine is common for mine, common in zip(segments[20:], shared[20:], strict=True))


@pytest.mark.parametrize(("segments", "faces"), [(2, 1), (3, 2)])
def test_who_was_seen_for_less_than_a_second_is_nobody(segments: int, faces: int) -> None:
    brief = answer(True)
    assert brief.prediction is not None
    seen = np.arange(8) < segments  # for 0.75 s, or 1.125 s
    brief = Answer(replace(brief.prediction, segment_video=seen), FACES)
    said, _ = fed(3.0, [(answer(False), {0: brief}), (answer(False), {1: answer(True)})])
    found = said.of_faces()
    assert len(found) == faces
    assert [segment.seen for segment in found[-1][0]] == [False] * 8 + [True] * 8


def test_a_probability_that_became_zero_rules_no_file() -> None:
    sure = answer(False).prediction
    assert sure is not None
    average = FileAverage()
    for winner in (2, 3, 3):
        average.add(replace(sure, probabilities=np.eye(8, dtype=np.float32)[winner]))
    probabilities = average.probabilities()
    assert probabilities is not None
    assert np.isfinite(probabilities).all()
    assert probabilities.argmax() == 3
