from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.media import FaceBox
from fer_core.preprocess.face import (
    GRACE_SECONDS,
    TAKEOVER_SECONDS,
    FaceDetector,
    FaceTracker,
    closer_squares,
)
from fer_core.preprocess.opencv import cv2
from fer_core.resources import resource


@pytest.fixture(scope="module")
def picture(real_clips: Path) -> np.ndarray:
    """A frame of a real recording: one face, 360x480."""
    capture = cv2.VideoCapture(str(real_clips / "cremad_happy.mp4"))
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


@pytest.fixture(scope="module")
def distant(picture) -> tuple[np.ndarray, tuple[int, int]]:
    """A face of 45 pixels in a picture of 480x640, and where its middle is."""
    head = cv2.resize(picture[30:230, 110:310], (110, 110), interpolation=cv2.INTER_AREA)
    scene = np.full((480, 640, 3), 127, np.uint8)
    scene[330:440, 500:610] = head
    return scene, (555, 385)


def test_a_face_too_small_at_first_sight_is_found_by_a_closer_look(detector, distant):
    scene, middle = distant
    assert detector._look(scene) == []
    (face,) = detector.detect(scene)
    assert face.contains(*middle)
    assert 30 < face.width < 70


def test_with_one_closer_look_a_picture_the_squares_take_turns_and_stay_with_the_face(distant):
    scene, middle = distant
    squares = len(closer_squares(480, 640))
    with FaceDetector(closer_looks=1) as detector:
        found = [detector.detect(scene) for _ in range(squares + 10)]
    seen = [bool(faces) for faces in found]
    assert True in seen[:squares]
    assert all(seen[seen.index(True) :])
    assert all(faces[0].contains(*middle) for faces in found if faces)


def test_all_who_are_too_small_at_first_sight_are_found_whatever_was_looked_at_before(
    detector, picture, distant
):
    head = cv2.resize(picture[30:230, 110:310], (110, 110), interpolation=cv2.INTER_AREA)
    scene, _ = distant
    scene = scene.copy()
    scene[40:150, 40:150] = head
    for other in (scene, distant[0], scene[:, ::-1]):
        detector.detect(other)
        faces = detector.detect(scene)
        assert len(faces) == 2
        for middle in ((555, 385), (95, 95)):
            assert sum(face.contains(*middle) for face in faces) == 1


def test_who_is_small_beside_a_large_face_is_found_where_everybody_is_wanted(detector, picture):
    scene = np.full((720, 1280, 3), 127, np.uint8)
    scene[60:660, 640:1240] = cv2.resize(picture[30:230, 110:310], (600, 600))
    scene[250:410, 100:260] = cv2.resize(picture[30:230, 110:310], (160, 160))
    (large,) = detector.detect(scene)
    with FaceDetector(everybody=True) as of_everybody:
        first, second = of_everybody.detect(scene)
        (alone,) = of_everybody.detect(scene[:, 600:])
    assert first == large
    assert second.contains(180, 330)
    assert alone.area > 200**2, "what a square shows of a face is not one more"


@pytest.mark.parametrize(("height", "width"), [(480, 640), (1080, 1920), (1920, 1080), (48, 48)])
def test_what_is_a_third_of_the_picture_is_whole_in_a_closer_look(height, width):
    squares = closer_squares(height, width)
    size = min(height, width) // 3
    for x in np.linspace(0, width - size, 23):
        for y in np.linspace(0, height - size, 23):
            assert any(
                left <= x and x + size <= left + side and top <= y and y + size <= top + side
                for left, top, side in squares
            )
    assert all(x >= 0 and x + side <= width for x, _, side in squares)
    assert all(y >= 0 and y + side <= height for _, y, side in squares)


def test_the_detector_writes_nothing_to_the_terminal(capfd):
    with FaceDetector() as detector:
        detector.detect(np.zeros((480, 640, 3), np.uint8))
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_of_the_installation_is_named():
    with pytest.raises(FileNotFoundError, match=r"nothing\.tflite"):
        resource("models/nothing.tflite")


class Followed:
    """A tracker that is shown frames at a rate: a camera's, or that of a file's sampled frames."""

    def __init__(self, fps: float) -> None:
        self.tracker = FaceTracker()
        self.fps = fps
        self.frames = 0

    def show(self, *faces: FaceBox) -> FaceBox | None:
        self.frames += 1
        return self.tracker.follow(faces, 100 + self.frames / self.fps)

    def show_for(self, seconds: float, *faces: FaceBox) -> list[FaceBox | None]:
        return [self.show(*faces) for _ in range(round(seconds * self.fps))]


@pytest.fixture(params=[16 / 3, 30, 120], ids=lambda fps: f"{fps:.0f}fps")
def followed(request):
    return Followed(request.param)


def test_the_largest_face_is_followed_first(followed):
    assert followed.show(box(0, side=80), box(300)) == box(300)


def test_a_somewhat_larger_face_does_not_take_over(followed):
    followed.show(box(0))
    for step in range(100):
        assert followed.show(box(300, side=130), box(step)) == box(step)


def test_a_much_larger_face_takes_over_after_a_second_at_every_frame_rate(followed):
    followed.show(box(0))
    near, far = box(300, side=200), box(0)
    answers = followed.show_for(3, near, far)
    first = answers.index(near)
    assert first / followed.fps == pytest.approx(TAKEOVER_SECONDS, abs=1 / followed.fps)
    assert answers == [far] * first + [near] * (len(answers) - first)


def test_somebody_leaning_in_for_a_moment_does_not_take_over(followed):
    followed.show(box(0))
    for _ in range(5):
        leaning = followed.show_for(0.8 * TAKEOVER_SECONDS, box(300, side=200), box(0))
        assert set(leaning) == {box(0)}
        assert followed.show(box(0)) == box(0)


def test_a_missed_detection_does_not_flick_to_the_background(followed):
    followed.show(box(0), box(300, side=60))
    assert set(followed.show_for(0.8 * GRACE_SECONDS, box(300, side=60))) == {None}
    assert followed.show(box(0), box(300, side=60)) == box(0)


def test_when_the_face_is_gone_the_largest_is_followed(followed):
    followed.show(box(0), box(300, side=60))
    answers = followed.show_for(2, box(300, side=60))
    first = answers.index(box(300, side=60))
    assert first / followed.fps == pytest.approx(GRACE_SECONDS, abs=1 / followed.fps)


def test_nobody_there_is_none_and_the_next_face_is_taken(followed):
    assert followed.show() is None
    assert followed.show(box(0)) == box(0)


def test_a_click_locks_the_face_under_it(followed):
    small, large = box(300, side=60), box(0, side=200)
    followed.show(large, small)
    assert followed.tracker.lock(310, 110) == small
    assert followed.tracker.locked
    assert set(followed.show_for(2 * TAKEOVER_SECONDS, large, small)) == {small}


def test_a_click_beside_every_face_changes_nothing(followed):
    followed.show(box(0))
    assert followed.tracker.lock(600, 400) is None
    assert not followed.tracker.locked


def test_a_click_where_boxes_overlap_means_the_smaller(followed):
    followed.show(box(0, side=200), box(50, side=60))
    assert followed.tracker.lock(70, 120) == box(50, side=60)


def test_a_lost_locked_face_is_none_until_it_is_back(followed):
    locked, other = box(0), box(300, side=200)
    followed.show(locked, other)
    followed.tracker.lock(50, 150)
    assert set(followed.show_for(20, other)) == {None}
    assert followed.show(other, box(20)) == box(20)


def test_unlocking_a_lost_face_follows_somebody_again(followed):
    other = box(300)
    followed.show(box(0), other)
    followed.tracker.lock(50, 150)
    followed.show_for(2 * GRACE_SECONDS, other)
    followed.tracker.unlock()
    assert followed.show(other) == other
    assert not followed.tracker.locked


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's map of memory")
def test_detecting_on_the_cpu_opens_no_graphics_driver():
    """Mesa's bring an LLVM that crashes with that of torch's compiler."""
    code = (
        "import numpy as np\n"
        "from fer_core.preprocess.face import FaceDetector\n"
        "with FaceDetector() as detector:\n"
        "    detector.detect(np.zeros((480, 640, 3), np.uint8))\n"
        "    print(open('/proc/self/maps').read())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "libmediapipe" in done.stdout
    for driver in ("_mesa", "_dri.so", "libLLVM", "nvidia"):
        assert driver not in done.stdout
