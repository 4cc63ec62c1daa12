"""A command of this program in a process of its own: the window stays quick, and no fault in one
ends the other.

The process writes a JSON object a line about its progress to standard output, and to standard error
what people may want to read. Asked to stop, it keeps what it has.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QObject, QProcess, Signal

from fer_core.arguments import INTERRUPTED
from fer_desktop.errors import Notice
from fer_desktop.python_process import python_process

log = logging.getLogger(__name__)

POLITENESS = 10  # of the process: the window and its session come first
CLOSE_MS = 3000  # to wait at the program's end


class CommandProcess(QObject):
    """One run of a command at a time; each command is a subclass, which reads its lines."""

    said = Signal(str)  # a line for people
    finished = Signal()
    stopped = Signal()  # as was asked for
    failed = Signal(object)  # Notice

    NAME: ClassVar[str]  # as in "The training was killed", and the key of its notices
    SPEAKER: ClassVar[str]  # begins the sentence that says why it ended
    KEPT: ClassVar[str]  # what is not lost, and how to go on

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

    @property
    def stops(self) -> bool:
        """Whether it was asked to."""
        return self._stopping

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

    def _run(self, module: str, arguments: Sequence[str]) -> None:
        if self.runs:
            return
        self._stopping = False
        self._half_line = self._half_word = b""
        self._last_words.clear()
        self._process = process = python_process(["-m", module, *arguments], self)
        _let_it_be_interrupted(process)
        process.readyReadStandardOutput.connect(self._read_lines)
        process.readyReadStandardError.connect(self._read_words)
        process.started.connect(self._be_polite)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._on_error)
        process.start()

    def _did_all(self, status: int) -> bool:
        """Whether it ended because it did what it could."""
        return status == 0

    def _tell(self, told: dict[str, Any]) -> None:
        """Pass a line on.

        Raises:
            ValueError, KeyError, TypeError: it is not one of this command's.
        """
        raise NotImplementedError

    def _be_polite(self) -> None:
        if self._process is not None and hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.processId(), POLITENESS)

    def _read_lines(self) -> None:
        if self._process is None:
            return
        data = self._half_line + self._process.readAllStandardOutput().data()
        *lines, self._half_line = data.split(b"\n")
        for line in lines:
            try:
                self._tell(json.loads(line))
            except (ValueError, KeyError, TypeError):
                log.warning("the %s said %r", self.NAME, line[:200])

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
        self._read_lines()
        self._read_words()
        process, self._process = self._process, None
        process.deleteLater()
        crashed = how == QProcess.ExitStatus.CrashExit
        if self._did_all(status) and not crashed:
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
            self.failed.emit(Notice(self.NAME, f"The {self.NAME} cannot be started: {reason}."))

    def _why(self, status: int, crashed: bool) -> Notice:
        """Its own sentence if it had one."""
        for words in reversed(self._last_words):
            if words.startswith(self.SPEAKER) and not words.startswith(f"{self.SPEAKER}warning"):
                return Notice(self.NAME, words.removeprefix(self.SPEAKER))
        log.error("the %s ended with %d:\n%s", self.NAME, status, "\n".join(self._last_words))
        if crashed:
            text = f"The {self.NAME} was killed, perhaps because the memory ran out."
            return Notice(self.NAME, text, f"Close other programs. {self.KEPT}")
        last = self._last_words[-1] if self._last_words else f"status {status}"
        return Notice(self.NAME, f"The {self.NAME} ended unexpectedly: {last}", self.KEPT)


def _let_it_be_interrupted(process: QProcess) -> None:
    """Also where this program may not be, as one that a script began in the background."""
    if hasattr(process, "setUnixProcessParameters"):
        parameters = QProcess.UnixProcessParameters()
        parameters.flags = QProcess.UnixProcessFlag.ResetSignalHandlers
        process.setUnixProcessParameters(parameters)


def _interrupt(process: QProcess) -> None:
    """As Ctrl-C does; where there is no such signal it is killed, which costs what it works on."""
    pid = process.processId()
    if os.name == "posix" and pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
    else:
        process.kill()
