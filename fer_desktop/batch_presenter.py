"""Between the list of recordings and the process that analyses them; runs on the GUI thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from fer_desktop.batch.batch_process import BatchProcess, Done, Listed, Step
from fer_desktop.batch.plan import BatchPlan
from fer_desktop.errors import Notice
from fer_desktop.settings import Settings
from fer_desktop.ui.batch_dialog import BatchDialog
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.timeline import clock

_NAME = "batch"  # of its notices and its place in the status line


class BatchPresenter(QObject):
    """Also tells the window how it goes while the list is closed."""

    def __init__(self, window: MainWindow, analysed: dict[Path, Path]) -> None:
        """``analysed`` takes the JSON of each file that the window's model has analysed."""
        super().__init__(window)
        self.analysed = analysed
        self._settings = window.settings
        self._window = window
        self.dialog = dialog = BatchDialog(window)
        self.process = process = BatchProcess(self)
        self._plan: BatchPlan | None = None
        self._lengths: dict[Path, float] = {}  # seconds; of one that is done: none any more
        self._whole_s = 0.0
        self._step: Step | None = None
        self._done = self._failed = 0
        dialog.start_requested.connect(self.start)
        dialog.stop_requested.connect(self._stop)
        dialog.open_requested.connect(self._open)
        process.listed.connect(self._on_listed)
        process.stepped.connect(self._on_step)
        process.done.connect(self._on_done)
        process.finished.connect(self._on_finished)
        process.stopped.connect(self._on_stopped)
        process.failed.connect(self._on_failed)
        window.settings_changed.connect(self._on_settings)

    def show(self, paths: Sequence[Path]) -> None:
        """The list, with ``paths`` added to it."""
        self.dialog.add(paths)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def start(self, plan: BatchPlan) -> None:
        """Begin, or go on, with the model and the device of the window's settings."""
        settings = self._window.settings
        self._plan = dataclasses.replace(plan, model=settings.model_folder, device=settings.device)
        self._on_listed(())
        self._window.notices.clear(_NAME)
        self.dialog.show_preparing()
        self._say("looking for recordings")
        self.process.start(self._plan)

    def close(self) -> None:
        """The program ends; what is done stays."""
        self.process.close()

    def _on_settings(self, settings: Settings) -> None:
        """Another model has answered nothing yet."""
        if settings.model != self._settings.model:
            self.analysed.clear()
        self._settings = settings

    def _stop(self) -> None:
        self.dialog.show_stopping()
        self.process.stop()

    def _open(self, path: Path) -> None:
        self._window.open_requested.emit(path)
        self._window.raise_()
        self._window.activateWindow()

    def _on_listed(self, files: Sequence[Listed]) -> None:
        self._lengths = {file.path: file.duration_s for file in files}
        self._whole_s = sum(self._lengths.values())
        self._step = None
        self._done = self._failed = 0
        if files:
            self.dialog.show_files(files)

    def _on_step(self, step: Step) -> None:
        self._step = step
        self.dialog.show_step(step)
        self._show_progress(step.seconds_left)

    def _on_done(self, done: Done) -> None:
        self._done += 1
        self._failed += done.error is not None
        self._lengths[done.path] = 0.0
        self._step = None
        self.dialog.show_done(done)
        plan, model = self._plan, self._window.settings.model_folder
        if done.document is not None and plan is not None and plan.model == model:
            self.analysed[done.path] = done.document
        if not self.process.stops:
            self._show_progress(done.seconds_left)

    def _show_progress(self, left_s: float | None) -> None:
        left = "" if left_s is None else f", {clock(left_s)} left"
        words = f"{self._count()}{left}"
        open_s = sum(self._lengths.values())
        if self._step is not None:
            open_s -= self._step.share * self._lengths[self._step.path]
        self.dialog.show_progress(words, 1 - open_s / self._whole_s if self._whole_s else 0.0)
        self._say(words)

    def _count(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._done} of {len(self._lengths)} recordings{failed}"

    def _on_finished(self) -> None:
        assert self._plan is not None
        words = f"Done: {self._count()}. The results are in {self._plan.out}."
        self._end(words)
        self._tell(Notice(_NAME, words, severity="warning" if self._failed else "info"))

    def _on_stopped(self) -> None:
        self._end(f"Stopped: {self._count()}. What is done stays.", stopped=True)

    def _on_failed(self, notice: Notice) -> None:
        self._end(f"{notice.text} {notice.hint}".strip(), stopped=True)
        self._tell(dataclasses.replace(notice, key=_NAME))

    def _end(self, words: str, stopped: bool = False) -> None:
        self.dialog.show_end(words, stopped)
        self._window.status_line.show_work(_NAME, "")

    def _say(self, words: str) -> None:
        self._window.status_line.show_work(_NAME, f"Analysing: {words}")

    def _tell(self, notice: Notice) -> None:
        """Where the list may be closed."""
        if not self.dialog.isVisible():
            self._window.notices.show_notice(notice)
