"""Which files of an analysis are written, where to, and how it goes; others write them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.export import FORMATS
from fer_desktop.errors import Notice
from fer_desktop.playback.exporting import ExportRequest
from fer_desktop.ui.folder_field import browse_button, path_in, side_by_side

_CHOSEN = ("csv", "html")  # at first


class ExportDialog(QDialog):
    export_requested = Signal(object)  # ExportRequest
    cancel_requested = Signal()

    def __init__(self, folder: Path, name: str, parent: QWidget | None = None) -> None:
        """``name`` is that of the files, without a suffix."""
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setAccessibleName("Export")
        self.boxes: dict[str, QCheckBox] = {}
        self._busy = False
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        for number, (suffix, kind) in enumerate(FORMATS.items()):
            box = QCheckBox(kind.title)
            box.setChecked(suffix in _CHOSEN)
            box.setToolTip(kind.tip)
            box.toggled.connect(self._look)
            self.boxes[suffix] = box
            grid.addWidget(box, number // 2, number % 2)
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("Where the files are written; made if it is not there")
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setToolTip("Of the files, without a suffix")
        for field in (self.folder, self.name):
            field.textChanged.connect(self._look)
        browse = browse_button(self.folder, "Folder")
        browse.setToolTip("Choose the folder")
        browse.setAccessibleName("Browse for a folder")
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.addRow("Folder", side_by_side(self.folder, browse))
        form.addRow("Name", self.name)

        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setMinimumHeight(2 * self.said.fontMetrics().lineSpacing())
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("How far the export is")
        self.progress.setVisible(False)
        self.export = QPushButton("Export")
        self.export.setDefault(True)
        self.export.setToolTip("Write the chosen files")
        self.export.clicked.connect(self._request)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        self.close_button = buttons.button(QDialogButtonBox.StandardButton.Close)
        self.close_button.setToolTip("Back to the file (Esc)")
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(16)
        column.addLayout(grid)
        column.addLayout(form)
        column.addWidget(self.said)
        column.addWidget(self.progress)
        column.addWidget(buttons)
        self.setMinimumWidth(560)
        self._look()

    def chosen(self) -> ExportRequest:
        formats = tuple(suffix for suffix, box in self.boxes.items() if box.isChecked())
        return ExportRequest(path_in(self.folder) or Path(), self.name.text().strip(), formats)

    # How it goes

    def show_progress(self, path: Path, share: float) -> None:
        """``share`` of everything, 0 to 1, while ``path`` is being written."""
        self.said.setText(f"Writing {path.name} …")
        self.progress.setValue(round(1000 * share))

    def show_written(self, paths: Sequence[Path]) -> None:
        """All is done."""
        self._end()
        self.said.setText(f"Written: {', '.join(path.name for path in paths)}.")

    def show_failure(self, notice: Notice) -> None:
        self._end()
        self.said.setText(f"{notice.text} {notice.hint}".strip())

    def show_cancelled(self) -> None:
        self._end()
        self.said.setText("Cancelled. What was written before stays.")

    def reject(self) -> None:
        """Esc and Close cancel what goes on first."""
        if self._busy:
            self.cancel_requested.emit()
        else:
            super().reject()

    def _request(self) -> None:
        self._busy = True
        self.progress.setValue(0)
        self.progress.setVisible(True)
        self.close_button.setText("Cancel")
        self._enable()
        self.export_requested.emit(self.chosen())

    def _end(self) -> None:
        self._busy = False
        self.progress.setVisible(False)
        self.close_button.setText("Close")
        self._enable()

    def _enable(self) -> None:
        request = self.chosen()
        named = bool(request.name) and Path(request.name).name == request.name
        self.export.setEnabled(not self._busy and bool(request.formats) and named)
        for widget in (*self.boxes.values(), self.folder, self.name):
            widget.setEnabled(not self._busy)

    def _look(self) -> None:
        """Say what would be replaced."""
        self._enable()
        there = [path.name for path in self.chosen().paths if os.path.exists(path)]
        self.said.setText(f"Will be replaced: {', '.join(there)}." if there else "")
