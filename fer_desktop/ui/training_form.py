"""What is to be trained: the choices, as a plan that can be begun."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import platformdirs
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from fer_core.data.corpora.registry import CORPORA, CorpusFormat
from fer_core.resources import bundled_model
from fer_desktop.settings import Device
from fer_desktop.training.plan import LEAKING, Corpus, LearntFrom, TrainingPlan
from fer_desktop.ui.folder_field import browse_button, path_in, side_by_side

SPLIT_TEXTS: dict[str | None, str] = {
    None: "People who are not trained on",
    "hicmae6": "RAVDESS: actors 1 to 4 (hicmae6)",
    "luna5": "RAVDESS: first fold of Luna-Jiménez (luna5)",
    "chumachenko": "RAVDESS: Chumachenko's models (chumachenko)",
    "untested": "Nobody: all of them train",
    LEAKING: "The same people: says nothing about others",
}
_LEARNT_FROM: dict[LearntFrom, str] = {
    "both": "Voices and faces",
    "audio": "Voices",
    "video": "Faces",
}
AS_THE_RECIPE = "As the recipe says"


class CorpusRow(QWidget):
    """A corpus and where it lies."""

    changed = Signal()

    def __init__(self, what: str, none: str | None = None) -> None:
        """``none``: the text of having none, where that is possible."""
        super().__init__()
        self.corpus = QComboBox()
        if none is not None:
            self.corpus.addItem(none, None)
        for name, kind in CORPORA.items():
            self.corpus.addItem(kind.title, name)
            self.corpus.setItemData(
                self.corpus.count() - 1, _tip(kind), Qt.ItemDataRole.ToolTipRole
            )
        self.corpus.setAccessibleName(what)
        self.folder = QLineEdit()
        self.folder.setAccessibleName(f"Folder of {what.lower()}")
        self.folder.setMinimumWidth(180)
        self.folder.setToolTip("Where it lies; of your own recordings also the table itself")
        self.browse = browse_button(self.folder, what)
        self.browse.setAccessibleName(f"Browse: {what.lower()}")
        self.browse.setToolTip("Choose the folder")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.corpus)
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        self.corpus.currentIndexChanged.connect(self._show_tip)
        self.folder.textChanged.connect(self.changed)
        self._show_tip()

    def chosen(self) -> Corpus | None:
        name, folder = self.corpus.currentData(), path_in(self.folder)
        return None if name is None or folder is None else Corpus(name, folder)

    def show_corpus(self, corpus: Corpus | None) -> None:
        name = None if corpus is None else corpus.name
        self.corpus.setCurrentIndex(max(self.corpus.findData(name), 0))
        self.folder.setText("" if corpus is None else str(corpus.folder))

    def _show_tip(self) -> None:
        kind = CORPORA.get(self.corpus.currentData())
        self.corpus.setToolTip("No second corpus" if kind is None else _tip(kind))
        self.folder.setPlaceholderText("" if kind is None else _tip(kind))
        for widget in (self.folder, self.browse):
            widget.setEnabled(kind is not None)
        self.changed.emit()


def _tip(kind: CorpusFormat) -> str:
    return kind.help[0].upper() + kind.help[1:]


class TrainingForm(QWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._device: Device = "auto"
        self.data = CorpusRow("Learn from")
        self.more = CorpusRow("And from", none="Nothing else")
        self.learnt_from = QComboBox()
        for learnt_from, text in _LEARNT_FROM.items():
            self.learnt_from.addItem(text, learnt_from)
        self.begin_with = QComboBox()
        self.split = QComboBox()
        for split, text in SPLIT_TEXTS.items():
            self.split.addItem(text, split)
        self.missing = QCheckBox("Some of the split's people may be missing")
        self.epochs = QSpinBox()
        self.epochs.setRange(0, 1000)
        self.epochs.setSpecialValueText(AS_THE_RECIPE)
        self.epochs.lineEdit().setTextMargins(7, 0, 0, 0)  # as wide as those of the fields
        self.run = QLineEdit()
        self.browse_run = browse_button(self.run, "Folder for the training")
        for widget, name, tip in (
            (self.learnt_from, "Learnt from", "What of the recordings is used"),
            (self.begin_with, "Begins with", "A trained model learns your people; or all anew"),
            (self.split, "Tested on", "Who tells how right it is; every score names this split"),
            (self.missing, "People may be missing", "Such as actors of RAVDESS you do not have"),
            (self.epochs, "Epochs", "Times it goes through the recordings, in each stage"),
            (self.run, "Folder of the training", "The model, its scores and all it needs to go on"),
            (self.browse_run, "Browse for a folder", "Choose where the training is kept"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Learn from", self.data)
        form.addRow("And from", self.more)
        form.addRow("What of it", self.learnt_from)
        form.addRow("Begin with", self.begin_with)
        form.addRow("Test on", self.split)
        form.addRow("", self.missing)
        form.addRow("Epochs", self.epochs)
        form.addRow("Into", side_by_side(self.run, self.browse_run))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        self.offer_models(None)
        self.data.changed.connect(self._propose)
        for signal in (
            self.data.changed,
            self.more.changed,
            self.run.textChanged,
            self.learnt_from.currentIndexChanged,
            self.begin_with.currentIndexChanged,
            self.split.currentIndexChanged,
            self.missing.toggled,
            self.epochs.valueChanged,
        ):
            signal.connect(lambda *_: self.changed.emit())
        self._proposed = ""
        self._propose()

    def offer_models(self, in_use: Path | None, device: Device = "auto") -> None:
        """To begin with; ``in_use`` if it is not the bundled one."""
        self._device = device
        before = self.begin_with.currentData() if self.begin_with.count() else bundled_model()
        self.begin_with.blockSignals(True)
        self.begin_with.clear()
        self.begin_with.addItem("The bundled model", bundled_model())
        if in_use is not None:
            self.begin_with.addItem(f"The model in use ({in_use.name})", in_use)
        self.begin_with.addItem("Nothing: learn all anew", None)
        self._begin_with(before)
        self.begin_with.blockSignals(False)

    def plan(self) -> TrainingPlan | None:
        """None while something is missing."""
        corpora = [corpus for row in (self.data, self.more) if (corpus := row.chosen()) is not None]
        run = path_in(self.run)
        if self.data.chosen() is None or run is None:
            return None
        return TrainingPlan(
            corpora=tuple(corpora),
            run=run,
            split=self.split.currentData(),
            allow_missing=self.missing.isChecked(),
            learnt_from=self.learnt_from.currentData(),
            begin_with=self.begin_with.currentData(),
            epochs=self.epochs.value() or None,
            device=self._device,
        )

    def show_plan(self, plan: TrainingPlan) -> None:
        first, *others = plan.corpora
        self.data.show_corpus(first)
        self.more.show_corpus(others[0] if others else None)
        self.split.setCurrentIndex(max(self.split.findData(plan.split), 0))
        self.missing.setChecked(plan.allow_missing)
        self.learnt_from.setCurrentIndex(self.learnt_from.findData(plan.learnt_from))
        self._begin_with(plan.begin_with)
        self.epochs.setValue(plan.epochs or 0)
        self.run.setText(str(plan.run))

    def propose_another_folder(self) -> None:
        """The one in the field holds a training that is finished."""
        self._proposed = self.run.text()
        self._propose()

    def _propose(self) -> None:
        """A folder that is not there yet, unless somebody wrote another."""
        if self.run.text() != self._proposed:
            return
        base = platformdirs.user_documents_path() / "Emotion models"
        name = f"{self.data.corpus.currentText()} {date.today():%Y-%m-%d}"
        proposed, number = base / name, 2
        while proposed.exists():
            proposed, number = base / f"{name} ({number})", number + 1
        self._proposed = str(proposed)
        self.run.setText(self._proposed)

    def _begin_with(self, model: Path | None) -> None:
        for index in range(self.begin_with.count()):  # findData does not compare paths
            if self.begin_with.itemData(index) == model:
                self.begin_with.setCurrentIndex(index)
                return
        if model is not None:
            self.begin_with.insertItem(1, f"{model.parent.name}/{model.name}", model)
            self.begin_with.setCurrentIndex(1)
