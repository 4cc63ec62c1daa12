"""Several faces in one file: who gets which answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.analysis import Analysis, analyze
from fer_core.analysis.identities import FaceChoice
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.timeline import Timeline
from fer_core.errors import UserError
from fer_core.media import SEGMENT_SECONDS

Make = Callable[..., Path]
Noise = Callable[[float], np.ndarray]


@pytest.fixture
def two_faces(write_video: Make, noise: Noise, bright_squares: None) -> tuple[Path, Path]:
    """8 s: a large one on the left until 5 s, a smaller one right from 2 s; and without that."""
    random = np.random.default_rng(0)
    both, left = [], []
    for number in range(80):
        picture = np.zeros((120, 240, 3), np.uint8)
        if number < 50:
            picture[20:90, 10:80] = random.integers(160, 255, 3, np.uint8)
        left.append(picture.copy())
        if number >= 20:
            picture[30:90, 150:210] = random.integers(160, 255, 3, np.uint8)
        both.append(picture)
    sound = noise(8.0)
    return write_video("both.mkv", both, sound=sound), write_video("left.mkv", left, sound=sound)


def all_of(path: Path, model: LoadedModel, face: FaceChoice = "all") -> list[Timeline]:
    analysis = Analysis(path, model, face=face)
    for _ in analysis.segments():
        pass
    return analysis.timelines()


def test_each_face_gets_a_timeline_of_its_own(
    two_faces: tuple[Path, Path], model: LoadedModel
) -> None:
    left, right = all_of(two_faces[0], model)
    assert (left.face_id, right.face_id) == (0, 1)
    for timeline in (left, right):
        begins = [segment.start_s for segment in timeline.segments]
        assert begins == [i * SEGMENT_SECONDS for i in range(22)]
    assert [s.seen for s in left.segments[:12]] == [True] * 12
    assert [s.seen for s in right.segments[7:]] == [True] * 15
    assert not any(s.seen for s in left.segments[15:])
    assert not any(s.seen for s in right.segments[:4])
    assert all(s.face.x == pytest.approx(10, abs=3) for s in left.segments if s.face)
    assert all(s.face.x == pytest.approx(150, abs=3) for s in right.segments if s.face)
    assert left.segments[0].probabilities is not right.segments[0].probabilities


def test_beside_others_a_face_gets_the_answers_it_gets_alone(
    two_faces: tuple[Path, Path], model: LoadedModel
) -> None:
    both, alone = (all_of(path, model)[0] for path in two_faces)
    for found, expected in zip(both.segments, alone.segments, strict=True):
        assert found.seen == expected.seen
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=0.02)  # codec
    assert analyze(two_faces[1], model).segments[2].probabilities == pytest.approx(
        alone.segments[2].probabilities, abs=1e-6
    )


def test_one_of_all_faces_is_chosen_by_its_number(
    two_faces: tuple[Path, Path], model: LoadedModel
) -> None:
    (right,) = all_of(two_faces[0], model, face=1)
    assert right.face_id == 1
    assert right.segments[-1].face is not None
    with pytest.raises(UserError, match=r"no face 2\. It shows 2, counted from 0"):
        analyze(two_faces[0], model, face=2)


def test_where_nobody_is_seen_all_faces_are_the_sound_alone(
    write_sound: Make, noise: Noise, model: LoadedModel
) -> None:
    (timeline,) = all_of(write_sound("a.wav", noise(3.5)), model)
    assert timeline.face_id is None
    assert timeline.emotion is not None
