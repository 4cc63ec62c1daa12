from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from fer_desktop.errors import Notice
from fer_desktop.ui.notice_bar import NoticeBar

GONE = Notice("camera", "The camera was unplugged.", "Plug it in again.", retry=True)


@pytest.fixture
def bar(qtbot) -> NoticeBar:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.show()
    return bar


def test_a_newer_notice_replaces_the_one_about_the_same(bar: NoticeBar) -> None:
    bar.show_notice(GONE)
    bar.show_notice(Notice("camera", "The camera is used by another program.", severity="warning"))
    assert bar.keys() == ("camera",)
    assert bar.text("camera") == "The camera is used by another program."
    assert bar.retryable() == ()


def test_notices_about_different_things_stand_side_by_side(bar: NoticeBar) -> None:
    bar.show_notice(GONE)
    bar.show_notice(Notice("model", "The model cannot be read."))
    assert bar.keys() == ("camera", "model")
    bar.clear("camera")
    assert bar.keys() == ("model",)
    bar.clear("nothing of that name")
    assert bar.isVisible()


def test_the_newest_words_are_on_top(bar: NoticeBar) -> None:
    other = Notice("model", "The model cannot be read.")
    for newest in (GONE, other, Notice("camera", "The camera is used by another program.")):
        bar.show_notice(newest)
        QApplication.processEvents()
        first = min(bar.strips.values(), key=lambda strip: strip.y())
        assert first.notice is newest


def test_it_takes_no_room_when_nothing_is_wrong(bar: NoticeBar) -> None:
    bar.show_notice(GONE)
    bar.clear("camera")
    assert not bar.isVisible()


def test_retry_says_what_to_try_again(qtbot, bar: NoticeBar) -> None:
    bar.show_notice(GONE)
    with qtbot.waitSignal(bar.retry) as retried:
        qtbot.mouseClick(bar.strips["camera"].retry, Qt.MouseButton.LeftButton)
    assert retried.args == ["camera"]
    assert bar.keys() == ("camera",)


def test_a_dismissed_notice_is_gone(qtbot, bar: NoticeBar) -> None:
    bar.show_notice(GONE)
    qtbot.mouseClick(bar.strips["camera"].close_button, Qt.MouseButton.LeftButton)
    assert bar.keys() == ()


def test_words_are_shown_as_they_are_and_read_with_their_severity(bar: NoticeBar) -> None:
    bar.show_notice(Notice("model", "<b>No</b> model.", "Choose one."))
    words = bar.strips["model"].words
    assert words.textFormat() == Qt.TextFormat.PlainText
    assert words.accessibleName() == "error: <b>No</b> model. Choose one."


def test_what_is_new_is_told_to_screen_readers_once(bar: NoticeBar, announced: list[str]) -> None:
    for _ in range(2):  # it is tried again, and fails again
        bar.show_notice(GONE)
    other = Notice("camera", "The camera is used by another program.", severity="warning")
    bar.show_notice(other)
    assert announced == [
        "error: The camera was unplugged. Plug it in again.",
        "warning: The camera is used by another program.",
    ]
