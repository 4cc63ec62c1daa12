from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from fer_desktop.playback.recent_files import RecentFiles
from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.open_button import FileDrop, OpenButton

NONE = "No file was opened yet"


@pytest.fixture
def button(qtbot):
    button = OpenButton(QAction("Open"), QAction("Several"))
    qtbot.addWidget(button)
    return button


def test_files_opened_last_are_offered_by_name(qtbot, button, tmp_path):
    recent = RecentFiles(tmp_path / "recent.json")
    recent.add(Path("/films/a.mp4"))
    button.offer(recent)
    recent.add(Path("/films/b & c.mp4"))
    first, second, _, forget, *_ = button.menu().actions()
    assert (first.text(), first.toolTip()) == ("b && c.mp4", "/films/b & c.mp4")
    with qtbot.waitSignal(button.picked) as picked:
        second.trigger()
    assert picked.args == [Path("/films/a.mp4")]
    forget.trigger()
    assert recent.all == ()
    assert [action.text() for action in button.menu().actions() if action.text()] == [
        NONE,
        "Several",
    ]


def test_at_first_there_are_none(button):
    first, _, several = button.menu().actions()
    assert (first.text(), first.isEnabled(), several.text()) == (NONE, False, "Several")


def test_alt_and_down_list_the_files_opened_last(qtbot, button):
    button.show()
    seen = []
    menu = button.menu()
    menu.aboutToShow.connect(lambda: QTimer.singleShot(0, menu.close))
    menu.aboutToShow.connect(lambda: seen.append(menu))
    qtbot.keyClick(button, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert seen == [menu]


def test_a_file_dropped_onto_the_window_is_opened_and_an_address_is_not(qtbot, drop):
    window = QWidget()
    qtbot.addWidget(window)
    taken = []
    FileDrop(window).dropped.connect(taken.append)
    assert drop(window, ["file:///films/a%20b.mp4", "file:///films/c.mp4"]) == (True, True)
    assert taken == [[Path("/films/a b.mp4"), Path("/films/c.mp4")]]
    assert drop(window, ["https://example.org/film.mp4"]) == (False, False)
    assert drop(window, []) == (False, False)
    assert len(taken) == 1


def test_several_files_or_a_folder_dropped_onto_the_window_are_for_the_list(qtbot, tmp_path, drop):
    window = MainWindow(Settings())
    qtbot.addWidget(window)
    opened, listed = [], []
    window.open_requested.connect(opened.append)
    window.batch_requested.connect(listed.append)
    drop(window, ["file:///films/a.mp4", "file:///films/b.mp4"])
    drop(window, [tmp_path.as_uri()])
    assert (opened, listed) == ([], [[Path("/films/a.mp4"), Path("/films/b.mp4")], [tmp_path]])
    drop(window, ["file:///films/b.mp4"])
    assert opened == [Path("/films/b.mp4")]
    assert len(listed) == 2
