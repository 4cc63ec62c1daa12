from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QToolButton

from fer_core.analysis.timeline import Marker
from fer_desktop.ui.marker_list import MarkerList

FIRST, SECOND = Marker(3.2, "smiles"), Marker(65.0)


@pytest.fixture
def markers(qtbot) -> MarkerList:
    markers = MarkerList()
    qtbot.addWidget(markers)
    with qtbot.waitActive(markers):
        markers.show()
    markers.set_markers([FIRST, SECOND])
    return markers


def test_it_lists_times_and_notes(markers: MarkerList) -> None:
    cells = [[markers.table.item(row, c).text() for c in (0, 1)] for row in (0, 1)]
    assert cells == [["0:03.200", "smiles"], ["1:05.000", ""]]


def test_enter_goes_there(markers: MarkerList, qtbot) -> None:
    markers.table.selectRow(1)
    with qtbot.waitSignal(markers.seek_requested) as wanted:
        qtbot.keyClick(markers.table, Qt.Key.Key_Return)
    assert wanted.args == [65.0]


def test_a_note_is_written_at_once(markers: MarkerList, qtbot) -> None:
    markers.edit(SECOND)
    field = markers.table.findChild(QLineEdit)
    with qtbot.waitSignal(markers.note_changed) as changed:
        qtbot.keyClicks(field, "looks away")
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert changed.args == [SECOND, "looks away"]


def test_the_chosen_one_is_deleted_by_key_or_button(markers: MarkerList, qtbot) -> None:
    removed: list[Marker] = []
    markers.removed.connect(removed.append)
    assert not markers.delete_button.isEnabled()
    markers.table.selectRow(0)
    qtbot.keyClick(markers.table, Qt.Key.Key_Delete)
    markers.delete_button.click()
    assert removed == [FIRST, FIRST]


def test_nothing_pressed_after_delete_deletes_another(markers: MarkerList, qtbot) -> None:
    shown = [FIRST, SECOND]
    markers.removed.connect(shown.remove)
    markers.removed.connect(lambda _: markers.set_markers(shown))
    markers.table.selectRow(0)
    qtbot.mouseClick(markers.delete_button, Qt.MouseButton.LeftButton)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Delete):
        qtbot.keyClick(markers.focusWidget(), key)
    qtbot.mouseClick(markers.delete_button, Qt.MouseButton.LeftButton)
    assert shown == [SECOND]


def test_the_one_deleted_last_comes_back_but_not_into_another_file(
    markers: MarkerList, qtbot
) -> None:
    restored: list[Marker] = []
    markers.restored.connect(restored.append)
    assert not markers.undo_button.isEnabled()
    markers.table.selectRow(0)
    markers.delete_button.click()
    markers.set_markers([SECOND])
    markers.undo_button.click()
    assert restored == [FIRST]
    markers.table.selectRow(0)
    markers.delete_button.click()
    markers.clear()
    assert not markers.undo_button.isEnabled()


def test_what_is_shown_anew_is_no_change_and_keeps_the_choice(markers: MarkerList) -> None:
    changed: list[object] = []
    markers.note_changed.connect(lambda *what: changed.append(what))
    markers.table.selectRow(1)
    markers.set_markers([Marker(1.0), FIRST, Marker(SECOND.time_s, "another window's note")])
    assert markers.table.currentRow() == 2
    assert not changed


def test_the_button_asks_for_a_marker(markers: MarkerList, qtbot) -> None:
    with qtbot.waitSignal(markers.marker_wanted):
        markers.findChildren(type(markers.delete_button))[0].click()


@pytest.mark.parametrize("shown", [[FIRST, SECOND], [Marker(1.0, "earlier"), FIRST, SECOND], []])
def test_a_note_being_written_is_not_disturbed(markers: MarkerList, qtbot, shown) -> None:
    """The rest of what is typed would be commands of the window."""
    changed: list[tuple[Marker, str]] = []
    markers.note_changed.connect(lambda *what: changed.append(what))
    markers.edit(SECOND)
    field = markers.table.findChild(QLineEdit)
    qtbot.keyClicks(field, "looks ")
    markers.set_markers(shown)
    assert field.isVisible()
    qtbot.keyClicks(field, "away")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: changed == [(SECOND, "looks away")])
    qtbot.waitUntil(lambda: markers.table.rowCount() == len(shown))


def test_marking_ends_the_note_that_is_being_written(markers: MarkerList, qtbot) -> None:
    changed: list[tuple[Marker, str]] = []
    markers.note_changed.connect(lambda *what: changed.append(what))
    markers.edit(SECOND)
    qtbot.keyClicks(markers.table.findChild(QLineEdit), "at once")
    mark, *_ = markers.findChildren(QToolButton)
    with qtbot.waitSignal(markers.marker_wanted):
        qtbot.mouseClick(mark, Qt.MouseButton.LeftButton)
    assert changed == [(SECOND, "at once")]
    third = Marker(90.0)
    markers.set_markers([FIRST, SECOND, third])
    markers.edit(third)
    assert markers.table.rowCount() == 3
    assert markers.table.currentRow() == 2
