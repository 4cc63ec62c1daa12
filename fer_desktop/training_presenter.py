"""Between the panel that shows a training and the process that does it; runs on the GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject

from fer_core.errors import UserError
from fer_desktop.errors import Notice
from fer_desktop.settings import Settings
from fer_desktop.training.plan import TrainingPlan, last_plan, remember
from fer_desktop.training.scores import scores_of
from fer_desktop.training.training_process import Progress, TrainingProcess, Work
from fer_desktop.ui.card_dialog import show_card
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.timeline import clock
from fer_desktop.ui.training_panel import STAGES


class TrainingPresenter(QObject):
    """Also tells the window how it goes while its dialog is closed."""

    def __init__(self, window: MainWindow, process: TrainingProcess | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._panel = panel = window.training
        self.process = process = process or TrainingProcess(self)
        self._plan: TrainingPlan | None = None
        self._validated: dict[str, float] = {}  # figures of the last validation
        panel.start_requested.connect(self.start)
        panel.stop_requested.connect(self._stop)
        panel.use_requested.connect(self._use)
        panel.card_requested.connect(self._show_card)
        process.progress.connect(self._on_progress)
        process.worked.connect(self._on_work)
        process.said.connect(panel.say)
        process.finished.connect(self._on_finished)
        process.stopped.connect(self._on_stopped)
        process.failed.connect(self._on_failed)
        window.settings_changed.connect(self._offer_models)
        self._offer_models(window.settings)
        self._show_last()

    def start(self, plan: TrainingPlan) -> None:
        """Begin, or go on with what was begun in the plan's folder."""
        self._plan = plan
        self._validated = {}
        remember(plan)
        self._window.notices.clear("training")
        self._panel.show_preparing()
        self._window.status_line.show_work("training", "Training: reading the recordings")
        self.process.start(plan)

    def close(self) -> None:
        """The program ends; a training goes on at its next start, if that is wanted."""
        self.process.close()

    def _show_last(self) -> None:
        """What an earlier start of the program left unfinished can go on."""
        plan = last_plan()
        if plan is not None and plan.is_begun and not plan.is_finished:
            self._panel.form.show_plan(plan)
            self._panel.show_begun()

    def _offer_models(self, settings: Settings) -> None:
        self._panel.form.offer_models(settings.model_folder, settings.device)

    def _stop(self) -> None:
        self._panel.show_stopping()
        self.process.stop()

    def _on_progress(self, progress: Progress) -> None:
        if progress.ends_epoch:
            # Not every epoch is validated; those between repeat the last one's figures.
            new = progress.metrics if progress.metrics != self._validated else {}
            self._validated = progress.metrics
            self._panel.curves.append(progress.loss, new.get("val_loss"), new.get("val_uar"))
        if progress.step >= progress.steps:
            self._panel.show_measuring()
            self._window.status_line.show_work("training", "Training: measuring")
            return
        self._panel.show_progress(
            progress.stage, progress.epoch + 1, progress.epochs,
            progress.step / progress.steps, progress.seconds_left,
        )  # fmt: skip
        left = progress.seconds_left
        what = STAGES.get(progress.stage, progress.stage).lower()
        self._window.status_line.show_work(
            "training",
            f"Training: {what}, epoch {progress.epoch + 1} of {progress.epochs}"
            + ("" if left is None else f", {clock(left)} left"),
        )

    def _on_work(self, work: Work) -> None:
        self._panel.show_work(work.what, work.done, work.total, work.seconds_left)
        self._window.status_line.show_work(
            "training", f"Training: {work.what[0].lower()}{work.what[1:]}"
        )

    def _on_finished(self) -> None:
        assert self._plan is not None
        try:
            scores = scores_of(self._plan.run)
        except UserError as error:
            self._on_failed(Notice("training", error.text, error.hint))
            return
        picture = self._plan.model / "confusion.png"
        self._panel.show_finished(
            [score.as_text() for score in scores], picture if picture.exists() else None
        )
        self._panel.form.propose_another_folder()
        self._tell(Notice("training", "The training is done.", _SEE, "info"))

    def _on_stopped(self) -> None:
        self._panel.show_stopped()
        self._window.status_line.show_work("training", "")

    def _on_failed(self, notice: Notice) -> None:
        self._panel.show_failure(notice)
        self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        """Where the dialog may be closed."""
        self._window.status_line.show_work("training", "")
        self._window.notices.show_notice(notice)

    def _use(self) -> None:
        if self._plan is not None:
            self._window.use_model(self._plan.model)

    def _show_card(self) -> None:
        if self._plan is None:
            return
        notice = show_card(self._plan.model, self._panel)
        if notice is not None:
            self._panel.say(notice.text)


_SEE = "Settings, Training has its scores and lets you use it."
