"""How every command that the window runs is run, shown by a training."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QProcess
from pytestqt.qtbot import QtBot

from fer_core.arguments import INTERRUPTED
from fer_desktop.training.training_process import TrainingProcess

Script = Callable[..., None]
HOUR = 3600


@pytest.fixture
def process(qtbot: QtBot) -> Iterator[TrainingProcess]:
    process = TrainingProcess()
    yield process
    process.close()


@pytest.fixture
def heard(process: TrainingProcess) -> dict[str, list]:
    heard: dict[str, list] = {"progress": [], "said": []}
    process.progress.connect(heard["progress"].append)
    process.said.connect(heard["said"].append)
    return heard


def test_stopped_it_may_write_down_what_it_has(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()), ("sleep", HOUR))
    process.start(plan)
    qtbot.waitUntil(lambda: bool(heard["progress"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000):
        process.stop()
    assert not process.runs


def test_however_it_ends_that_was_asked_for_and_needs_no_words(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("fail when stopped", told()))
    process.start(plan)
    qtbot.waitUntil(lambda: bool(heard["progress"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000), qtbot.assertNotEmitted(process.failed):
        process.stop()
    assert heard["said"] == []


def test_one_that_somebody_else_interrupts_has_stopped_and_did_not_fail(
    process, plan, scripted_training: Script, qtbot
) -> None:
    scripted_training(("exit", INTERRUPTED))
    with qtbot.waitSignal(process.stopped, timeout=20_000):
        process.start(plan)


def test_what_a_killed_one_began_to_tell_is_no_part_of_what_the_next_one_tells(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()[:20]), ("say", "half a"), ("sleep", 0.1), ("kill", None))
    with qtbot.waitSignal(process.failed, timeout=20_000):
        process.start(plan)
    assert heard["progress"] == []
    scripted_training(("out", told()), ("say", "man"), ("sleep", 0.1), ("say", "ifest\n"))
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start(plan)
    assert len(heard["progress"]) == 1
    assert heard["said"] == ["manifest"]


@pytest.mark.skipif(sys.platform == "win32", reason="such signals are Unix's")
def test_it_can_be_stopped_where_the_program_itself_was_begun_in_the_background(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    """Shells let what a script begins with “&” ignore interrupts, and so what that begins."""
    scripted_training(("out", told()), ("sleep", HOUR))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start(plan)
    finally:
        signal.signal(signal.SIGINT, before)
    qtbot.waitUntil(lambda: bool(heard["progress"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000):
        process.stop()


@pytest.mark.parametrize(
    ("steps", "text", "hint"),
    [
        (
            [("say", "train.py: warning: x\ntrain.py: There is no folder “a”. Choose one.\n"),
             ("exit", 1)],
            "There is no folder “a”. Choose one.", "",
        ),
        ([("kill", None)], "The training was killed, perhaps because the memory ran out.", "Go on"),
        (
            [("say", "Traceback …\nRuntimeError: boom\n"), ("exit", 1)],
            "The training ended unexpectedly: RuntimeError: boom", "Go on",
        ),
        ([("exit", 7)], "The training ended unexpectedly: status 7", "Go on"),
    ],
)  # fmt: skip
def test_whatever_ends_it_is_told_in_a_sentence(
    steps, text: str, hint: str, process, plan, scripted_training: Script, qtbot
) -> None:
    scripted_training(*steps)
    with qtbot.waitSignal(process.failed, timeout=20_000) as failed:
        process.start(plan)
    notice = failed.args[0]
    assert notice.text == text
    assert hint in notice.hint


def test_a_python_that_has_gone_is_told(process, plan, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with qtbot.waitSignal(process.failed, timeout=10_000) as failed:
        process.start(plan)
    assert failed.args[0].text.startswith("The training cannot be started")
    assert not process.runs


def test_closing_ends_the_process_and_says_nothing_more(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()), ("sleep", HOUR))
    process.start(plan)
    qtbot.waitUntil(lambda: bool(heard["progress"]), timeout=20_000)
    child = process.findChild(QProcess)
    with qtbot.assertNotEmitted(process.stopped), qtbot.assertNotEmitted(process.failed):
        process.close()
    assert child.state() == QProcess.ProcessState.NotRunning
    assert not process.runs


def test_one_that_ignores_being_stopped_does_not_keep_the_window_open(
    process, heard, plan, scripted_training: Script, told, qtbot, tmp_path
) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    module = tmp_path / "scripted_command.py"
    module.write_text(deaf + module.read_text())
    scripted_training(("out", told()), ("sleep", HOUR))
    process.start(plan)
    qtbot.waitUntil(lambda: bool(heard["progress"]), timeout=20_000)
    child = process.findChild(QProcess)
    process.close()
    assert child.state() == QProcess.ProcessState.NotRunning


def test_a_second_training_waits_for_nobody_and_is_not_begun(
    process, heard, plan, scripted_training: Script, told, qtbot
) -> None:
    scripted_training(("out", told()), ("sleep", HOUR))
    process.start(plan)
    process.start(plan)
    assert len(process.findChildren(QProcess)) == 1
