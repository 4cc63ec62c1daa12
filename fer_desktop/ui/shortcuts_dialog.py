"""The keyboard shortcuts, read from the window's own actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

Groups = Mapping[str, Sequence[QAction]]  # by their heading

_ROWS = (15, 21, 30, 60)  # of a column: more where the screen is too narrow for all columns
_AROUND = QSize(70, 150)  # the dialog's edges and its button


class ShortcutsDialog(QDialog):
    def __init__(self, groups: Groups, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        room = self.screen().availableSize() - _AROUND
        for rows in _ROWS:
            keys = _table(groups, rows)
            if keys.sizeHint().width() <= room.width():
                break
        area = QScrollArea()
        area.setWidget(keys)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName("Keyboard shortcuts")
        area.setMinimumSize(keys.sizeHint().boundedTo(room))
        if keys.sizeHint().height() > room.height():
            bar = area.verticalScrollBar().sizeHint().width()
            area.setMinimumWidth(keys.sizeHint().width() + bar)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Back to the window (Esc)")
        close.setAccessibleName("Close")
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 20, 22, 16)
        layout.setSpacing(18)
        layout.addWidget(area)
        layout.addWidget(buttons)


def _table(groups: Groups, rows: int) -> QWidget:
    """All keys in columns of so many rows."""
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(7)
    place = 0
    for heading, actions in groups.items():
        if place % rows > rows - 3:
            place += -place % rows  # a heading does not stand alone at the foot
        grid.addWidget(_heading(heading), place % rows, place // rows * 2, 1, 2)
        for action in (a for a in actions if a.shortcuts()):
            place += 1
            keys = QLabel(keys_of(action))
            keys.setProperty("badge", True)
            keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
            row, column = place % rows, place // rows * 2
            grid.addWidget(keys, row, column)
            grid.addWidget(QLabel(action.text()), row, column + 1)
        place += 1
    return table


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
