"""The keyboard shortcuts, read from the window's own actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

_ROWS = 15  # of a column


class ShortcutsDialog(QDialog):
    def __init__(
        self, groups: Mapping[str, Sequence[QAction]], parent: QWidget | None = None
    ) -> None:
        """``groups`` of actions by their heading."""
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        place = 0
        for heading, actions in groups.items():
            if place % _ROWS > _ROWS - 3:
                place += -place % _ROWS  # a heading does not stand alone at the foot
            grid.addWidget(_heading(heading), place % _ROWS, place // _ROWS * 2, 1, 2)
            for action in (a for a in actions if a.shortcuts()):
                place += 1
                keys = QLabel(keys_of(action))
                keys.setProperty("badge", True)
                keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
                row, column = place % _ROWS, place // _ROWS * 2
                grid.addWidget(keys, row, column)
                grid.addWidget(QLabel(action.text()), row, column + 1)
            place += 1
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Back to the window (Esc)")
        close.setAccessibleName("Close")
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(18)
        layout.addLayout(grid)
        layout.addWidget(buttons)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def keys_of(action: QAction) -> str:
    """``F1 or ?`` as this system writes its keys."""
    form = QKeySequence.SequenceFormat.NativeText
    return " or ".join(keys.toString(form) for keys in action.shortcuts())
