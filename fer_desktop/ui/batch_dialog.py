"""Many recordings: which, what is written of them, how it goes, and what came of each.

Others analyse them. The window can be used meanwhile, and closing this stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_core.analysis.export import FORMATS
from fer_desktop.batch.batch_process import Done, Listed, Step
from fer_desktop.batch.plan import BatchPlan, proposed_folder
from fer_desktop.ui.batch_table import BatchTable
from fer_desktop.ui.folder_field import browse_button, path_in, side_by_side
from fer_desktop.ui.legend import legend
from fer_desktop.ui.open_button import FileDrop, ask_for_files
from fer_desktop.ui.theme import is_theme_change

_ALWAYS = "json"
_CHOSEN = ("csv", _ALWAYS)  # at first
_STEPS = 1000
_AROUND = QSize(40, 80)  # the window's own frame, and what the system takes
_IDLE = "Add recordings or whole folders, or drop them here."
_READY = "They are analysed one after another; the window may be used meanwhile."


class BatchDialog(QDialog):
    start_requested = Signal(object)  # BatchPlan, also to go on with it
    stop_requested = Signal()
    open_requested = Signal(Path)  # a recording, in the window

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Several recordings")
        self.setAccessibleName("Several recordings")
        self._named: list[Path] = []  # files and folders as they were added
        self._runs = False
        self._stopped = False  # the plan can go on
        self._proposed = ""  # for the results; what people chose themselves stays
        self.add_files = _button("Add files…", "Add recordings")
        self.add_folder = _button("Add folder…", "Add a folder with all recordings in it")
        self.clear = _button("Clear", "Take all recordings out of the list; no file is deleted")
        self.table = BatchTable()
        self.legend = QLabel()
        self.legend.setAccessibleName("The emotions' colours")
        self.boxes: dict[str, QCheckBox] = {}
        formats = QHBoxLayout()
        formats.setSpacing(14)
        for suffix, kind in FORMATS.items():
            box = QCheckBox(suffix.upper())
            box.setAccessibleName(kind.title)
            box.setToolTip(f"{kind.title}: {kind.tip}")
            box.setChecked(suffix in _CHOSEN)
            self.boxes[suffix] = box
            formats.addWidget(box)
        formats.addStretch(1)
        self.boxes[_ALWAYS].setEnabled(False)
        self.boxes[_ALWAYS].setToolTip("Always written: a stopped analysis goes on by it")
        self.each_face = QCheckBox("Each face of a recording, in files of its own")
        self.each_face.setToolTip("Otherwise the largest face is followed")
        self.folder = QLineEdit()
        self.folder.setAccessibleName("Folder of the results")
        self.folder.setToolTip("Where the results are written; made if it is not there")
        self._browse = browse_button(self.folder, "Folder of the results")
        self._browse.setAccessibleName("Browse for a folder")
        self._browse.setToolTip("Choose the folder")
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.addRow("Write", formats)
        form.addRow("Into", side_by_side(self.folder, self._browse))
        form.addRow("", self.each_face)
        self.words = QLabel(_IDLE)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("How far the analysis is")
        self.begin = _button("Start", "Analyse them")
        self.open_chosen = _button("Open", "Open the chosen recording in the window (Enter)")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in (self.begin, self.open_chosen):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        close.setToolTip("Back to the window; an analysis goes on (Esc)")
        buttons.rejected.connect(self.reject)
        top = QHBoxLayout()
        for button in (self.add_files, self.add_folder, self.clear):
            top.addWidget(button)
        top.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self.legend)
        column.addLayout(form)
        column.addWidget(self.words)
        column.addWidget(self.bar)
        column.addWidget(buttons)
        room = self.screen().availableSize() - _AROUND
        self.resize(QSize(820, 640).boundedTo(room))
        self._drop = FileDrop(self)
        self._connect()
        self._look()

    def add(self, paths: Sequence[Path]) -> None:
        """Files and folders, unless an analysis goes on."""
        if self._runs or not paths:
            return
        new = [path for path in dict.fromkeys(paths) if path not in self._named]
        if not self._named and self.folder.text() == self._proposed:
            self._proposed = str(proposed_folder(paths[0]))
            self.folder.setText(self._proposed)
        self._named += new
        self._stopped = False
        self.table.add(new)
        self.words.setText(_READY)
        self._look()

    def plan(self) -> BatchPlan | None:
        """What is chosen; None while something is missing."""
        out = path_in(self.folder)
        if not self._named or out is None:
            return None
        formats = tuple(suffix for suffix, box in self.boxes.items() if box.isChecked())
        return BatchPlan(tuple(self._named), out, formats, self.each_face.isChecked())

    # How it goes

    def show_preparing(self) -> None:
        """The model is loaded, and folders are searched."""
        self._runs, self._stopped = True, False
        self.bar.setRange(0, 0)
        self.words.setText("Looking for recordings, and loading the model…")
        self._look()

    def show_files(self, files: Sequence[Listed]) -> None:
        self.table.set_files(files)

    def show_step(self, step: Step) -> None:
        self.table.show_step(step.path, step.share)

    def show_done(self, done: Done) -> None:
        self.table.show_done(done.path, done.faces, done.error)

    def show_progress(self, words: str, share: float) -> None:
        """Of all recordings, 0 to 1."""
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round(_STEPS * share))
        self.words.setText(words)

    def show_stopping(self) -> None:
        self.bar.setRange(0, 0)
        self.words.setText("Stopping…")
        self.begin.setEnabled(False)

    def show_end(self, words: str, stopped: bool = False) -> None:
        """``stopped``: it can go on."""
        self._runs, self._stopped = False, stopped
        self.table.show_waiting()
        self.show_progress(words, 0.0)
        self._look()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event):
            self.legend.setText(legend(self))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.legend.setText(legend(self))

    # What people do

    def _connect(self) -> None:
        self.add_files.clicked.connect(lambda: self.add(ask_for_files(self)))
        self.add_folder.clicked.connect(self._ask_for_folder)
        self.clear.clicked.connect(self._clear)
        self.table.removed.connect(self._remove)
        self.table.opened.connect(self.open_requested)
        self.table.itemSelectionChanged.connect(self._look)
        self.folder.textChanged.connect(self._look)
        self.begin.clicked.connect(self._begin_or_stop)
        self.open_chosen.clicked.connect(self.table.open_chosen)
        self._drop.dropped.connect(self.add)

    def _ask_for_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder with recordings"):
            self.add([Path(folder)])

    def _clear(self) -> None:
        self._named.clear()
        self._stopped = False
        self.table.clear_rows()
        self.words.setText(_IDLE)
        self._look()

    def _remove(self, path: Path) -> None:
        """What a folder was searched for stays as long as the folder."""
        if not self._runs and path in self._named:
            self._named.remove(path)
            self.table.remove(path)
            self._look()

    def _begin_or_stop(self) -> None:
        if self._runs:
            self.stop_requested.emit()
        elif (plan := self.plan()) is not None:
            self.start_requested.emit(plan)

    def _look(self) -> None:
        text = "Stop" if self._runs else "Go on" if self._stopped else "Start"
        self.begin.setText(text)
        self.begin.setToolTip(
            "Stop; what is done stays, and it can go on later" if self._runs else "Analyse them"
        )
        self.begin.setEnabled(self._runs or self.plan() is not None)
        self.clear.setEnabled(not self._runs and bool(self._named))
        self.open_chosen.setEnabled(self.table.chosen() is not None)
        choices = [box for suffix, box in self.boxes.items() if suffix != _ALWAYS]
        for widget in (
            *(self.add_files, self.add_folder, self.folder, self._browse, self.each_face),
            *choices,
        ):
            widget.setEnabled(not self._runs)
        self.setAcceptDrops(not self._runs)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)  # Enter opens the chosen recording
    return button
