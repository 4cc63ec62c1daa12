"""How every command that the window runs is run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QProcess, Signal
from pytestqt.qtbot import QtBot

from fer_core.arguments import INTERRUPTED
from fer_desktop.command_process import CommandProcess

MODULE = "work"  # in whose place the script comes
Script = Callable[..., None]
HOUR = 3600
STEP = '{"step": 3}\n'


class Work(CommandProcess):
    stepped = Signal(int)

    NAME = "work"
    SPEAKER = "work.py: "
    KEPT = "Press Go on."

    def __init__(self, out: Path) -> None:
        super().__init__()
        self.out = out

    def start(self) -> None:
        self._run(MODULE, ["--out", str(self.out)])

    def _tell(self, told: dict[str, Any]) -> None:
        self.stepped.emit(told["step"])


@pytest.fixture
def process(qtbot: QtBot, tmp_path: Path) -> Iterator[Work]:
    process = Work(tmp_path / "out")
    yield process
    process.close()


@pytest.fixture
def script(process: Work, scripted_command) -> Script:
    return scripted_command(sys.modules[__name__], process.out)


@pytest.fixture
def heard(process: Work) -> dict[str, list]:
    heard: dict[str, list] = {"stepped": [], "said": []}
    process.stepped.connect(heard["stepped"].append)
    process.said.connect(heard["said"].append)
    return heard


def test_lines_are_told_as_they_come_and_what_is_none_is_passed_over(
    process, heard, script: Script, qtbot
) -> None:
    script(("out", STEP[:6]), ("sleep", 0.1), ("out", STEP[6:] + 'no json\n{"other": 1}\n' + STEP))
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start()
        assert process.runs
    assert not process.runs
    assert heard == {"stepped": [3, 3], "said": []}


def test_stopped_it_may_write_down_what_it_has(process, heard, script: Script, qtbot) -> None:
    script(("out", STEP), ("sleep", HOUR))
    process.start()
    qtbot.waitUntil(lambda: bool(heard["stepped"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000):
        process.stop()
    assert not process.runs


def test_however_it_ends_that_was_asked_for_and_needs_no_words(
    process, heard, script: Script, qtbot
) -> None:
    script(("fail when stopped", STEP))
    process.start()
    qtbot.waitUntil(lambda: bool(heard["stepped"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000), qtbot.assertNotEmitted(process.failed):
        process.stop()
    assert heard["said"] == []


def test_one_that_somebody_else_interrupts_has_stopped_and_did_not_fail(
    process, script: Script, qtbot
) -> None:
    script(("exit", INTERRUPTED))
    with qtbot.waitSignal(process.stopped, timeout=20_000):
        process.start()


def test_what_a_killed_one_began_to_tell_is_no_part_of_what_the_next_one_tells(
    process, heard, script: Script, qtbot
) -> None:
    script(("out", STEP[:6]), ("say", "half a"), ("sleep", 0.1), ("kill", None))
    with qtbot.waitSignal(process.failed, timeout=20_000):
        process.start()
    assert heard["stepped"] == []
    script(("out", STEP), ("say", "man"), ("sleep", 0.1), ("say", "ifest\n"))
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start()
    assert len(heard["stepped"]) == 1
    assert heard["said"] == ["manifest"]


@pytest.mark.skipif(sys.platform == "win32", reason="such signals are Unix's")
def test_it_can_be_stopped_where_the_program_itself_was_begun_in_the_background(
    process, heard, script: Script, qtbot
) -> None:
    """Shells let what a script begins with “&” ignore interrupts, and so what that begins."""
    script(("out", STEP), ("sleep", HOUR))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    qtbot.waitUntil(lambda: bool(heard["stepped"]), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000):
        process.stop()


@pytest.mark.parametrize(
    ("steps", "text", "hint"),
    [
        (
            [("say", "work.py: warning: x\nwork.py: There is no folder “a”. Choose one.\n"),
             ("exit", 1)],
            "There is no folder “a”. Choose one.", "",
        ),
        ([("kill", None)], "The work was killed, perhaps because the memory ran out.", "Go on"),
        (
            [("say", "Traceback …\nRuntimeError: boom\n"), ("exit", 1)],
            "The work ended unexpectedly: RuntimeError: boom", "Go on",
        ),
        ([("exit", 7)], "The work ended unexpectedly: status 7", "Go on"),
    ],
)  # fmt: skip
def test_whatever_ends_it_is_told_in_a_sentence(
    steps, text: str, hint: str, process, script: Script, qtbot
) -> None:
    script(*steps)
    with qtbot.waitSignal(process.failed, timeout=20_000) as failed:
        process.start()
    notice = failed.args[0]
    assert notice.text == text
    assert hint in notice.hint


def test_a_python_that_has_gone_is_told(process, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with qtbot.waitSignal(process.failed, timeout=10_000) as failed:
        process.start()
    assert failed.args[0].text.startswith("The work cannot be started")
    assert not process.runs


def test_closing_ends_the_process_and_says_nothing_more(
    process, heard, script: Script, qtbot
) -> None:
    script(("out", STEP), ("sleep", HOUR))
    process.start()
    qtbot.waitUntil(lambda: bool(heard["stepped"]), timeout=20_000)
    child = process.findChild(QProcess)
    with qtbot.assertNotEmitted(process.stopped), qtbot.assertNotEmitted(process.failed):
        process.close()
    assert child.state() == QProcess.ProcessState.NotRunning
    assert not process.runs


def test_one_that_ignores_being_stopped_does_not_keep_the_window_open(
    process, heard, script: Script, qtbot, tmp_path
) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    module = tmp_path / "scripted_command.py"
    module.write_text(deaf + module.read_text())
    script(("out", STEP), ("sleep", HOUR))
    process.start()
    qtbot.waitUntil(lambda: bool(heard["stepped"]), timeout=20_000)
    child = process.findChild(QProcess)
    process.close()
    assert child.state() == QProcess.ProcessState.NotRunning


def test_a_second_one_waits_for_nobody_and_is_not_begun(
    process, heard, script: Script, qtbot
) -> None:
    script(("out", STEP), ("sleep", HOUR))
    process.start()
    process.start()
    assert len(process.findChildren(QProcess)) == 1
