from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from fer_core.media import FaceBox
from fer_desktop.ui.video_view import VideoView

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def view(qtbot) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    return view


def halves() -> np.ndarray:
    """1280x720, the left half red, the right half blue."""
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, :640] = RED
    image[:, 640:] = BLUE
    return image


def colour(view: VideoView, x: int, y: int) -> tuple[int, int, int]:
    pixel = view.grab().toImage().pixelColor(x, y)
    return pixel.red(), pixel.green(), pixel.blue()


def test_the_picture_is_a_mirror_only_when_asked(view: VideoView) -> None:
    view.show_frame(halves())
    assert colour(view, 100, 240) == BLUE
    view.mirror = False
    assert colour(view, 100, 240) == RED


def test_the_picture_keeps_its_shape(view: VideoView) -> None:
    view.show_frame(halves())
    place = view.picture_rect()
    assert place.width() / place.height() == pytest.approx(16 / 9)
    assert colour(view, 320, 20) not in (RED, BLUE)  # above it is the panel


@pytest.mark.parametrize(("mirror", "x"), [(True, 1180), (False, 100)])
def test_a_click_arrives_in_pixels_of_the_unmirrored_frame(
    qtbot, view: VideoView, mirror: bool, x: float
) -> None:
    view.mirror = mirror
    view.show_frame(halves())
    with qtbot.waitSignal(view.clicked) as clicked:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(50, 240))
    assert clicked.args == pytest.approx([x, 360], abs=1.1)


def test_a_click_beside_the_picture_means_nothing(qtbot, view: VideoView) -> None:
    view.show_frame(halves())
    with qtbot.assertNotEmitted(view.clicked):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(50, 10))
    view.show_message("Press Start")
    with qtbot.assertNotEmitted(view.clicked):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(320, 240))


def test_a_double_click_lets_the_face_go(qtbot, view: VideoView) -> None:
    view.show_frame(halves())
    with qtbot.waitSignal(view.released):
        qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(320, 240))


def test_the_frame_may_be_overwritten_after_it_was_shown(view: VideoView) -> None:
    image = halves()
    view.show_frame(image)
    image[:] = 7
    assert colour(view, 100, 240) == BLUE


def test_a_view_of_a_larger_array_is_drawn_right(view: VideoView) -> None:
    wide = np.concatenate([halves(), halves()], axis=1)
    view.show_frame(wide[:, 640:1920])  # not contiguous: blue, then red
    assert colour(view, 100, 240) == RED


def test_boxes_are_mirrored_with_the_picture(view: VideoView) -> None:
    box = FaceBox(100, 260, 200, 200, 0.9)
    grey = np.full((720, 1280, 3), 90, np.uint8)
    view.show_frame(grey, box)
    left = 640 - 300 / 2  # the box's right edge, mirrored, at half size
    y = round(60 + (260 + 100) / 2)
    assert colour(view, round(left), y) != (90, 90, 90)
    assert colour(view, 50, y) == (90, 90, 90)
    view.show_face = False
    assert colour(view, round(left), y) == (90, 90, 90)


def test_kept_patches_are_shaded(view: VideoView) -> None:
    grey = np.full((720, 1280, 3), 90, np.uint8)
    view.mirror = False
    view.show_frame(grey, patches=[(200, 200, 100, 100)])
    assert colour(view, 125, 185) != (90, 90, 90)
    view.show_patches = False
    assert colour(view, 125, 185) == (90, 90, 90)


def test_a_recording_is_a_red_badge_on_the_picture_and_on_words(view: VideoView) -> None:
    def is_red() -> bool:
        corner = view.picture_rect().topLeft().toPoint() + QPoint(16, 23)
        red, green, blue = colour(view, corner.x(), corner.y())
        return red > 150 and max(green, blue) < 60

    view.show_frame(np.full((480, 640, 3), 90, np.uint8))
    assert not is_red()
    view.set_recording("0:12")
    assert is_red()
    view.show_message("Listening")
    assert is_red()
    view.set_recording("")
    assert not is_red()
