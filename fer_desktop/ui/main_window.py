"""The window: lays the views out, turns what people do into signals, and knows nothing else.

Whoever owns the session connects the signals, feeds the views, and calls the methods where several
views change together; threads, devices and tensors stay on that side.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QInputDialog,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.settings import Mode, Settings
from fer_desktop.ui.card_dialog import show_card
from fer_desktop.ui.commands import COMMANDS, KeysAreTheirs, Page, make_actions
from fer_desktop.ui.file_page import FilePage
from fer_desktop.ui.icons import icon
from fer_desktop.ui.live_page import LivePage
from fer_desktop.ui.notice_bar import NoticeBar
from fer_desktop.ui.open_button import FileDrop, ask_for_file
from fer_desktop.ui.settings_dialog import SettingsDialog
from fer_desktop.ui.shortcuts_dialog import ShortcutsDialog
from fer_desktop.ui.status_line import StatusLine
from fer_desktop.ui.theme import DARK, SystemThemeWatcher, apply_theme, colours_of
from fer_desktop.ui.timeline import clock
from fer_desktop.ui.tool_row import State, ToolRow
from fer_desktop.ui.training_panel import TrainingPanel
from fer_desktop.ui.window_picture import save_picture

# What can be shown on the picture: the action, and its field in the settings and in the view.
_SHOWN = {
    "mirror": "mirror",
    "face": "show_face",
    "patches": "show_patches",
    "emotion": "show_emotion",
}


_PAGES: dict[Page | None, str] = {None: "Everywhere", "live": "Camera", "file": "A file"}


class MainWindow(QMainWindow):
    """Has two pages, the session's and a file's, under one row of tools."""

    start_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    record_requested = Signal(bool)  # to begin or to end a recording
    retry_requested = Signal(str)  # the notice's key
    refresh_requested = Signal()
    camera_chosen = Signal(str)  # id; also an address or a file that is not in the list
    microphone_chosen = Signal(str)  # id
    mode_chosen = Signal(str)
    face_clicked = Signal(float, float)  # in pixels of the unmirrored frame
    face_released = Signal()
    next_face_requested = Signal()
    open_requested = Signal(Path)  # a file
    batch_requested = Signal(list)  # of Path: several recordings, and folders with some
    live_requested = Signal()  # back from the file's page
    settings_changed = Signal(Settings)  # everything to remember, devices and mode included
    closing = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.state: State = "stopped"
        self.page: Page = "live"
        self.unavailable_devices: Mapping[str, str] = {}  # compute device -> why not
        self._model_text = "Loading the model…"  # until it is there
        self.setWindowTitle("Emotion recognition")
        self.setWindowIcon(icon("app"))
        self._actions = make_actions(self)
        self.tool_row = ToolRow(self._actions)
        self.notices = NoticeBar()
        self.live_page = page = LivePage(settings.smoothing)
        self.video, self.bars, self.timeline = page.video, page.bars, page.timeline
        self.level, self.smoothing = page.level, page.smoothing
        self.untrained = QLabel("Untrained model: predictions mean nothing")
        self.untrained.setProperty("warning", True)
        self.untrained.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.untrained.hide()
        self.file_page = FilePage(self._actions)
        self.status_line = StatusLine()
        self._drop = FileDrop(self)
        self._lay_out()
        self._connect()
        self._system_theme = SystemThemeWatcher(self)
        self._apply_settings()
        self.show_page("live")
        self.set_state("stopped")
        self.resize(1280, 720)

    @cached_property
    def training(self) -> TrainingPanel:
        """Lent to the settings' dialog. Built when first asked for: it takes 15 ms."""
        panel = TrainingPanel(self)
        panel.hide()
        return panel

    # What the window is told

    def set_cameras(self, cameras: Sequence[tuple[str, str]]) -> None:
        """(id, name) pairs; the remembered camera is selected if it is there."""
        self.tool_row.cameras.set_devices(cameras, self.settings.camera)

    def set_microphones(self, microphones: Sequence[tuple[str, str]]) -> None:
        self.tool_row.microphones.set_devices(microphones, self.settings.microphone)

    def camera(self) -> str | None:
        """Id of the camera selected."""
        return self.tool_row.cameras.current()

    def microphone(self) -> str | None:
        return self.tool_row.microphones.current()

    def command(self, name: str) -> QAction:
        """One of ``commands.COMMANDS``."""
        return self._actions[name]

    def show_page(self, page: Page, name: str = "") -> None:
        """The session's, or that of the file called ``name``; only its commands can be used."""
        self.page = page
        self._pages.setCurrentWidget(self.file_page if page == "file" else self.live_page)
        self.tool_row.show_page(page)
        self.tool_row.file.setText(name)
        self.status_line.show_figures(page == "live")
        self.setWindowTitle(f"{name} - Emotion recognition" if name else "Emotion recognition")
        for command in COMMANDS:
            if command.page is not None:
                self._actions[command.name].setEnabled(command.page == page)
        self._enable_session()
        self._centre.setFocus()

    def take(self, paths: Sequence[Path]) -> None:
        """One recording is shown, several or a folder are analysed in a list of their own."""
        if len(paths) == 1 and not os.path.isdir(paths[0]):
            self.open_requested.emit(paths[0])
        else:
            self.batch_requested.emit(list(paths))

    def use_model(self, folder: Path) -> None:
        """From now on that of ``folder`` answers."""
        self.change(model=str(folder))

    def remember_volume(self, volume: float) -> None:
        """Of files, 0 to 1."""
        self.change(volume=round(volume, 2))

    def set_state(self, state: State) -> None:
        before, self.state = self.state, state
        focused = QApplication.focusWidget()
        if focused in (self.tool_row.start, self.tool_row.pause, self.tool_row.stop):
            # A disabled button hands the focus to its neighbour: Space would then mean Stop.
            self._centre.setFocus()
        self._enable_session()
        self._actions["pause"].setText("Resume" if state == "paused" else "Pause")
        self.tool_row.pause.setAccessibleName(self._actions["pause"].text())
        self.tool_row.set_state(state)
        if state == "starting" or (before == "stopped" and state == "running"):
            self.timeline.clear()
        if state == "stopped":
            self.level.show_level(None)
            self.status_line.clear()
        if state == "paused":
            self.video.set_badges(("paused",))
        elif not (state == "running" and before == "paused"):
            self._explain()

    def _enable_session(self) -> None:
        live, state = self.page == "live", self.state
        for name, possible in (
            ("start", state == "stopped"),
            ("pause", state in ("running", "paused")),
            ("stop", state != "stopped"),
            ("record", state != "stopped"),
            ("refresh", state == "stopped"),  # the lists name what a session was begun with
        ):
            self._actions[name].setEnabled(live and possible)

    def set_model_state(
        self, text: str, untrained: bool, ready: bool = True, details: str = ""
    ) -> None:
        """What the status line says of the model; ``ready`` is False while it loads.

        ``details``: who taught it, which the tooltip adds.
        """
        self._model_text = "" if ready else text
        self.status_line.model.show_text(text, details)
        self.untrained.setVisible(untrained)
        if self.state != "running" or not self.video.has_frame():
            self._explain()
        elif not ready:
            self.bars.clear(text)
            self.video.set_emotion(None)

    def show_recording(
        self, elapsed_s: float | None, place: str = "", dropped: int = 0, paused: bool = False
    ) -> None:
        """How long the recording is and where it goes; None: nothing is recorded."""
        self._actions["record"].setChecked(elapsed_s is not None)
        text = "" if elapsed_s is None else clock(int(elapsed_s)) + (" paused" if paused else "")
        self.video.set_recording(text)
        self.status_line.show_recording(place, dropped)

    def forget_picture(self) -> None:
        """The camera is another or sends nothing: its last picture must not look like now."""
        self.live_page.forget_picture(self.state, self.settings.mode == "microphone")

    # How it is put together

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.live_page)
        self._pages.addWidget(self.file_page)
        self._centre = centre = QWidget()
        centre.setContentsMargins(10, 10, 10, 4)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.tool_row, self.notices, self.untrained):
            column.addWidget(part)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(centre)
        centre.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        centre.setFocus()
        self.setStatusBar(self.status_line)
        row = self.tool_row
        order: list[QWidget] = [row.start, row.pause, row.stop, row.record]
        order += [row.cameras, row.microphones, row.refresh, row.modes]
        order += [row.back, row.export, row.open, row.view, row.settings, row.help, self.smoothing]
        for first, second in itertools.pairwise(order):
            QWidget.setTabOrder(first, second)
        self._theirs = KeysAreTheirs(self)

    def _connect(self) -> None:
        does: dict[str, Callable[[], Any]] = {
            "start": self.start_requested.emit,
            "pause": self._pause_or_resume,
            "stop": self.stop_requested.emit,
            "retry": self._retry_all,
            "refresh": self.refresh_requested.emit,
            "next_face": self.next_face_requested.emit,
            "release": self._release,
            "look_closer": self.timeline.zoom_in,
            "look_wider": self.timeline.zoom_out,
            "look_back": partial(self.timeline.turn_page, -1),
            "look_on": partial(self.timeline.turn_page, 1),
            "newest": self.timeline.follow,
            "open": self._ask_for_file,
            "batch": lambda: self.batch_requested.emit([]),
            "live": self._leave_file,
            "theme": self._switch_theme,
            "full_screen": self._toggle_full_screen,
            "screenshot": self._save_picture,
            "settings": self._open_settings,
            "training": lambda: self._open_settings(training=True),
            "card": self._open_card,
            "shortcuts": self._open_shortcuts,
            "quit": self.close,
        }
        for name, do in does.items():
            self._actions[name].triggered.connect(lambda _checked=False, do=do: do())
        self._actions["record"].triggered.connect(self.record_requested)
        for name, field in _SHOWN.items():
            self._actions[name].triggered.connect(
                lambda checked, field=field: self.change(**{field: checked})
            )
        self.tool_row.cameras.picked.connect(self._pick_camera)
        self.tool_row.cameras.other_wanted.connect(self._ask_for_camera)
        self.tool_row.microphones.picked.connect(self._pick_microphone)
        self.tool_row.mode_picked.connect(self._pick_mode)
        self.smoothing.valueChanged.connect(lambda value: self.change(smoothing=value / 100))
        self.notices.retry.connect(self.retry_requested)
        self.tool_row.open.picked.connect(self.open_requested)
        self._drop.dropped.connect(self.take)
        self.video.clicked.connect(self.face_clicked)
        self.video.released.connect(self.face_released)

    # What people do

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)

    def _pause_or_resume(self) -> None:
        if self.state == "paused":
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()

    def _retry_all(self) -> None:
        for key in self.notices.retryable():
            self.retry_requested.emit(key)

    def _pick_camera(self, camera: str) -> None:
        self.change(camera=camera)
        self.camera_chosen.emit(camera)

    def _ask_for_camera(self) -> None:
        label = "Address (http://… or rtsp://…), or a video file:"
        text, agreed = QInputDialog.getText(self, "Network camera or file", label)
        if agreed and text.strip():
            self._pick_camera(text.strip())

    def _pick_microphone(self, microphone: str) -> None:
        self.change(microphone=microphone)
        self.microphone_chosen.emit(microphone)

    def _pick_mode(self, mode: Mode) -> None:
        self.change(mode=mode)
        self._explain_if_idle()
        self.mode_chosen.emit(mode)

    def _ask_for_file(self) -> None:
        if (path := ask_for_file(self)) is not None:
            self.open_requested.emit(path)

    def _leave_file(self) -> None:
        if self.isFullScreen():
            self._toggle_full_screen()
        else:
            self.live_requested.emit()

    def _release(self) -> None:
        if self.isFullScreen():
            self._toggle_full_screen()
        else:
            self.face_released.emit()

    def _switch_theme(self) -> None:
        self.change(theme="light" if colours_of(self) is DARK else "dark")

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        self._actions["full_screen"].setChecked(self.isFullScreen())

    def _save_picture(self) -> None:
        self.notices.show_notice(save_picture(self))

    def _open_settings(self, training: bool = False) -> None:
        dialog = SettingsDialog(self.settings, self.unavailable_devices, self.training, self)
        self.settings_changed.connect(dialog.take_over)
        if training:
            dialog.show_training()
        if dialog.exec():
            self.change(**dataclasses.asdict(dialog.chosen()))
        dialog.deleteLater()

    def _open_card(self) -> None:
        self.notices.clear("card")
        notice = show_card(self.settings.model_folder, self)
        if notice is not None:
            self.notices.show_notice(notice)

    def _open_shortcuts(self) -> None:
        groups = {
            heading: [self._actions[c.name] for c in COMMANDS if c.page == page]
            for page, heading in _PAGES.items()
        }
        ShortcutsDialog(groups, self).exec()

    def change(self, **fields: Any) -> None:
        """Take over changed settings, show them, and say so once."""
        changed = dataclasses.replace(self.settings, **fields)
        if changed != self.settings:
            self.settings = changed
            self._apply_settings()
            self.settings_changed.emit(changed)

    def _apply_settings(self) -> None:
        settings, app = self.settings, QApplication.instance()
        self._system_theme.theme = settings.theme
        if isinstance(app, QApplication):
            apply_theme(app, settings.theme)
        for name, field in _SHOWN.items():
            shown = getattr(settings, field)
            self._actions[name].setChecked(shown)
            setattr(self.video, field, shown)
        self.video.update()
        self.file_page.video.show_face = settings.show_face
        self.file_page.video.show_emotion = settings.show_emotion
        self.file_page.video.update()
        self.file_page.timeline.set_smoothing(settings.smoothing)
        self.smoothing.blockSignals(True)
        self.smoothing.setValue(round(settings.smoothing * 100))
        self.smoothing.blockSignals(False)
        self.tool_row.set_mode(settings.mode)

    # What the window says of itself

    def _explain_if_idle(self) -> None:
        if self.state == "stopped" or not self.video.has_frame():
            self._explain()

    def _explain(self) -> None:
        listens_only = self.settings.mode == "microphone"
        self.live_page.explain(self.state, self._model_text, listens_only)
