"""The places noted in a file: go there, write a note, delete, undo that. Others keep them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.timeline import Marker
from fer_desktop.ui.timeline import clock

_TIME, _NOTE = range(2)


class MarkerList(QFrame):
    seek_requested = Signal(float)  # seconds
    marker_wanted = Signal()  # where the playhead is
    note_changed = Signal(object, str)  # Marker, its new note
    removed = Signal(object)  # Marker
    restored = Signal(object)  # Marker, the one removed last

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._markers: tuple[Marker, ...] = ()
        self._next: tuple[Marker, ...] | None = None  # to be shown when the note is written
        self._removed: Marker | None = None
        title = QLabel("Markers")
        title.setProperty("muted", True)
        add = QToolButton()
        add.setText("Mark")
        add.setToolTip("Mark this moment (M)")
        add.setAccessibleName("Mark this moment")
        add.clicked.connect(self.marker_wanted)
        self.delete_button = QToolButton()
        self.delete_button.setText("Delete")
        self.delete_button.setToolTip("Delete the chosen marker (Del)")
        self.delete_button.setAccessibleName("Delete the chosen marker")
        self.delete_button.clicked.connect(self._remove)
        self.undo_button = QToolButton()
        self.undo_button.setText("Undo")
        self.undo_button.setToolTip("Bring back the marker deleted last")
        self.undo_button.setAccessibleName("Bring back the marker deleted last")
        self.undo_button.clicked.connect(self._restore)
        for button in (
            add,
            self.delete_button,
            self.undo_button,
        ):  # a click ends the note that is being written
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.table = _Table(0, 2)
        self.table.setAccessibleName("Markers")
        self.table.setToolTip("Enter: go there. F2 or a double click: write a note. Del: delete")
        self.table.go.connect(self._go)
        self.table.delete.connect(self._remove)
        self.table.cellClicked.connect(lambda row, column: self._go() if column == _TIME else None)
        self.table.itemChanged.connect(self._on_changed)
        self.table.edited.connect(self._catch_up)
        self.table.itemSelectionChanged.connect(self._enable)
        head = QHBoxLayout()
        head.setContentsMargins(10, 2, 6, 0)
        head.addWidget(title, 1)
        head.addWidget(add)
        head.addWidget(self.delete_button)
        head.addWidget(self.undo_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 4, 2, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        self.setAccessibleName("Markers of this file")
        self._enable()

    def sizeHint(self) -> QSize:
        return QSize(300, 180)

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Show these, in order of time; the chosen place stays so, as does a note being written.

        Without its editor, what is typed on would be commands.
        """
        if self.table.state() == QAbstractItemView.State.EditingState:
            self._next = tuple(markers)
            return
        chosen = self._chosen()
        self._markers = tuple(markers)
        self.table.blockSignals(True)
        self.table.setRowCount(len(markers))
        for row, marker in enumerate(markers):
            self._set_text(row, _TIME, clock(marker.time_s, 3))
            self._set_text(row, _NOTE, marker.note)
        self.table.blockSignals(False)
        times = [marker.time_s for marker in markers]
        if chosen is not None and chosen.time_s in times:
            self.table.selectRow(times.index(chosen.time_s))
        else:  # what follows a deleted one must not be the next to go
            self.table.setCurrentCell(-1, -1)
        self._enable()

    def clear(self) -> None:
        """For another file."""
        self._removed = None
        self.set_markers(())

    def _catch_up(self) -> None:
        if (markers := self._next) is not None:
            self._next = None
            self.set_markers(markers)

    def _set_text(self, row: int, column: int, text: str) -> None:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            if column == _TIME:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self.table.setItem(row, column, item)
        item.setText(text)

    def edit(self, marker: Marker) -> None:
        """Let people write its note at once."""
        if marker in self._markers:
            row = self._markers.index(marker)
            self.table.setCurrentCell(row, _NOTE)
            self.table.edit(self.table.model().index(row, _NOTE))

    def _chosen(self) -> Marker | None:
        row = self.table.currentRow()
        return self._markers[row] if 0 <= row < len(self._markers) else None

    def _enable(self) -> None:
        self.delete_button.setEnabled(self._chosen() is not None)
        self.undo_button.setEnabled(self._removed is not None)

    def _go(self) -> None:
        if (marker := self._chosen()) is not None:
            self.seek_requested.emit(marker.time_s)

    def _remove(self) -> None:
        if (marker := self._chosen()) is not None:
            self._removed = marker
            self.removed.emit(marker)
            self.table.setFocus()  # with the button's, Space would delete again

    def _restore(self) -> None:
        if (marker := self._removed) is not None:
            self._removed = None
            self.restored.emit(marker)
            self.table.setFocus()

    def _on_changed(self, item: QTableWidgetItem) -> None:
        marker = self._markers[item.row()]
        if item.column() == _NOTE and item.text() != marker.note:
            self.note_changed.emit(marker, item.text())


class _Table(QTableWidget):
    go = Signal()
    delete = Signal()
    edited = Signal()  # a note was written, or not

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(rows, columns)
        self.verticalHeader().hide()
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(_TIME, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(_NOTE, QHeaderView.ResizeMode.Stretch)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, hint)
        self.edited.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        editing = self.state() == QAbstractItemView.State.EditingState
        if not editing and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.go.emit()
        elif not editing and event.key() == Qt.Key.Key_Delete:
            self.delete.emit()
        else:
            super().keyPressEvent(event)
