from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.media import FaceBox
from fer_core.preprocess.face import GRACE_FRAMES, TAKEOVER_FRAMES, FaceDetector, FaceTracker
from fer_core.preprocess.opencv import cv2
from fer_core.resources import resource

CLIPS = Path(__file__).parents[4] / "shared/data/clips"


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A frame of a real recording: one face, 360x480."""
    clip = CLIPS / "cremad_happy.mp4"
    if not clip.exists():
        pytest.skip(f"the recordings in {CLIPS} are not here")
    capture = cv2.VideoCapture(str(clip))
    read, image = capture.read()
    capture.release()
    assert read
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def detector():
    with FaceDetector() as detector:
        yield detector


def box(x: float, y: float = 100, side: float = 100) -> FaceBox:
    return FaceBox(x, y, side, side, 0.9)


def test_a_real_face_is_found_where_it_is(detector, picture):
    (face,) = detector.detect(picture)
    assert face.contains(210, 130)
    assert 60 < face.width < 110
    assert face.score > 0.9


def test_an_empty_picture_has_no_face(detector):
    assert detector.detect(np.full((480, 640, 3), 127, np.uint8)) == []


def test_boxes_never_leave_the_picture(detector, picture):
    (whole,) = detector.detect(picture)
    cut = int(whole.x + whole.width * 0.25)
    faces = detector.detect(picture[:, cut:])  # a view that is not contiguous
    assert faces, "a face cut at a quarter should still be found"
    for face in faces:
        assert face.x >= 0
        assert face.x + face.width <= picture.shape[1] - cut


def test_largest_face_comes_first(detector, picture):
    head = picture[30:230, 110:310]
    both = np.full((320, 400, 3), 127, np.uint8)
    both[100:260, 20:180] = cv2.resize(head, (160, 160))
    both[60:260, 200:400] = head
    areas = [face.area for face in detector.detect(both)]
    assert len(areas) == 2
    assert areas == sorted(areas, reverse=True)


def test_the_detector_writes_nothing_to_the_terminal(capfd):
    with FaceDetector() as detector:
        detector.detect(np.zeros((480, 640, 3), np.uint8))
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_of_the_installation_is_named():
    with pytest.raises(FileNotFoundError, match=r"nothing\.tflite"):
        resource("models/nothing.tflite")


def test_the_largest_face_is_followed_first():
    assert FaceTracker().follow([box(0, side=80), box(300)]) == box(300)


def test_a_somewhat_larger_face_does_not_take_over():
    tracker = FaceTracker()
    tracker.follow([box(0)])
    for step in range(100):
        assert tracker.follow([box(300, side=130), box(step)]) == box(step)


def test_a_much_larger_face_takes_over_after_a_while():
    tracker = FaceTracker()
    tracker.follow([box(0)])
    near, far = box(300, side=200), box(0)
    followed = [tracker.follow([near, far]) for _ in range(TAKEOVER_FRAMES)]
    assert followed == [far] * (TAKEOVER_FRAMES - 1) + [near]


def test_somebody_leaning_in_for_a_moment_does_not_take_over():
    tracker = FaceTracker()
    tracker.follow([box(0)])
    for _ in range(5):
        for _ in range(TAKEOVER_FRAMES - 1):
            assert tracker.follow([box(300, side=200), box(0)]) == box(0)
        assert tracker.follow([box(0)]) == box(0)


def test_a_missed_detection_does_not_flick_to_the_background():
    tracker = FaceTracker()
    tracker.follow([box(0), box(300, side=60)])
    for _ in range(GRACE_FRAMES):
        assert tracker.follow([box(300, side=60)]) is None
    assert tracker.follow([box(0), box(300, side=60)]) == box(0)


def test_when_the_face_is_gone_the_largest_is_followed():
    tracker = FaceTracker()
    tracker.follow([box(0), box(300, side=60)])
    answers = [tracker.follow([box(300, side=60)]) for _ in range(GRACE_FRAMES + 1)]
    assert answers == [None] * GRACE_FRAMES + [box(300, side=60)]


def test_nobody_there_is_none_and_the_next_face_is_taken():
    tracker = FaceTracker()
    assert tracker.follow([]) is None
    assert tracker.follow([box(0)]) == box(0)


def test_a_click_locks_the_face_under_it():
    tracker = FaceTracker()
    small, large = box(300, side=60), box(0, side=200)
    tracker.follow([large, small])
    assert tracker.lock(310, 110) == small
    assert tracker.locked
    for _ in range(2 * TAKEOVER_FRAMES):
        assert tracker.follow([large, small]) == small


def test_a_click_beside_every_face_changes_nothing():
    tracker = FaceTracker()
    tracker.follow([box(0)])
    assert tracker.lock(600, 400) is None
    assert not tracker.locked


def test_a_click_where_boxes_overlap_means_the_smaller():
    tracker = FaceTracker()
    tracker.follow([box(0, side=200), box(50, side=60)])
    assert tracker.lock(70, 120) == box(50, side=60)


def test_a_lost_locked_face_is_none_until_it_is_back():
    tracker = FaceTracker()
    locked, other = box(0), box(300, side=200)
    tracker.follow([locked, other])
    tracker.lock(50, 150)
    for _ in range(500):
        assert tracker.follow([other]) is None
    assert tracker.follow([other, box(20)]) == box(20)


def test_unlocking_a_lost_face_follows_somebody_again():
    tracker = FaceTracker()
    other = box(300)
    tracker.follow([box(0), other])
    tracker.lock(50, 150)
    for _ in range(GRACE_FRAMES):
        tracker.follow([other])
    tracker.unlock()
    assert tracker.follow([other]) == other
    assert not tracker.locked
