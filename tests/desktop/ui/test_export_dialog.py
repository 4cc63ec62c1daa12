from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from fer_desktop.errors import Notice
from fer_desktop.playback.exporting import ExportRequest
from fer_desktop.ui.export_dialog import ExportDialog


@pytest.fixture
def dialog(qtbot, tmp_path: Path) -> ExportDialog:
    dialog = ExportDialog(tmp_path, "clip")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_it_asks_for_the_chosen_files(dialog: ExportDialog, qtbot, tmp_path: Path) -> None:
    dialog.boxes["json"].setChecked(True)
    dialog.boxes["html"].setChecked(False)
    dialog.name.setText("other")
    with qtbot.waitSignal(dialog.export_requested) as wanted:
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    request: ExportRequest = wanted.args[0]
    assert request == ExportRequest(tmp_path, "other", ("csv", "json"))
    assert request.paths == (tmp_path / "other.csv", tmp_path / "other.json")


def test_what_would_be_replaced_is_said_before(dialog: ExportDialog, tmp_path: Path) -> None:
    assert "replaced" not in dialog.said.text()
    (tmp_path / "mine.csv").write_text("old")
    dialog.name.setText("mine")
    assert dialog.said.text() == "Will be replaced: mine.csv."


@pytest.mark.parametrize("name", ["", "  ", "a/b", "/"])
def test_a_name_that_is_none_cannot_be_exported(dialog: ExportDialog, name: str) -> None:
    dialog.name.setText(name)
    assert not dialog.export.isEnabled()


def test_without_a_format_there_is_nothing_to_export(dialog: ExportDialog) -> None:
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert not dialog.export.isEnabled()


def test_escape_cancels_what_goes_on_before_it_closes(
    dialog: ExportDialog, qtbot, tmp_path: Path
) -> None:
    dialog.export.click()
    dialog.show_progress(tmp_path / "clip.csv", 0.25)
    assert dialog.progress.value() == 250
    assert not dialog.export.isEnabled()
    with qtbot.waitSignal(dialog.cancel_requested):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    dialog.show_cancelled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_says_how_it_went_and_can_be_used_again(dialog: ExportDialog, tmp_path: Path) -> None:
    dialog.export.click()
    dialog.show_failure(Notice("export", "The disk is full.", "Make room."))
    assert dialog.said.text() == "The disk is full. Make room."
    assert dialog.export.isEnabled()
    dialog.export.click()
    dialog.show_written([tmp_path / "clip.csv", tmp_path / "clip.html"])
    assert dialog.said.text() == "Written: clip.csv, clip.html."
    assert dialog.export.isEnabled()


def test_a_name_too_long_for_any_disk_can_be_typed(dialog: ExportDialog) -> None:
    dialog.name.setText("x" * 300)
    assert "replaced" not in dialog.said.text()


def test_a_tilde_is_the_home_folder(dialog: ExportDialog) -> None:
    dialog.folder.setText("~/here")
    assert dialog.chosen().folder == Path.home() / "here"
