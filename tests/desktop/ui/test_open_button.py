from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from fer_desktop.playback.recent_files import RecentFiles
from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.open_button import FileDrop, OpenButton


@pytest.fixture
def button(qtbot):
    button = OpenButton(QAction("Open"))
    qtbot.addWidget(button)
    return button


def test_files_opened_last_are_offered_by_name(qtbot, button, tmp_path):
    recent = RecentFiles(tmp_path / "recent.json")
    recent.add(Path("/films/a.mp4"))
    button.offer(recent)
    recent.add(Path("/films/b & c.mp4"))
    first, second, *_, forget = button.menu().actions()
    assert (first.text(), first.toolTip()) == ("b && c.mp4", "/films/b & c.mp4")
    with qtbot.waitSignal(button.picked) as picked:
        second.trigger()
    assert picked.args == [Path("/films/a.mp4")]
    forget.trigger()
    assert recent.all == ()
    assert len(button.menu().actions()) == 1


def test_at_first_there_are_none(button):
    (only,) = button.menu().actions()
    assert not only.isEnabled()


def drop(window: QWidget, urls: list[str]) -> tuple[bool, bool]:
    """Whether the drag and the drop were taken."""
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), *how, none)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    dropped = QDropEvent(QPointF(5, 5), *how, none)
    dropped.ignore()
    QApplication.sendEvent(window, dropped)
    return enter.isAccepted(), dropped.isAccepted()


def test_a_file_dropped_onto_the_window_is_opened_and_an_address_is_not(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    taken = []
    FileDrop(window).dropped.connect(taken.append)
    assert drop(window, ["file:///films/a%20b.mp4", "file:///films/c.mp4"]) == (True, True)
    assert taken == [Path("/films/a b.mp4")]
    assert drop(window, ["https://example.org/film.mp4"]) == (False, False)
    assert drop(window, []) == (False, False)
    assert len(taken) == 1


def test_of_several_files_it_is_said_that_the_first_alone_is_shown(qtbot):
    window = MainWindow(Settings())
    qtbot.addWidget(window)
    opened = []
    window.open_requested.connect(opened.append)
    drop(window, ["file:///films/a.mp4", "file:///films/b.mp4", "file:///films/c.mp4"])
    assert opened == [Path("/films/a.mp4")]
    assert "2 were left out" in window.notices.text("open")
    assert "fer-analyze" in window.notices.text("open")
    drop(window, ["file:///films/b.mp4"])
    assert "open" not in set(window.notices.keys())
