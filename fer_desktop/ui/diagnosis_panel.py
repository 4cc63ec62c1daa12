"""What this machine offers, to read and to copy when asking for help.

``fer-desktop --diagnose`` finds it out in a process of its own: it loads a model and asks drivers,
which may take seconds or hang.
"""

from __future__ import annotations

import os

from PySide6.QtCore import QProcess
from PySide6.QtGui import QFontDatabase, QShowEvent, QTextCursor
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.python_process import python_process
from fer_desktop.settings import Settings

KILL_MS = 1000  # to wait for it at the dialog's end


class DiagnosisPanel(QWidget):
    """Looks when it is first shown; ``settings`` say which model, and where it runs."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("What this machine offers")
        self.text.setPlaceholderText("Looking at devices, the face detector and the model…")
        self.again = QPushButton("Look again")
        self.again.setToolTip("After something was plugged in or installed")
        self.again.clicked.connect(self.look)
        self.copy = QPushButton("Copy")
        self.copy.setAccessibleName("Copy what this machine offers")
        self.copy.setToolTip("For asking for help; its paths hold your user name")
        self.copy.clicked.connect(self._copy)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self.again, self.copy):
            button.setAutoDefault(False)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self._looked = False
        self._process = python_process(arguments(settings), self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.stateChanged.connect(self._show_whether_it_looks)
        self._process.errorOccurred.connect(self._tell_error)
        self._process.finished.connect(self._tell_if_silent)

    def look(self) -> None:
        """Begin anew."""
        self._looked = True
        self.text.clear()
        self._process.start()

    def close_process(self) -> None:
        """Nobody reads on."""
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.blockSignals(True)
            self._process.kill()
            self._process.waitForFinished(KILL_MS)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._looked:
            self.look()

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode("utf-8", "replace")
            self.text.appendPlainText(line.rstrip(os.linesep))

    def _show_whether_it_looks(self, state: QProcess.ProcessState) -> None:
        looking = state != QProcess.ProcessState.NotRunning
        self.again.setEnabled(not looking)
        self.again.setText("Looking…" if looking else "Look again")
        if not looking:
            self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def _tell_error(self, error: QProcess.ProcessError) -> None:
        self.text.appendPlainText(f"This ended early: {self._process.errorString()}.")

    def _tell_if_silent(self) -> None:
        """It has refused what it was asked, which it says elsewhere."""
        if not self.text.toPlainText():
            said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
            self.text.appendPlainText(said.strip() or "Nothing was found out.")

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())


def arguments(settings: Settings) -> list[str]:
    """Of the interpreter that makes the diagnosis."""
    model = ["--model", settings.model] if settings.model else []
    return ["-m", "fer_desktop", "--diagnose", "--device", settings.device, *model]
