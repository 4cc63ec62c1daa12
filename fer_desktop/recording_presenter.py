"""Between the window's Record button and the session's recorder; runs on the GUI thread."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from fer_core.resources import bundled_model
from fer_desktop.live.inference_thread import ModelState
from fer_desktop.live.recorded_results import ModelAnswering
from fer_desktop.live.session import LiveSession
from fer_desktop.settings import recordings_folder
from fer_desktop.ui.main_window import MainWindow

LOOK_MS = 200
PATIENCE_SECONDS = 10.0  # with a device that neither delivers nor fails; others wait for it


class RecordingPresenter(QObject):
    """Begins when all devices deliver, and shows how long the recording is and where it goes."""

    recorded = Signal(Path)  # a video; its last second may still be on its way to the disk

    def __init__(self, window: MainWindow, session: LiveSession) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._wanted = False  # asked for, and not begun yet
        self._in_session = False  # when it was asked for
        self._video: Path | None = None  # of the recording that goes on
        self._ready_since_s: float | None = None  # at least one device delivers
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._on_look)
        window.record_requested.connect(self.record)
        window.stop_requested.connect(lambda: self.record(False))
        session.model_loaded.connect(self._on_model)

    @property
    def goes_on(self) -> bool:
        """Whether something is recorded, be it paused."""
        return self._session.recorder.status(time.monotonic()) is not None

    def record(self, wanted: bool) -> None:
        """Record from now on, or from when the session has begun; or end the recording."""
        self._wanted, self._ready_since_s = wanted, None
        self._in_session = self._window.state != "stopped"
        if wanted:
            self._window.notices.clear("recording")  # of the last one: where it is, or why it ended
        else:
            self._session.recorder.end(time.monotonic())
        self._look.start()
        self._on_look()

    def _on_look(self) -> None:
        if self._wanted and self._window.state == "running" and self._is_ready():
            self._wanted = False
            self._session.record(recordings_folder(self._window.settings))
        elif self._window.state == "stopped" and self._in_session:
            self._wanted = False  # the next session was not meant
        status = self._session.recorder.status(time.monotonic())
        before, self._video = self._video, None if status is None else status.video
        if before is not None and before != self._video and before.exists():
            self.recorded.emit(before)
        if status is not None:
            self._window.show_recording(
                status.elapsed_s, str(status.video.parent), status.frames_dropped, status.paused
            )
        elif not self._wanted:
            self._window.show_recording(None)
            self._look.stop()

    def _is_ready(self) -> bool:
        """What delivers now decides what the file holds."""
        session, now = self._session, time.monotonic()
        seen = session.recent.newest() is not None
        heard = session.recent.audio_until is not None
        if not seen and not heard:
            return False
        if self._ready_since_s is None:
            self._ready_since_s = now
        # If it comes later after all, it begins another file.
        no_camera = session.camera is None or session.camera.fails
        no_microphone = session.microphone is None or session.microphone.fails
        complete = (seen or no_camera) and (heard or no_microphone)
        return complete or now - self._ready_since_s > PATIENCE_SECONDS

    def _on_model(self, state: ModelState) -> None:
        folder = self._window.settings.model_folder or bundled_model()
        if folder.is_dir():  # else random weights stand in, which no timeline need name
            self._session.recorder.use_model(ModelAnswering(state.config, folder))
