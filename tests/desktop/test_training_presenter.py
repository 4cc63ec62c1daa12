"""The real window and a process that plays a training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from fer_desktop.settings import Settings
from fer_desktop.training.plan import TrainingPlan, last_plan, remember
from fer_desktop.training_presenter import TrainingPresenter
from fer_desktop.ui.card_dialog import CardDialog
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.settings_dialog import SettingsDialog

Script = Callable[..., None]
HOUR = 3600
SCORE = {
    "corpus": "manifest", "split": "speakers-0", "shown": "audio alone", "n": 8, "speakers": 2,
    "uar": 0.5, "war": 0.625, "leaks_speakers": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "settings.json"))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow(Settings(theme="dark"))
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def presenter(window: MainWindow) -> Iterator[TrainingPresenter]:
    presenter = TrainingPresenter(window)
    yield presenter
    presenter.close()


@pytest.fixture
def finishes(scripted_training: Script, told) -> None:
    scripted_training(
        ("say", "manifest\n  usable 8 recordings\n"),
        ("out", told()),
        ("out", told(event="epoch", epoch=1, step=10, metrics={"val_uar": 0.4, "val_loss": 1.9})),
        ("write", ("metrics.json", json.dumps([SCORE]))),
        ("write", ("model/model_card.md", "# A card\n\nUAR 0.5")),
    )


def run(presenter: TrainingPresenter, plan: TrainingPlan, window: MainWindow, qtbot: QtBot) -> None:
    window.training.form.show_plan(plan)
    qtbot.mouseClick(window.training.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)


def test_a_training_is_shown_from_its_first_word_to_its_scores(
    window, presenter, plan, finishes, qtbot
) -> None:
    run(presenter, plan, window, qtbot)
    panel = window.training
    assert "manifest, audio alone: UAR 0.50, WAR 0.62" in panel.words.text()
    assert "split speakers-0" in panel.words.text()
    assert panel.log.toPlainText() == "manifest\n  usable 8 recordings"
    assert panel.curves.curves.uar == [0.4]
    assert window.notices.keys() == ("training",), "the dialog may be closed by then"
    assert window.status_line.work.text() == ""
    assert panel.begin.text() == "Start"
    assert panel.form.plan().run != plan.run, "the next one goes elsewhere"


def test_an_epoch_without_validation_adds_no_point(
    window, presenter, plan, scripted_training: Script, told, qtbot
) -> None:
    first, second = {"val_uar": 0.2, "val_loss": 2.0}, {"val_uar": 0.3, "val_loss": 1.9}
    scripted_training(
        *(("out", told(event="epoch", metrics=found)) for found in ({}, first, first, second)),
        ("exit", 1),
    )
    run(presenter, plan, window, qtbot)
    curves = window.training.curves.curves
    np.testing.assert_array_equal(curves.uar, [math.nan, 0.2, math.nan, 0.3])
    assert curves.loss == [2.5] * 4


def test_the_model_that_was_trained_is_used_from_now_on(
    window, presenter, plan, finishes, qtbot
) -> None:
    run(presenter, plan, window, qtbot)
    with qtbot.waitSignal(window.settings_changed) as changed:
        qtbot.mouseClick(window.training.use, Qt.MouseButton.LeftButton)
    assert changed.args[0].model == str(plan.run / "model")
    offered = window.training.form.begin_with
    assert plan.run / "model" in [offered.itemData(i) for i in range(offered.count())]


def test_its_card_can_be_read(window, presenter, plan, finishes, qtbot) -> None:
    run(presenter, plan, window, qtbot)
    seen: list[str] = []

    def read() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, CardDialog)
        seen.append(dialog.text.toPlainText())
        dialog.reject()

    QTimer.singleShot(100, read)
    window.training.card.click()
    assert "A card" in seen[0]
    (plan.run / "model" / "model_card.md").unlink()
    window.training.card.click()
    assert "There is no card" in window.training.log.toPlainText()


def test_while_it_runs_the_status_line_tells_how_long_it_takes(
    window, presenter, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()), ("sleep", HOUR))
    presenter.start(plan)
    said = window.status_line.work
    assert said.text() == "Training: reading the recordings"
    expected = "Training: voices, epoch 1 of 2, 1:01 left"
    qtbot.waitUntil(lambda: said.text() == expected, timeout=20_000)
    assert window.training.begin.text() == "Stop"
    assert not window.training.form.isEnabled()


def test_opening_thousands_of_files_is_shown_with_the_time_that_is_left(
    window, presenter, plan, scripted_training: Script, qtbot
) -> None:
    line = {
        "event": "work", "what": "Opening the files of dfew",
        "done": 4000, "total": 16372, "seconds_left": 44.0,
    }  # fmt: skip
    scripted_training(("out", json.dumps(line) + "\n"), ("sleep", HOUR))
    presenter.start(plan)
    said = window.status_line.work
    expected = "Training: opening the files of dfew"
    qtbot.waitUntil(lambda: said.text() == expected, timeout=20_000)
    panel = window.training
    assert panel.words.text() == "Opening the files of dfew: 4,000 of 16,372, 0:44 left"
    assert panel.bar.value() / panel.bar.maximum() == pytest.approx(0.244)
    panel.begin.click()
    assert panel.words.text().startswith("Stopping")


def test_stopped_it_goes_on_also_at_the_next_start(
    window, presenter, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("write", ("run.json", "{}")), ("out", told()), ("sleep", HOUR))
    window.training.form.show_plan(plan)
    window.training.begin.click()
    qtbot.waitUntil(lambda: "epoch" in window.training.words.text(), timeout=20_000)
    window.training.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)
    assert window.training.begin.text() == "Go on"
    assert window.status_line.work.text() == ""
    assert window.notices.keys() == (), "it was asked for"
    other = MainWindow(Settings(theme="dark"))
    qtbot.addWidget(other)
    TrainingPresenter(other)
    assert other.training.form.plan() == plan == last_plan()
    assert other.training.begin.text() == "Go on"
    assert "not finished" in other.training.words.text()


def test_stopped_while_it_reads_there_is_nothing_to_go_on_with(
    window, presenter, plan, scripted_training: Script, qtbot
) -> None:
    scripted_training(("say", "manifest\n"), ("sleep", HOUR))
    window.training.form.show_plan(plan)
    window.training.begin.click()
    qtbot.waitUntil(lambda: "manifest" in window.training.log.toPlainText(), timeout=20_000)
    window.training.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)
    assert window.training.words.text() == "Stopped before anything was learnt."
    assert window.training.begin.text() == "Start"


def test_a_finished_training_is_not_offered_again(window, plan, qtbot) -> None:
    (plan.run / "run.json").write_text("{}")
    (plan.run / "metrics.json").write_text("[]")
    remember(plan)
    TrainingPresenter(window)
    assert window.training.begin.text() == "Start"
    assert window.training.form.data.chosen() is None


def test_a_failure_is_told_in_the_window_too_and_the_choices_stay(
    window, presenter, plan, scripted_training: Script, qtbot
) -> None:
    scripted_training(("say", "train.py: There is no folder “x”. Choose another.\n"), ("exit", 1))
    run(presenter, plan, window, qtbot)
    assert window.training.words.text() == "There is no folder “x”. Choose another."
    assert window.notices.keys() == ("training",)
    assert window.training.form.plan() == plan
    assert window.training.begin.text() == "Start"


def test_scores_that_cannot_be_read_are_a_failure(
    window, presenter, plan, scripted_training: Script, qtbot
) -> None:
    scripted_training(("write", ("metrics.json", "no json")))
    run(presenter, plan, window, qtbot)
    assert "cannot be read" in window.training.words.text()


def test_the_panel_is_in_the_settings_and_outlives_their_dialog(
    window, presenter, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()), ("sleep", HOUR))
    presenter.start(plan)
    shown: list[bool] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, SettingsDialog)
        shown.append(window.training.isVisible())
        dialog.reject()

    for _ in range(2):
        QTimer.singleShot(100, look)
        window.command("training").trigger()
        QApplication.processEvents()
    assert shown == [True, True]
    assert not window.training.isVisible()
    qtbot.waitUntil(lambda: "epoch 1" in window.training.words.text(), timeout=20_000)


def test_a_model_used_while_the_settings_are_open_is_not_lost_by_accepting_them(
    window, presenter, plan, finishes, qtbot
) -> None:
    run(presenter, plan, window, qtbot)

    def use_and_accept() -> None:
        window.training.use.click()
        QApplication.activeModalWidget().accept()

    QTimer.singleShot(100, use_and_accept)
    window.command("settings").trigger()
    assert window.settings.model == str(plan.run / "model")
