"""The program while it runs: everything is wired here, in the order in which it appears.

The window is shown first. What is slow to import comes after its first paint: OpenCV and MediaPipe
with the session, torch on the inference thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer, Signal
from PySide6.QtWidgets import QApplication, QDialog

from fer_desktop.command_line import settings_for
from fer_desktop.errors import Notice, catch_everything, keep_terminal_quiet, write_log_file
from fer_desktop.live.report import Report
from fer_desktop.live.statistics import Statistics
from fer_desktop.playback.recent_files import RecentFiles
from fer_desktop.settings import Settings, load_settings, put_aside, save_settings, settings_path
from fer_desktop.ui.end_recording import EndRecordingQuestion
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.privacy_dialog import PrivacyDialog

if TYPE_CHECKING:
    from fer_desktop.batch_presenter import BatchPresenter
    from fer_desktop.file_presenter import FilePresenter
    from fer_desktop.live_presenter import LivePresenter
    from fer_desktop.recording_presenter import RecordingPresenter
    from fer_desktop.training_presenter import TrainingPresenter


def run(options: Namespace) -> int:
    """Show the window until it is closed; returns the exit status.

    Raises:
        UserError: the report cannot be written.
    """
    write_log_file()
    keep_terminal_quiet()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("fer-desktop")
    program = Program(options)
    close_on_signals(program.window)
    program.window.show()
    app.exec()
    if threading.active_count() > 1:
        # A thread inside an import or a driver cannot be interrupted, and would abort the process
        # when Python ends around it. Everything is written; leave without looking back.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(program.status)
    return program.status


def close_on_signals(window: MainWindow) -> None:
    """Ctrl-C and kill close the window as its own button does, at once.

    Python runs a signal's handler when it runs next, which in an idle Qt program is never, and then
    between any two steps, perhaps with a lock held that closing needs. So the interpreter writes
    to a socket instead, and Qt's event loop closes the window.
    """
    waking, woken = socket.socketpair()
    for end in (waking, woken):
        end.setblocking(False)
    signal.set_wakeup_fd(waking.detach(), warn_on_full_buffer=False)
    bell = QSocketNotifier(woken.fileno(), QSocketNotifier.Type.Read, window)

    def answer() -> None:
        with contextlib.suppress(BlockingIOError):
            woken.recv(64)
        window.close()

    bell.activated.connect(answer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


class Program(QObject):
    """The window at once, everything else after its first paint, and the end."""

    _unexpected = Signal(object)  # Notice, from any thread

    def __init__(self, options: Namespace) -> None:
        super().__init__()
        self._options = options
        self._report = Report(options.report, Statistics().as_json()) if options.report else None
        self.live: LivePresenter | None = None
        self._recording: RecordingPresenter | None = None
        self.files: FilePresenter | None = None  # once a file was opened
        self._analysed: dict[Path, Path] = {}  # recordings, and the JSON of each
        self._batch: BatchPresenter | None = None  # once several were to be analysed
        self.training: TrainingPresenter | None = None
        self._recent = RecentFiles()
        self._closed = False
        self.status = 0  # of the process
        self._damages: list[Notice] = []  # of the settings
        self._kept = _load_settings(Settings(), self._damages.append)
        self._settings = settings_for(options, self._kept)  # as this window has them
        self._unsaved: dict[str, Any] = {}
        self.window = MainWindow(self._settings)
        self.window.tool_row.open.offer(self._recent)
        self.window.settings_changed.connect(self._keep_settings)
        self.window.open_requested.connect(self._open)
        self.window.batch_requested.connect(self._analyse_several)
        self.window.closing.connect(self._close)
        self.window.installEventFilter(self)
        self._unexpected.connect(self._show)
        catch_everything(self._unexpected.emit)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._begin)
        return False

    def _begin(self) -> None:
        options, window = self._options, self.window
        if self._closed:
            return
        if options.exit_after is not None:
            QTimer.singleShot(round(options.exit_after * 1000), window.close)
        by_itself = options.demo or options.exit_after is not None
        if not (self._kept.agreed or by_itself):
            if not PrivacyDialog(window).exec():
                window.close()
                return
            self._keep_settings(dataclasses.replace(window.settings, agreed=True))
        # Imported here because OpenCV and MediaPipe take half a second.
        from fer_desktop.capture.camera import is_address
        from fer_desktop.live.sources import Sources
        from fer_desktop.live_presenter import LivePresenter
        from fer_desktop.recording_presenter import RecordingPresenter
        from fer_desktop.training_presenter import TrainingPresenter

        named_camera = None if options.camera == "none" else options.camera
        if named_camera is None and is_address(self._kept.camera or ""):
            named_camera = self._kept.camera  # no list shows a network camera
        named_microphone = None if options.microphone == "none" else options.microphone
        sources = Sources(options.demo, named_camera, named_microphone)
        self.live = LivePresenter(window, sources, self._report)
        self._recording = recording = RecordingPresenter(window, self.live.session)
        recording.recorded.connect(self._recent.add)
        self.training = TrainingPresenter(window)
        if options.record:
            recording.record(True)
        for notice in self._damages:
            self._show(notice)
        self.live.load_model()
        self.live.find_devices()
        if options.files:
            window.take(options.files)
        elif by_itself:
            self.live.start()

    def _open(self, path: Path) -> None:
        """Play a file in place of the session; a recording is not ended unasked."""
        if self._recording is not None and self._recording.goes_on:
            question = EndRecordingQuestion(path.name, self.window)
            question.accepted.connect(partial(self._play, path))
            question.show()
        else:
            self._play(path)

    def _play(self, path: Path) -> None:
        if self.live is None:
            return  # the notice of the first start is not yet agreed to
        self.live.stop()
        if self.files is None:
            # Imported here because Qt Multimedia and FFmpeg take a while.
            from fer_desktop.file_presenter import FilePresenter

            self.files = FilePresenter(self.window, self._recent, self._analysed)
        self.files.open(path)

    def _analyse_several(self, paths: list[Path]) -> None:
        """Recordings and folders, beside whatever else goes on."""
        if self.live is None:
            return  # as above
        if self._batch is None:
            from fer_desktop.batch_presenter import BatchPresenter

            self._batch = BatchPresenter(self.window, self._analysed)
        self._batch.show(paths)

    def _keep_settings(self, settings: Settings) -> None:
        """What was changed here; the rest may have been changed in another window since."""
        before, self._settings = self._settings, settings
        self.window.settings = settings
        now = dataclasses.asdict(settings)
        self._unsaved |= {name: now[name] for name in now if now[name] != getattr(before, name)}
        kept = _load_settings(self._kept, self._show)
        try:
            self._kept = dataclasses.replace(kept, **self._unsaved)
            save_settings(self._kept, settings_path())
            self._unsaved.clear()
        except OSError as error:
            self._show(
                Notice(
                    "settings",
                    f"Settings cannot be saved ({error.strerror}).",
                    f"They hold until you close the window. Make {settings_path()} writable.",
                    severity="warning",
                )
            )

    def _show(self, notice: Notice) -> None:
        if self.live is not None:
            self.live.show_notice(notice)
        else:
            self.window.notices.show_notice(notice)

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        picture = self._options.screenshot
        if picture is not None and not self.window.grab().save(str(picture)):
            print(f"fer-desktop: the picture {picture} could not be written", file=sys.stderr)
            self.status = 1
        for dialog in self.window.findChildren(QDialog):
            dialog.reject()  # an open one would keep the program alive
        self.window.hide()  # what follows may take a while, and needs nobody
        if self.live is not None:
            self.live.close()  # first: nobody is seen or heard, let alone recorded, unawares
        for process in (self.training, self._batch):
            if process is not None:
                process.close()
        if self.files is not None:
            self.files.close()


def _load_settings(instead: Settings, tell: Callable[[Notice], None]) -> Settings:
    """``instead`` of damaged ones, which are put aside before anything takes their place."""
    path = settings_path()
    damages: list[str] = []
    kept = load_settings(path, damages.append)
    for text in damages:
        aside = put_aside(path)
        hint = "The defaults hold." if aside is None else f"They are now in {aside}."
        tell(Notice("settings", text, hint, severity="warning"))
    return instead if damages else kept
