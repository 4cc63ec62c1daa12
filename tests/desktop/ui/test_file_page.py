import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from fer_core.analysis.timeline import Segment
from fer_core.media import SEGMENT_SECONDS, FaceBox
from fer_desktop.ui.commands import make_actions
from fer_desktop.ui.file_page import FilePage

FACE = FaceBox(10, 20, 30, 30, 0.9)
HAPPY = 2


def segment(number: int, winner: int | None = HAPPY, uncertain: bool = False, **fields) -> Segment:
    probabilities = None
    if winner is not None:
        probabilities = np.full(8, 0.04)
        probabilities[winner] = 0.72
    start_s = number * SEGMENT_SECONDS
    what = {"heard": True, "seen": True, "face": FACE, "speech": 1.0} | fields
    return Segment(start_s, start_s + SEGMENT_SECONDS, probabilities, uncertain, **what)


@pytest.fixture
def page(qapp):
    window = QWidget()
    yield FilePage(make_actions(window), window)
    window.close()


def test_the_picture_shows_the_segment_at_the_playhead_and_the_bars_the_last_three_seconds(page):
    page.show_results([segment(n, winner=3) for n in range(7)] + [segment(7, winner=4)])
    assert page.video.emotion == (4, pytest.approx(0.72), False)
    assert page.video.face == FACE
    assert page.bars.accessibleDescription().startswith("sad 63%, angry 12%")


def test_at_the_beginning_what_was_not_yet_is_absent(page):
    page.show_results([segment(0), segment(1)])
    shown = page.bars.shown
    assert shown.audio.tolist() == shown.video.tolist() == [False] * 6 + [True] * 2
    assert not shown.segments[:6].any()
    assert shown.window[HAPPY] == pytest.approx(0.72)


def test_uncertain_and_what_is_missing_are_said(page):
    page.show_results([segment(0, uncertain=True, heard=False)])
    assert page.bars.accessibleDescription().startswith("uncertain")
    assert page.video.emotion[2] is True
    assert page.video.badges == ("no voice",)


def test_where_nothing_was_heard_or_seen_nothing_is_claimed(page):
    page.show_results([segment(0)])
    page.show_results([segment(0), segment(1, winner=None, heard=False, seen=False, face=None)])
    assert "Nothing to judge" in page.bars.accessibleDescription()
    assert page.video.emotion is None
    assert page.video.face is None


def test_another_file_forgets_all_of_the_last_one(page):
    page.show_results([segment(0)])
    page.timeline.add_segments([segment(0)])
    page.transport.set_duration(10.0)
    page.forget()
    assert not page.video.has_frame()
    assert page.video.emotion is None
    assert page.bars.shown is None
    assert page.timeline.table.end_s == 0
    assert page.transport.place.maximum() == 0


def test_the_picture_is_never_a_mirror(page):
    assert page.video.mirror is False
