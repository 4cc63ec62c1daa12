"""Train a model: what of, how it goes, and what came of it. Others do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.errors import Notice
from fer_desktop.ui.timeline import clock
from fer_desktop.ui.training_curves import TrainingCurves
from fer_desktop.ui.training_form import TrainingForm

STAGES = {
    "audio": "Voices",
    "functionals": "Voices as a whole",
    "visual": "Faces",
    "fusion": "Voices and faces together",
    "joint": "Everything together",
}
_STEPS = 1000
_MOST_LINES = 500  # of what the training says
_PICTURE_SIZE = QSize(380, 300)


class TrainingPanel(QWidget):
    """Outlives the dialog that shows it, since a training does."""

    start_requested = Signal(object)  # TrainingPlan, also to go on with it
    stop_requested = Signal()
    use_requested = Signal()  # of the model that was trained
    card_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = TrainingForm()
        self.begin = QPushButton("Start")
        self.begin.setAutoDefault(False)  # Enter in a field shall not begin hours of work
        self.begin.clicked.connect(self._begin_or_stop)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("How far the training is")
        self.curves = TrainingCurves()
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName("Which emotion was taken for which")
        self._pictures = QStackedWidget()
        self._pictures.addWidget(self.curves)
        self._pictures.addWidget(self.picture)
        self._pictures.setMinimumSize(340, 220)  # the dialog fits a small screen
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_MOST_LINES)
        self.log.setMinimumHeight(48)
        self.log.setMaximumHeight(96)
        self.log.setTabChangesFocus(True)
        self.log.setAccessibleName("What the training says")
        self.log.setToolTip("What is in the recordings, and what cannot be used and why")
        self.use = QPushButton("Use this model")
        self.use.setAccessibleName("Use the trained model")
        self.use.setToolTip("From now on it answers, live and for files")
        self.use.setAutoDefault(False)
        self.use.clicked.connect(self.use_requested)
        self.card = QPushButton("Its card")
        self.card.setAccessibleName("The trained model's card")
        self.card.setToolTip("Who taught it, every score with its split, and its limits")
        self.card.setAutoDefault(False)
        self.card.clicked.connect(self.card_requested)

        left = QVBoxLayout()
        left.setSpacing(14)
        left.addWidget(self.form)
        start_row = QHBoxLayout()
        start_row.addStretch(1)
        start_row.addWidget(self.begin)
        left.addLayout(start_row)
        left.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.words)
        right.addWidget(self.bar)
        right.addWidget(self._pictures, 1)
        right.addWidget(self.log)
        made = QHBoxLayout()
        made.addStretch(1)
        made.addWidget(self.card)
        made.addWidget(self.use)
        right.addLayout(made)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 12, 0, 0)
        row.setSpacing(24)
        row.addLayout(left, 5)
        row.addLayout(right, 4)
        self.form.changed.connect(self._look)
        self._runs = False
        self.show_idle()

    # How it goes

    def show_idle(self) -> None:
        """Nothing was trained yet."""
        self._end("Training takes minutes to hours; the window may be used meanwhile.")
        self._show_made(False)

    def show_begun(self) -> None:
        """The plan in the form was begun and stopped; it can go on."""
        self._end("This training was begun and is not finished. It goes on where it was.")

    def show_preparing(self) -> None:
        """The recordings are read; nothing is trained yet."""
        self._runs = True
        self.log.clear()
        self.curves.clear()
        self._pictures.setCurrentWidget(self.curves)
        self._show_made(False)
        self.bar.setRange(0, 0)
        self.words.setText("Reading the recordings…")
        self._look()

    def show_progress(
        self, stage: str, epoch: int, epochs: int, share: float, left_s: float | None
    ) -> None:
        """``share`` of the stage, 0 to 1; ``epoch`` from 1."""
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round(_STEPS * share))
        left = "" if left_s is None else f", {clock(left_s)} left"
        self.words.setText(f"{STAGES.get(stage, stage)}: epoch {epoch} of {epochs}{left}")

    def show_work(self, what: str, done: int, total: int, left_s: float) -> None:
        """What has no epochs, such as opening files."""
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round(_STEPS * done / total))
        self.words.setText(f"{what}: {done:,} of {total:,}, {clock(left_s)} left")

    def show_measuring(self) -> None:
        """A stage is done; what follows tells nothing of how far it is."""
        self.bar.setRange(0, 0)
        self.words.setText("Measuring, or preparing what comes next…")

    def show_stopping(self) -> None:
        self.bar.setRange(0, 0)
        self.words.setText("Stopping; what was learnt is being kept…")
        self.begin.setEnabled(False)

    def show_stopped(self) -> None:
        plan = self.form.plan()
        begun = plan is not None and plan.is_begun
        self._end(
            "Stopped. It goes on from its last epoch whenever you like."
            if begun
            else "Stopped before anything was learnt."
        )

    def show_failure(self, notice: Notice) -> None:
        self._end(f"{notice.text} {notice.hint}".strip())

    def show_finished(self, scores: Sequence[str], picture: Path | None) -> None:
        """``scores``: a line for each test, with its split."""
        told = "\n".join(scores) or "It was tested on nobody; its card tells what it was made of."
        self._end(f"Trained.\n{told}")
        shown = QPixmap(str(picture)) if picture is not None else QPixmap()
        if not shown.isNull():
            keep = Qt.AspectRatioMode.KeepAspectRatio
            smooth = Qt.TransformationMode.SmoothTransformation
            self.picture.setPixmap(shown.scaled(_PICTURE_SIZE, keep, smooth))
            self._pictures.setCurrentWidget(self.picture)
        self._show_made(True)

    def say(self, line: str) -> None:
        self.log.appendPlainText(line)

    def _end(self, words: str) -> None:
        self._runs = False
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(0)
        self.words.setText(words)
        self._look()

    def _show_made(self, made: bool) -> None:
        self.use.setVisible(made)
        self.card.setVisible(made)

    def _look(self) -> None:
        self.form.setEnabled(not self._runs)
        plan = self.form.plan()
        if self._runs:
            text, tip = "Stop", "Stop the training; it can go on later"
        elif plan is not None and plan.is_begun and not plan.is_finished:
            text, tip = "Go on", "Go on with the training in this folder"
        else:
            text, tip = "Start", "Train a model with these choices"
        self.begin.setText(text)
        self.begin.setToolTip(tip)
        self.begin.setAccessibleName(f"{text} training")
        self.begin.setEnabled(self._runs or plan is not None)

    def _begin_or_stop(self) -> None:
        if self._runs:
            self.stop_requested.emit()
        elif (plan := self.form.plan()) is not None:
            self.start_requested.emit(plan)
