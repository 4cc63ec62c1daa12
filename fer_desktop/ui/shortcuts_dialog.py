"""The keyboard shortcuts, read from the window's own actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget


class ShortcutsDialog(QDialog):
    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(9)
        for row, action in enumerate(a for a in actions if a.shortcuts()):
            keys = QLabel(keys_of(action))
            keys.setProperty("badge", True)
            keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
            what = QLabel(action.text())
            # Two columns, read downwards.
            half = (len(actions) + 1) // 2
            grid.addWidget(keys, row % half, row // half * 2)
            grid.addWidget(what, row % half, row // half * 2 + 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Back to the window (Esc)")
        close.setAccessibleName("Close")
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(18)
        column.addLayout(grid)
        column.addWidget(buttons)


def keys_of(action: QAction) -> str:
    """``F1 or ?`` as this system writes its keys."""
    form = QKeySequence.SequenceFormat.NativeText
    return " or ".join(keys.toString(form) for keys in action.shortcuts())
