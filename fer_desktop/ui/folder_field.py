"""A field for a folder: the button beside it, and what is written in it."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget


def browse_button(field: QLineEdit, title: str) -> QToolButton:
    """``title``: of the dialog, where the field's own text or else its proposal is shown first."""
    button = QToolButton()
    button.setText("Browse…")

    def browse() -> None:
        begin = field.text() or field.placeholderText()
        if folder := QFileDialog.getExistingDirectory(button, title, begin):
            field.setText(folder)

    button.clicked.connect(browse)
    return button


def side_by_side(field: QWidget, *buttons: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(field, 1)
    for button in buttons:
        row.addWidget(button)
    return row


def path_in(field: QLineEdit) -> Path | None:
    """Absolute, because it outlives the folder that the program was started in; None if empty."""
    written = field.text().strip()
    return Path(os.path.abspath(os.path.expanduser(written))) if written else None
