"""The real window and a process that plays an analysis of many recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from fer_desktop.batch.plan import BatchPlan
from fer_desktop.batch_presenter import BatchPresenter
from fer_desktop.settings import Settings
from fer_desktop.ui.batch_table import SAID
from fer_desktop.ui.main_window import MainWindow

Script = Callable[..., None]
HOUR = 3600


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow(Settings(theme="dark", model="/models/mine", device="cpu"))
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def presenter(window: MainWindow, batch_plan: BatchPlan) -> Iterator[BatchPresenter]:
    presenter = BatchPresenter(window, analysed={})
    presenter.show(batch_plan.named)
    presenter.dialog.folder.setText(str(batch_plan.out))
    yield presenter
    presenter.close()


def run(presenter: BatchPresenter, qtbot: QtBot) -> None:
    presenter.dialog.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)


def said(presenter: BatchPresenter) -> list[str]:
    table = presenter.dialog.table
    return [table.item(row, SAID).text() for row in range(table.rowCount())]


def test_many_recordings_are_shown_from_the_first_to_the_last(
    presenter, window, batch_plan, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(
        ("out", analysed.files("a.mp4", "b.mp4")),
        ("out", analysed.done("a.mp4", "sad") + analysed.failed("b.mp4", "It is damaged.")),
        ("exit", 1),
    )
    run(presenter, qtbot)
    assert said(presenter) == ["sad", "failed"]
    words = f"Done: 2 of 2 recordings, 1 failed. The results are in {batch_plan.out}."
    assert presenter.dialog.words.text() == words
    assert presenter.dialog.begin.text() == "Start"
    assert window.status_line.work.text() == ""
    assert window.notices.keys() == (), "the list itself says it"


def test_the_windows_model_and_device_are_used(
    presenter, batch_plan, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(("out", analysed.files()))
    run(presenter, qtbot)
    plan = replace(batch_plan, formats=("csv", "json"), model=Path("/models/mine"), device="cpu")
    assert json.loads((batch_plan.out / "arguments.json").read_text()) == plan.arguments()


def test_how_far_it_is_is_told_in_the_list_and_in_the_window(
    presenter, window, scripted_batch: Script, analysed, qtbot
) -> None:
    so_far = analysed.files("a.mp4", "b.mp4") + analysed.done("a.mp4", "sad")
    scripted_batch(("out", so_far + analysed.step("b.mp4", 2.0)), ("sleep", HOUR))
    presenter.dialog.begin.click()
    words = "1 of 2 recordings, 0:09 left"
    qtbot.waitUntil(lambda: presenter.dialog.words.text() == words, timeout=20_000)
    assert presenter.dialog.bar.value() == 750
    assert window.status_line.work.text() == f"Analysing: {words}"
    window.status_line.show_work("training", "Training: faces")
    assert window.status_line.work.text() == f"Analysing: {words}; Training: faces"


def test_stopped_it_can_go_on(presenter, scripted_batch: Script, analysed, qtbot) -> None:
    so_far = analysed.files("a.mp4", "b.mp4") + analysed.done("a.mp4", "sad")
    scripted_batch(("out", so_far + analysed.step("b.mp4", 2.0)), ("sleep", HOUR))
    presenter.dialog.begin.click()
    qtbot.waitUntil(lambda: said(presenter) == ["sad", "analysing 50%"], timeout=20_000)
    run(presenter, qtbot)
    assert "Stopped: 1 of 2 recordings" in presenter.dialog.words.text()
    assert said(presenter) == ["sad", "waiting"]
    assert presenter.dialog.begin.text() == "Go on"
    scripted_batch(("out", so_far + analysed.done("b.mp4", "happy")))
    run(presenter, qtbot)
    assert said(presenter) == ["sad", "happy"]


def test_with_the_list_closed_the_window_tells_the_end(
    presenter, window, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(("out", analysed.files("a.mp4") + analysed.done("a.mp4", "sad")))
    presenter.dialog.begin.click()
    presenter.dialog.reject()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)
    assert "1 of 1 recordings" in window.notices.text("batch")
    presenter.dialog.show()
    scripted_batch(("say", "fer-analyze: The disk is full.\n"), ("exit", 2))
    presenter.dialog.begin.click()
    assert window.notices.keys() == ()
    presenter.dialog.reject()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)
    assert "The disk is full." in window.notices.text("batch")
    assert "The disk is full." in presenter.dialog.words.text()


def test_a_recording_is_opened_in_the_window(presenter, window, qtbot) -> None:
    presenter.dialog.table.selectRow(1)
    with qtbot.waitSignal(window.open_requested) as opened:
        presenter.dialog.open_chosen.click()
    assert opened.args == [Path("b.mp4")]


def test_shown_again_it_takes_more(presenter) -> None:
    presenter.dialog.reject()
    presenter.show([Path("b.mp4"), Path("c.mp4")])
    assert presenter.dialog.isVisible()
    assert presenter.dialog.plan().named == (Path("a.mp4"), Path("b.mp4"), Path("c.mp4"))


def test_what_was_found_is_known_when_a_recording_is_opened_until_the_model_is_another(
    presenter, window, scripted_batch: Script, analysed, qtbot
) -> None:
    so_far = analysed.files("a.mp4", "b.mp4") + analysed.failed("b.mp4", "It is damaged.")
    scripted_batch(("out", so_far + analysed.done("a.mp4", "sad")), ("exit", 1))
    run(presenter, qtbot)
    assert presenter.analysed == {Path("a.mp4"): Path("/out/a.json")}
    window.settings_changed.emit(replace(window.settings, smoothing=0.1))
    assert presenter.analysed
    window.use_model(Path("/models/other"))
    assert presenter.analysed == {}
    scripted_batch(("out", so_far), ("sleep", 1.0), ("out", analysed.done("a.mp4", "sad")))
    presenter.dialog.begin.click()
    qtbot.waitUntil(lambda: said(presenter) == ["waiting", "failed"], timeout=20_000)
    window.use_model(Path("/models/third"))
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=20_000)
    assert presenter.analysed == {}, "the second model found it"
