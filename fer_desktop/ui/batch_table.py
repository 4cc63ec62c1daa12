"""Recordings below each other: how far each is analysed, and the share of its time of each emotion.

One bar under another compares recordings at a glance: what is uncertain is pale, and where nothing
was heard or seen it is empty. Of several faces each has a strip.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

from fer_core.labels import EMOTIONS
from fer_desktop.batch.batch_process import FaceResult, Listed
from fer_desktop.ui.segment_picture import MUTED_ALPHA
from fer_desktop.ui.theme import colours_of
from fer_desktop.ui.timeline import clock

HEADINGS = ("Recording", "Length", "On the whole", "Share of the time")
NAME, LENGTH, SAID, SHARES = range(len(HEADINGS))
_UNSORTED = -1  # in the order of the work
_MARGIN = 5  # of a bar in its cell, in pixels
_THIN = 4  # height of the bar that shows how far a recording is


@dataclass(slots=True)
class Row:
    """What is known of a recording."""

    path: Path
    said: str  # in the third column
    length_s: float = 0.0  # 0: not known
    details: str = ""  # a tooltip that says more
    done: float | None = None  # share that is analysed, while it is
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None


class BatchTable(QTableWidget):
    opened = Signal(Path)
    removed = Signal(Path)

    def __init__(self) -> None:
        super().__init__(0, len(HEADINGS))
        self._rows: dict[Path, int] = {}
        self._shown: list[Row] = []
        self._cells: list[tuple[QTableWidgetItem, ...]] = []
        self.setHorizontalHeaderLabels(HEADINGS)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setToolTip("A click sorts by this column (Ctrl+1 to 4), another turns it round")
        header.setSortIndicatorShown(True)
        header.setSortIndicator(_UNSORTED, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self._sort)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in (NAME, SHARES):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column, widest in ((LENGTH, "0:00:00"), (SAID, "surprised, uncertain")):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(widest) + 24)
        self.setItemDelegateForColumn(SHARES, _Bars(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Recordings")
        self.setToolTip("Enter or a double click: open it. Del: take it out")
        self.cellDoubleClicked.connect(lambda *_: self.open_chosen())

    def add(self, paths: Sequence[Path]) -> None:
        """Files, and folders whose recordings are not known yet; what is there stays once."""
        for path in paths:
            if path not in self._rows:
                self._append(Row(path, "a folder" if os.path.isdir(path) else "waiting"))

    def set_files(self, files: Sequence[Listed]) -> None:
        """What was found, in the order of the work; nothing is done of it yet."""
        self.clear_rows()
        for file in files:
            self._append(Row(file.path, "waiting", file.duration_s))

    def show_step(self, path: Path, share: float) -> None:
        """How far a recording is, 0 to 1."""
        row = self._shown[self._row(path)]
        row.done, row.said = share, f"analysing {share:.0%}"
        self._fill(row)

    def show_done(self, path: Path, faces: Sequence[FaceResult], error: str | None) -> None:
        row = self._shown[self._row(path)]
        row.done, row.faces, row.error = None, tuple(faces), None
        if error is not None:
            row.error = error.replace(str(path), path.name)
            row.said, row.details = "failed", error
        else:
            row.said = ", ".join(map(_leader, faces))
            row.details = "\n".join(map(_in_words, faces))
        self._fill(row)

    def show_waiting(self) -> None:
        """What was at work when all was stopped has not begun."""
        for row in self._shown:
            if row.done is not None:
                row.done, row.said = None, "waiting"
                self._fill(row)

    def clear_rows(self) -> None:
        self.horizontalHeader().setSortIndicator(_UNSORTED, Qt.SortOrder.AscendingOrder)
        self.setRowCount(0)
        for kept in (self._rows, self._shown, self._cells):
            kept.clear()

    def remove(self, path: Path) -> None:
        row = self._rows.pop(path)
        self.removeRow(row)
        del self._shown[row], self._cells[row]
        self._number()

    def chosen(self) -> Path | None:
        row = self.currentRow()
        return self._shown[row].path if 0 <= row < len(self._shown) else None

    def open_chosen(self) -> None:
        """A folder has nothing to open."""
        path = self.chosen()
        if path is not None and not os.path.isdir(path):
            self.opened.emit(path)

    def shown(self, row: int) -> Row:
        return self._shown[row]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_chosen()
        elif event.key() == Qt.Key.Key_Delete:
            if (path := self.chosen()) is not None:
                self.removed.emit(path)
        elif (column := event.key() - Qt.Key.Key_1) in range(len(HEADINGS)) and (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._sort_by(column)
        else:
            super().keyPressEvent(event)

    def _sort_by(self, column: int) -> None:
        """As a click on its heading does."""
        header, up = self.horizontalHeader(), Qt.SortOrder.AscendingOrder
        again = header.sortIndicatorSection() == column and header.sortIndicatorOrder() == up
        header.setSortIndicator(column, Qt.SortOrder.DescendingOrder if again else up)

    def _row(self, path: Path) -> int:
        if path not in self._rows:
            self._append(Row(path, "waiting"))
        return self._rows[path]

    def _append(self, row: Row) -> None:
        number = len(self._shown)
        self._rows[row.path] = number
        self._shown.append(row)
        self.insertRow(number)
        cells = tuple(QTableWidgetItem() for _ in HEADINGS)
        for column, cell in enumerate(cells):
            self.setItem(number, column, cell)
        self._cells.append(cells)
        self._fill(row)

    def _fill(self, row: Row) -> None:
        """What stands in its cells; a reader of the screen hears what the bar shows."""
        name, length, said, bar = self._cells[self._rows[row.path]]
        name.setText(row.path.name or str(row.path))
        name.setToolTip(str(row.path))
        length.setText(clock(row.length_s) if row.length_s else "")
        said.setText(row.said)
        told = row.details or row.said
        for cell in (said, bar):
            cell.setToolTip(told)
        bar.setData(Qt.ItemDataRole.AccessibleTextRole, told)
        self.update(self.indexFromItem(bar))

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        if column == _UNSORTED:
            return
        chosen = self.chosen()
        self._shown.sort(key=_ORDERS[column], reverse=order == Qt.SortOrder.DescendingOrder)
        self._number()
        for row in self._shown:
            self._fill(row)
        if chosen is not None:
            self.selectRow(self._rows[chosen])

    def _number(self) -> None:
        self._rows = {row.path: number for number, row in enumerate(self._shown)}


def _by_share(row: Row) -> tuple[int, float]:
    """By the emotion that leads longest, its largest share first; what has none comes last."""
    shares = row.faces[0].shares if row.faces else ()
    if not any(shares):
        return len(EMOTIONS), 0.0
    return shares.index(max(shares)), -max(shares)


_ORDERS: dict[int, Callable[[Row], Any]] = {
    NAME: lambda row: row.path.name.casefold(),
    LENGTH: lambda row: row.length_s,
    SAID: lambda row: row.said,
    SHARES: _by_share,
}


class _Bars(QStyledItemDelegate):
    def __init__(self, table: BatchTable) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        colours = colours_of(self._table)
        shown = self._table.shown(index.row())
        whole = QRectF(option.rect).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if shown.error is not None:
            painter.setPen(QColor(colours.error))
            room, cut = int(whole.width()), Qt.TextElideMode.ElideRight
            text = option.fontMetrics.elidedText(shown.error, cut, room)
            painter.drawText(whole, Qt.AlignmentFlag.AlignVCenter, text)
        if shown.done is not None:
            whole.setTop(whole.center().y() - _THIN / 2)
            whole.setHeight(_THIN)
            painter.fillRect(whole, QColor(colours.line))
            whole.setWidth(whole.width() * shown.done)
            painter.fillRect(whole, QColor(colours.accent))
        for number, face in enumerate(shown.faces):
            strip = QRectF(whole)
            strip.setTop(whole.top() + whole.height() * number / len(shown.faces))
            strip.setHeight(whole.height() / len(shown.faces))
            painter.fillRect(strip, QColor(colours.line))
            part = QRectF(strip)
            for colour, share, certain in zip(
                colours.emotions, face.shares, face.certain, strict=True
            ):
                full, pale = QColor(colour), QColor(colour)
                pale.setAlpha(MUTED_ALPHA)
                for shade, width in ((full, certain), (pale, share - certain)):
                    part.setWidth(strip.width() * width)
                    painter.fillRect(part, shade)
                    part.moveLeft(part.right())


def _leader(face: FaceResult) -> str:
    if face.emotion is None:
        return "nothing to judge"
    return f"{face.emotion}, uncertain" if face.uncertain else face.emotion


def _in_words(face: FaceResult) -> str:
    ranked = sorted(zip(face.shares, EMOTIONS, strict=True), reverse=True)
    told = [f"{name} {share:.0%}" for share, name in ranked if share >= 0.005]
    shown = sum(face.shares)
    for name, share in (("uncertain", shown - sum(face.certain)), ("nothing to judge", 1 - shown)):
        if share >= 0.005:
            told.append(f"{name} {share:.0%}")
    return ", ".join(told)
