from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from fer_desktop.settings import Settings
from fer_desktop.ui.diagnosis_panel import DiagnosisPanel, arguments
from fer_desktop.ui.settings_dialog import SettingsDialog

Scripted = Callable[[str], None]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The diagnosis is this program."""

    def scripted(code: str) -> None:
        monkeypatch.setattr(
            "fer_desktop.ui.diagnosis_panel.arguments", lambda settings: ["-c", code]
        )

    return scripted


def test_what_is_found_is_shown_and_can_be_copied(scripted: Scripted, qtbot: QtBot) -> None:
    scripted("print('cameras  Kamera mit Ü'); print('model  compact')")
    panel = DiagnosisPanel(Settings())
    qtbot.addWidget(panel)
    panel.show()
    assert panel.again.text() == "Looking…"
    qtbot.waitUntil(panel.again.isEnabled, timeout=20_000)
    qtbot.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "cameras  Kamera mit Ü\nmodel  compact"


def test_it_looks_again_only_when_that_is_asked_for(scripted: Scripted, qtbot: QtBot) -> None:
    scripted("import time; print(time.time_ns())")
    panel = DiagnosisPanel(Settings())
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(panel.again.isEnabled, timeout=20_000)
    first = panel.text.toPlainText()
    panel.hide()
    panel.show()
    assert panel.text.toPlainText() == first
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.again.isEnabled, timeout=20_000)
    assert panel.text.toPlainText() not in ("", first)


def test_a_diagnosis_that_hangs_ends_with_the_settings_dialog(
    scripted: Scripted, qtbot: QtBot
) -> None:
    scripted("import time; print('cameras', flush=True); time.sleep(3600)")
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.tabs.setCurrentWidget(dialog.diagnosis)
    qtbot.waitUntil(lambda: dialog.diagnosis.text.toPlainText() == "cameras", timeout=20_000)
    dialog.reject()
    process = dialog.diagnosis.findChild(QProcess)
    assert process.state() == QProcess.ProcessState.NotRunning


def test_the_model_and_the_device_of_the_settings_are_tried() -> None:
    said = arguments(Settings(model="/mine", device="cuda"))
    assert said == [
        "-m", "fer_desktop", "--diagnose", "--device", "cuda", "--model", "/mine",
    ]  # fmt: skip


def test_a_model_whose_folder_has_gone_is_found_out(qtbot: QtBot, tmp_path: Path) -> None:
    """It is the diagnosis that people are told to read then."""
    panel = DiagnosisPanel(Settings(model=str(tmp_path / "gone"), device="cpu"))
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(panel.again.isEnabled, timeout=60_000)
    (line,) = [line for line in panel.text.toPlainText().splitlines() if line.startswith("model ")]
    assert "NOT USABLE" in line
    assert "There is no model in" in line


def test_a_diagnosis_that_is_refused_says_why(scripted: Scripted, qtbot: QtBot) -> None:
    scripted("import sys; sys.exit('no such option')")
    panel = DiagnosisPanel(Settings())
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(panel.again.isEnabled, timeout=20_000)
    assert panel.text.toPlainText() == "no such option"
