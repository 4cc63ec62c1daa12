"""Asked before a recording is ended by what people do next, which may be a slip."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


class EndRecordingQuestion(QMessageBox):
    """Accepted by ending it; rejected by going on, Esc and closing it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` of the file that is to be opened."""
        super().__init__(parent)
        self.setWindowTitle("A recording goes on")
        self.setAccessibleName("A recording goes on")
        # Not the window's alone: the list of recordings opens some of them, too.
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self.setIcon(QMessageBox.Icon.Question)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"Opening “{name}” ends the recording.")
        self.setInformativeText("What was recorded until then is kept.")
        self.end = self.addButton("End it and open", QMessageBox.ButtonRole.AcceptRole)
        self.go_on = self.addButton("Go on recording", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_on)
        self.setEscapeButton(self.go_on)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
