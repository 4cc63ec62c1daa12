from __future__ import annotations

from fer_core.analysis.identities import KEPT_SECONDS, EveryFace, LargestFace
from fer_core.media import FaceBox


def face(x: float, y: float = 0.0, side: float = 100.0) -> FaceBox:
    return FaceBox(x, y, side, side, 0.9)


def test_faces_keep_their_numbers_whatever_the_order_they_are_found_in() -> None:
    every = EveryFace()
    left, right = face(0, side=110), face(300)
    assert every.follow([left, right], 0.0) == {0: left, 1: right}
    left, right = face(20), face(280, side=110)
    assert every.follow([right, left], 0.2) == {0: left, 1: right}


def test_each_number_is_given_once_in_a_frame() -> None:
    every = EveryFace()
    every.follow([face(0)], 0.0)
    near, nearer = face(30), face(10)
    assert every.follow([near, nearer], 0.2) == {0: nearer, 1: near}


def test_a_face_missed_for_a_while_comes_back_under_its_number() -> None:
    every = EveryFace()
    every.follow([face(0), face(300)], 0.0)
    assert every.follow([face(300)], 0.2) == {1: face(300)}
    assert every.follow([face(5), face(300)], KEPT_SECONDS) == {0: face(5), 1: face(300)}


def test_who_was_away_for_long_is_somebody_new() -> None:
    every = EveryFace()
    every.follow([face(0)], 0.0)
    every.follow([], KEPT_SECONDS)
    assert every.follow([face(0)], KEPT_SECONDS + 0.1) == {1: face(0)}


def test_a_face_elsewhere_is_somebody_new() -> None:
    every = EveryFace()
    every.follow([face(0)], 0.0)
    assert every.follow([face(300)], 0.2) == {1: face(300)}


def test_the_largest_is_followed_as_0() -> None:
    largest = LargestFace()
    assert largest.follow([face(0, side=120), face(300)], 0.0) == {0: face(0, side=120)}
    assert largest.follow([], 0.2) == {}
