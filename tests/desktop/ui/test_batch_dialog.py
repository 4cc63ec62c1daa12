from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFileDialog

from fer_core.labels import EMOTIONS
from fer_desktop.batch.batch_process import Done, FaceResult, Listed, Step
from fer_desktop.batch.plan import BatchPlan
from fer_desktop.ui.batch_dialog import BatchDialog
from fer_desktop.ui.batch_table import LENGTH, NAME, SAID, SHARES
from fer_desktop.ui.theme import DARK, LIGHT, apply_theme

HAPPY = EMOTIONS.index("happy")


def face(happy: float, certain: float) -> FaceResult:
    shares, sure = [0.0] * 8, [0.0] * 8
    shares[HAPPY], sure[HAPPY] = happy, certain
    return FaceResult("happy", tuple(shares), tuple(sure))


@pytest.fixture
def dialog(qtbot) -> BatchDialog:
    dialog = BatchDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def texts(dialog: BatchDialog, column: int = SAID) -> list[str]:
    return [dialog.table.item(row, column).text() for row in range(dialog.table.rowCount())]


def colour_at(dialog: BatchDialog, row: int, share: float, height: float = 0.5) -> QColor:
    """Of the bar of a row, ``share`` of the way along it, from the top."""
    table = dialog.table
    cell = table.visualItemRect(table.item(row, SHARES)).adjusted(5, 5, -5, -5)
    picture = table.viewport().grab().toImage()
    x, y = cell.left() + share * cell.width(), cell.top() + height * cell.height()
    return picture.pixelColor(round(x), round(y))


def test_without_recordings_there_is_nothing_to_start(dialog: BatchDialog) -> None:
    assert dialog.plan() is None
    assert not dialog.begin.isEnabled()
    assert "Add recordings" in dialog.words.text()


def test_files_and_folders_are_added_once_and_make_a_plan(
    dialog: BatchDialog, qtbot, tmp_path: Path
) -> None:
    dialog.add([tmp_path / "a.mp4", tmp_path])
    dialog.add([tmp_path / "a.mp4"])
    assert texts(dialog, NAME) == ["a.mp4", tmp_path.name]
    assert texts(dialog) == ["waiting", "a folder"]
    assert "one after another" in dialog.words.text()
    dialog.boxes["html"].click()
    dialog.each_face.click()
    with qtbot.waitSignal(dialog.start_requested) as wanted:
        qtbot.mouseClick(dialog.begin, Qt.MouseButton.LeftButton)
    named, out = (tmp_path / "a.mp4", tmp_path), tmp_path / "analysis"
    assert wanted.args == [BatchPlan(named, out, ("csv", "json", "html"), each_face=True)]


def test_a_folder_that_people_chose_stays(dialog: BatchDialog, tmp_path: Path) -> None:
    dialog.add([tmp_path / "a.mp4"])
    dialog.folder.setText("/elsewhere")
    dialog.add([tmp_path / "b.mp4"])
    assert dialog.plan().out == Path("/elsewhere")
    dialog.folder.clear()
    assert not dialog.begin.isEnabled()


def test_a_folder_that_was_chosen_first_stays(dialog: BatchDialog, tmp_path: Path) -> None:
    dialog.folder.setText("/elsewhere")
    dialog.add([tmp_path / "a.mp4"])
    assert dialog.plan().out == Path("/elsewhere")


def test_nothing_is_dropped_into_an_analysis_that_goes_on(dialog: BatchDialog) -> None:
    dialog.add([Path("/a.mp4")])
    dialog.show_preparing()
    assert not dialog.acceptDrops()
    dialog.show_end("Stopped.", stopped=True)
    assert dialog.acceptDrops()


def test_files_are_asked_for_and_may_be_dropped(
    dialog: BatchDialog, tmp_path: Path, monkeypatch, drop
) -> None:
    chosen = [str(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    dialog.add_files.click()
    dialog.add_folder.click()
    drop(dialog, [QUrl.fromLocalFile("/c.mp4").toString()])
    assert texts(dialog, NAME) == ["a.mp4", "b.mp4", tmp_path.name, "c.mp4"]


def test_one_is_taken_out_by_its_key_and_all_by_a_button(dialog: BatchDialog, qtbot) -> None:
    dialog.add([Path("/a.mp4"), Path("/b.mp4"), Path("/c.mp4")])
    dialog.table.selectRow(1)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert texts(dialog, NAME) == ["a.mp4", "c.mp4"]
    dialog.show_done(Done(Path("/c.mp4"), None, (face(1, 1),), None, None))
    assert texts(dialog) == ["waiting", "happy"]
    assert dialog.plan().named == (Path("/a.mp4"), Path("/c.mp4"))
    dialog.clear.click()
    assert (texts(dialog), dialog.plan()) == ([], None)


def test_enter_opens_a_recording_and_no_folder(dialog: BatchDialog, qtbot, tmp_path: Path) -> None:
    dialog.add([tmp_path, tmp_path / "a.mp4"])
    dialog.table.selectRow(0)
    with qtbot.assertNotEmitted(dialog.open_requested):
        qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
        dialog.open_chosen.click()
    dialog.table.selectRow(1)
    for way in (lambda: qtbot.keyClick(dialog.table, Qt.Key.Key_Return), dialog.open_chosen.click):
        with qtbot.waitSignal(dialog.open_requested) as opened:
            way()
        assert opened.args == [tmp_path / "a.mp4"]


def test_what_a_folder_holds_takes_its_place_with_its_length(dialog: BatchDialog, tmp_path) -> None:
    dialog.add([tmp_path])
    dialog.show_preparing()
    dialog.show_files((Listed(tmp_path / "a.mp4", 75.0), Listed(tmp_path / "b.mp4", 0.0)))
    assert texts(dialog, NAME) == ["a.mp4", "b.mp4"]
    assert texts(dialog, LENGTH) == ["1:15", ""]
    dialog.table.selectRow(0)
    dialog.show_end("Done.")
    dialog.table.removed.emit(tmp_path / "a.mp4")
    assert texts(dialog, NAME) == ["a.mp4", "b.mp4"], "it would be there at the next start"
    assert dialog.plan().named == (tmp_path,)


def test_while_it_goes_on_nothing_is_changed_and_it_can_be_stopped(
    dialog: BatchDialog, qtbot
) -> None:
    dialog.add([Path("/a.mp4"), Path("/b.mp4")])
    dialog.show_preparing()
    assert dialog.begin.text() == "Stop"
    for widget in (dialog.add_files, dialog.clear, dialog.folder, dialog.boxes["csv"]):
        assert not widget.isEnabled()
    dialog.add([Path("/c.mp4")])
    dialog.table.removed.emit(Path("/a.mp4"))
    assert dialog.table.rowCount() == 2
    dialog.show_step(Step(Path("/a.mp4"), 0.4, None))
    dialog.show_progress("0 of 2", 0.2)
    assert (texts(dialog), dialog.bar.value()) == (["analysing 40%", "waiting"], 200)
    with qtbot.waitSignal(dialog.stop_requested):
        dialog.begin.click()
    dialog.show_stopping()
    assert not dialog.begin.isEnabled()
    dialog.show_end("Stopped.", stopped=True)
    assert texts(dialog) == ["waiting", "waiting"]
    assert (dialog.begin.text(), dialog.begin.isEnabled()) == ("Go on", True)
    assert dialog.add_files.isEnabled()


def test_bars_show_of_how_much_of_the_time_an_emotion_leads_and_how_certainly(
    dialog: BatchDialog,
) -> None:
    dialog.add([Path("/a.mp4"), Path("/b.mp4")])
    dialog.show_done(Done(Path("/a.mp4"), None, (face(0.8, 0.4),), None, None))
    full, pale, empty = (colour_at(dialog, 0, share) for share in (0.2, 0.6, 0.9))
    assert full == QColor(DARK.emotions[HAPPY])
    assert empty == QColor(DARK.line)
    assert len({full.name(), pale.name(), empty.name()}) == 3
    dialog.show_done(Done(Path("/b.mp4"), None, (face(1, 1), face(0, 0)), None, None))
    assert colour_at(dialog, 1, 0.5, 0.25) == QColor(DARK.emotions[HAPPY])
    assert colour_at(dialog, 1, 0.5, 0.75) == QColor(DARK.line)


def test_what_a_bar_shows_stands_in_words_too(dialog: BatchDialog) -> None:
    dialog.add([Path("/a.mp4"), Path("/b.mp4"), Path("/c.mp4")])
    nobody = FaceResult(None, (0.0,) * 8, (0.0,) * 8)
    dialog.show_done(Done(Path("/a.mp4"), None, (face(0.8, 0.1), nobody), None, None))
    assert texts(dialog)[0] == "happy, uncertain, nothing to judge"
    told = dialog.table.item(0, SHARES).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told == "happy 80%, uncertain 70%, nothing to judge 20%\nnothing to judge 100%"
    assert dialog.table.item(0, SAID).toolTip() == told


def test_one_that_failed_says_why_in_its_row(dialog: BatchDialog) -> None:
    path = Path("/deep/a.mp4")
    dialog.add([path])
    dialog.show_step(Step(path, 0.5, None))
    dialog.show_done(Done(path, None, (), "“/deep/a.mp4” is damaged.", None))
    assert texts(dialog) == ["failed"]
    assert dialog.table.shown(0).error == "“a.mp4” is damaged."
    assert dialog.table.item(0, SAID).toolTip() == "“/deep/a.mp4” is damaged."
    picture = dialog.table.viewport().grab().toImage()
    cell = dialog.table.visualItemRect(dialog.table.item(0, SHARES))
    colours = {
        picture.pixelColor(x, y).name()
        for x in range(cell.left(), cell.right())
        for y in range(cell.top(), cell.bottom())
    }
    assert DARK.error in colours


def test_the_legend_follows_the_theme(dialog: BatchDialog) -> None:
    assert DARK.emotions[0] in dialog.legend.text()
    apply_theme(QApplication.instance(), "light")
    assert LIGHT.emotions[0] in dialog.legend.text()
    for emotion in EMOTIONS:
        assert emotion in dialog.legend.text()


def test_a_heading_or_its_key_sorts_and_once_more_turns_the_order_round(
    dialog: BatchDialog, qtbot
) -> None:
    files = {"b.mp4": (60.0, 0.4), "A.mp4": (3600.0, 0.9), "c.mp4": (5.0, 0.0)}
    dialog.add([Path("/b.mp4")])
    dialog.show_files([Listed(Path(f"/{name}"), length_s) for name, (length_s, _) in files.items()])
    for name, (_, share) in files.items():
        dialog.show_done(Done(Path(f"/{name}"), None, (face(share, share),), None, None))
    dialog.table.selectRow(0)
    header = dialog.table.horizontalHeader()

    def click(column: int) -> str:
        place = QPoint(header.sectionViewportPosition(column) + 9, header.height() // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        return "".join(name[0] for name in texts(dialog, NAME))

    assert [click(NAME), click(NAME), click(NAME)] == ["Abc", "cbA", "Abc"]
    assert [click(LENGTH), click(LENGTH)] == ["cbA", "Abc"]
    assert click(SHARES) == "Abc"
    for keys, order in (("1", "Abc"), ("1", "cbA"), ("2", "cbA"), ("4", "Abc")):
        qtbot.keyClick(dialog.table, keys, Qt.KeyboardModifier.ControlModifier)
        assert "".join(name[0] for name in texts(dialog, NAME)) == order
    assert dialog.table.chosen() == Path("/b.mp4"), "what was chosen stays so"
    dialog.show_done(Done(Path("/b.mp4"), None, (), "It is gone.", None))
    assert texts(dialog) == ["happy", "failed", "happy"]
    assert [dialog.table.shown(row).error for row in range(3)] == [None, "It is gone.", None]
