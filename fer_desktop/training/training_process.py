"""A training in a process of its own: the window stays quick, and no fault in one ends the other.

The process writes a JSON object a line about its progress to standard output, and to standard error
what people may want to read. Stopped or killed, the same plan goes on from its last epoch.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from collections import deque
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from fer_core.arguments import INTERRUPTED
from fer_desktop.errors import Notice
from fer_desktop.python_process import python_process
from fer_desktop.training.plan import TrainingPlan

log = logging.getLogger(__name__)

KEPT = "Everything up to the last epoch is kept; press Go on to continue from there."
MODULE = "fer_core.training"
POLITENESS = 10  # of the process: the window and its session come first
CLOSE_MS = 3000  # to wait at the program's end
TOLD = "train.py: "  # begins the sentence that says why it ended


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str  # "audio", "visual", "fusion" or "joint"
    epoch: int  # from 0
    epochs: int
    step: int  # of the whole stage
    steps: int
    loss: float | None  # of the last batch, or of the epoch
    metrics: dict[str, float]  # of the last validation: "val_uar", "val_loss" ...
    seconds_left: float | None  # of the stage
    ends_epoch: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What has no epochs, such as opening files and measuring."""

    what: str  # in words for people
    done: int
    total: int
    seconds_left: float


class TrainingProcess(QObject):
    """One training at a time."""

    progress = Signal(object)  # Progress
    worked = Signal(object)  # Work
    said = Signal(str)  # a line for people
    finished = Signal()
    stopped = Signal()  # as was asked for
    failed = Signal(object)  # Notice

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._stopping = False
        self._half_line = b""
        self._half_word = b""
        self._last_words: deque[str] = deque(maxlen=20)

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self, plan: TrainingPlan) -> None:
        """Begin ``plan``, or go on with it."""
        if self.runs:
            return
        self._stopping = False
        self._half_line = self._half_word = b""
        self._last_words.clear()
        self._process = process = python_process(["-m", MODULE, *plan.arguments()], self)
        _let_it_be_interrupted(process)
        process.readyReadStandardOutput.connect(self._read_progress)
        process.readyReadStandardError.connect(self._read_words)
        process.started.connect(self._be_polite)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._on_error)
        process.start()

    def stop(self) -> None:
        """Ask it to end; it writes down what it has, and ``stopped`` follows."""
        if self._process is None:
            return
        self._stopping = True
        _interrupt(self._process)

    def close(self) -> None:
        """Stop, and wait for it as long as people wait for a window to close; says nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        _interrupt(process)
        if not process.waitForFinished(CLOSE_MS):
            process.kill()
            process.waitForFinished(CLOSE_MS)

    def _be_polite(self) -> None:
        if self._process is not None and hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.processId(), POLITENESS)

    def _read_progress(self) -> None:
        if self._process is None:
            return
        data = self._half_line + self._process.readAllStandardOutput().data()
        *lines, self._half_line = data.split(b"\n")
        for line in lines:
            try:
                told = json.loads(line)
                how_far = _work(told) if told["event"] == "work" else _progress(told)
            except (ValueError, KeyError, TypeError):
                log.warning("the training said %r", line[:200])
                continue
            if not self._stopping:  # what is shown then is that it stops
                (self.worked if isinstance(how_far, Work) else self.progress).emit(how_far)

    def _read_words(self) -> None:
        if self._process is None:
            return
        data = self._half_word + self._process.readAllStandardError().data()
        *lines, self._half_word = data.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if text := line.decode("utf-8", "replace").rstrip():
                self._last_words.append(text)
                if not self._stopping:  # then it only tells where it was interrupted
                    self.said.emit(text)

    def _on_end(self, status: int, how: QProcess.ExitStatus) -> None:
        if self._process is None:
            return
        self._read_progress()
        self._read_words()
        process, self._process = self._process, None
        process.deleteLater()
        crashed = how == QProcess.ExitStatus.CrashExit
        if status == 0 and not crashed:
            self.finished.emit()
        elif self._stopping or (status == INTERRUPTED and not crashed):
            self.stopped.emit()
        else:
            self.failed.emit(self._why(status, crashed))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._process.deleteLater()
            self._process = None
            self.failed.emit(Notice("training", f"The training cannot be started: {reason}."))

    def _why(self, status: int, crashed: bool) -> Notice:
        """Its own sentence if it had one."""
        for words in reversed(self._last_words):
            if words.startswith(TOLD) and not words.startswith(f"{TOLD}warning"):
                return Notice("training", words.removeprefix(TOLD))
        log.error("the training ended with %d:\n%s", status, "\n".join(self._last_words))
        if crashed:
            text = "The training was killed, perhaps because the memory ran out."
            return Notice("training", text, f"Close other programs. {KEPT}")
        last = self._last_words[-1] if self._last_words else f"status {status}"
        return Notice("training", f"The training ended unexpectedly: {last}", KEPT)


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(
        told["stage"], told["epoch"], told["epochs"], told["step"], told["steps"],
        told["loss"], told["metrics"], told["seconds_left"], told["event"] == "epoch",
    )  # fmt: skip


def _work(told: dict[str, Any]) -> Work:
    return Work(told["what"], told["done"], told["total"], told["seconds_left"])


def _let_it_be_interrupted(process: QProcess) -> None:
    """Also where this program may not be, as one that a script began in the background."""
    if hasattr(process, "setUnixProcessParameters"):
        parameters = QProcess.UnixProcessParameters()
        parameters.flags = QProcess.UnixProcessFlag.ResetSignalHandlers
        process.setUnixProcessParameters(parameters)


def _interrupt(process: QProcess) -> None:
    """As Ctrl-C does; where there is no such signal it is killed, which costs its epoch."""
    pid = process.processId()
    if os.name == "posix" and pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
    else:
        process.kill()
