"""Between the window, which knows no threads, and the session, which knows no views.

Runs on the GUI thread. Frames are polled, predictions arrive as queued signals; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.prediction import Prediction
from fer_core.preprocess.framing import framing_square, patch_rectangles
from fer_desktop.capture.camera import Camera
from fer_desktop.capture.microphone import Microphone
from fer_desktop.errors import Notice
from fer_desktop.live.inference_thread import ModelState
from fer_desktop.live.model import open_model
from fer_desktop.live.recent_media import SeenFrame
from fer_desktop.live.report import Report
from fer_desktop.live.session import LiveSession
from fer_desktop.live.smoothing import Smoothing
from fer_desktop.live.sources import Sources
from fer_desktop.live.statistics import Statistics
from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow

PREVIEW_MS = 33
STATUS_MS = 500


class LivePresenter(QObject):
    """Shows what a session does and does with it what people ask for."""

    settings_changed = Signal(object)  # Settings, to be kept

    def __init__(self, window: MainWindow, sources: Sources, report: Report | None = None) -> None:
        super().__init__(window)
        self.window = window
        self._sources = sources
        self.session = LiveSession(self)
        self.statistics = Statistics()
        self._report = report
        self._smoothing = Smoothing(window.settings.smoothing)
        self._config: FERConfig | None = None
        self._newest: SeenFrame | None = None
        self._prediction: Prediction | None = None
        self._preview = QTimer(self, interval=PREVIEW_MS, timerType=Qt.TimerType.PreciseTimer)
        self._preview.timeout.connect(self._poll)
        self._status = QTimer(self, interval=STATUS_MS)
        self._status.timeout.connect(self._show_status)
        self._status.start()  # always: it also lets Python see Ctrl-C
        self._settings = window.settings
        self._reasons: dict[str, str] = {}  # why no camera, no microphone could be listed

        session = self.session
        session.model_loaded.connect(self._on_model)
        session.predicted.connect(self._on_prediction)
        session.nothing_present.connect(self._on_nothing)
        session.noticed.connect(self.show_notice)
        session.cleared.connect(window.clear_notice)
        window.start_requested.connect(self.start)
        window.pause_requested.connect(self._pause)
        window.resume_requested.connect(self._resume)
        window.stop_requested.connect(self.stop)
        window.retry_requested.connect(self._retry)
        window.refresh_requested.connect(self.find_devices)
        window.camera_chosen.connect(self._restart)
        window.microphone_chosen.connect(self._restart)
        window.mode_chosen.connect(self._restart)
        window.face_clicked.connect(session.lock_face)
        window.face_released.connect(session.tracker.unlock)
        window.settings_changed.connect(self._on_settings)

    def load_model(self) -> None:
        """Begin to load the model of the settings; the session may start meanwhile."""
        settings = self.window.settings
        folder = Path(settings.model) if settings.model else None
        self._config = None
        self.window.set_model_state("Loading the model…", untrained=False, ready=False)
        self.window.set_device("")
        self.session.use_model(lambda: open_model(folder, settings.device))

    def find_devices(self) -> None:
        """List cameras and microphones by name; what was chosen stays chosen."""
        cameras = self._sources.find_cameras()
        self.window.set_cameras([(device.id, device.name) for device in cameras.devices])
        idle = self.session.microphone is None
        microphones = self._sources.find_microphones(rescan=idle)
        self.window.set_microphones([(device.id, device.name) for device in microphones.devices])
        self._reasons = {"camera": cameras.reason, "microphone": microphones.reason}

    def start(self) -> None:
        """Begin a session with the devices and the mode that are chosen; with one, if one fails."""
        window = self.window
        for key in ("camera", "microphone", "inference"):
            window.clear_notice(key)
        camera, microphone = self._camera(), self._microphone()
        if camera is None and microphone is None:
            self.stop()
            return
        self.statistics = Statistics(self.statistics.model, self.statistics.device)
        self._forget()
        window.set_state("starting")
        self.session.start(camera, microphone)
        self._preview.start()

    def _camera(self) -> Camera | None:
        if self.window.settings.mode == "microphone":
            return None
        try:
            return self._sources.camera(self.window.camera())
        except UserError as error:
            self._tell_missing("camera", error)
            return None

    def _microphone(self) -> Microphone | None:
        if self.window.settings.mode == "camera":
            return None
        try:
            return self._sources.microphone(self.window.microphone())
        except UserError as error:
            self._tell_missing("microphone", error)
            return None

    def _tell_missing(self, key: str, error: UserError) -> None:
        """The list's own reason says more: a library is missing, a driver failed."""
        text = self._reasons.get(key) or error.text
        self.show_notice(Notice(key, text, error.hint, retry=True))

    def stop(self) -> None:
        self._preview.stop()
        self.session.stop()
        self._forget()
        self.window.set_state("stopped")

    def close(self) -> None:
        """End the session and complete the report; takes 2 s at most."""
        self._preview.stop()
        self._status.stop()
        self._count_losses()
        self._write(lambda report: report.close(self.statistics.as_json()))
        self.session.close()

    def show_notice(self, notice: Notice) -> None:
        self.window.show_notice(notice)
        if notice.severity != "info":
            self._write(lambda report: report.note(notice.text))

    # From the session

    def _poll(self) -> None:
        """The newest frame and the level, 30 times a second; draws only what is new."""
        recent, window = self.session.recent, self.window
        seen = recent.newest()
        if window.state == "starting" and (seen is not None or recent.audio_until is not None):
            window.set_state("running")
        if seen is not None and seen is not self._newest:
            before = self._newest.frame.index if self._newest is not None else seen.frame.index
            new = max(seen.frame.index - before, 1)  # a camera opened again counts anew
            self.statistics.frame_drawn(time.monotonic(), seen.frame.time_s, new)
            self._newest = seen
            self._draw(seen)
        window.show_level(recent.audio_level(time.monotonic()))

    def _draw(self, seen: SeenFrame) -> None:
        image, face, prediction = seen.frame.image, seen.face, self._prediction
        patches: tuple[tuple[float, float, float, float], ...] = ()
        if face is not None and prediction is not None and self._config is not None:
            square = framing_square(face, image.shape, self._config.vision)
            patches = patch_rectangles(square, prediction.kept_patches)
        self.window.show_frame(image, face, seen.others, patches, self.session.tracker.locked)

    def _on_prediction(self, prediction: Prediction) -> None:
        if self.window.state not in ("starting", "running"):
            return  # it was on its way when the session ended
        scores = self._smoothing.update(prediction)
        self._prediction = prediction
        self.window.set_state("running")
        self.window.show_prediction(prediction, scores.window, scores.segments)
        self.statistics.prediction_drawn(self.session.now(), prediction.clip_end_s)
        self._count_losses()
        self._write(lambda report: report.add(prediction, self.statistics.as_json()))

    def _on_nothing(self, clip_end_s: float) -> None:
        if self.window.state in ("starting", "running"):
            self._smoothing.reset()
            self._prediction = None
            self.window.show_no_prediction(clip_end_s)

    def _on_model(self, state: ModelState) -> None:
        config = self._config = state.config
        self.statistics.model, self.statistics.device = config.name, state.device
        trained = config.trained_on or "untrained"
        self.window.set_model_state(f"{config.name} · {trained}", untrained=not config.trained_on)
        self.window.set_device(state.device)
        self.window.unavailable_devices = state.unavailable

    def _show_status(self) -> None:
        if self.window.state in ("starting", "running", "paused"):
            self._count_losses()
            now, statistics = time.monotonic(), self.statistics
            self.window.show_statistics(
                statistics.camera.per_second(now),
                statistics.predictions.per_second(self.session.now()),
                statistics.latency_ms,
                statistics.frames_dropped + statistics.clips_skipped + statistics.audio_overflows,
            )

    def _count_losses(self) -> None:
        self.statistics.clips_skipped = self.session.clips_skipped
        self.statistics.audio_overflows = self.session.recent.audio_losses

    # From the window

    def _pause(self) -> None:
        self.session.pause()
        self.window.set_state("paused")

    def _resume(self) -> None:
        self._smoothing.reset()
        self.session.resume()
        self.window.set_state("running")

    def _restart(self) -> None:
        """Devices or mode were changed: a session that runs goes on with them."""
        if self.window.state != "stopped":
            self.start()

    def _retry(self, key: str) -> None:
        opened = {"camera": self.session.camera, "microphone": self.session.microphone}
        if key in opened and opened[key] is None:
            self.find_devices()
            self.start()
        else:
            self.session.retry(key)

    def _on_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        self._smoothing.strength = settings.smoothing
        if (settings.model, settings.device) != (before.model, before.device):
            self.load_model()
        self.settings_changed.emit(settings)

    def _forget(self) -> None:
        self._newest = self._prediction = None
        self._smoothing.reset()

    def _write(self, what: Callable[[Report], None]) -> None:
        """Do something with the report, if there is one; a full disk ends the report alone."""
        if self._report is None:
            return
        try:
            what(self._report)
        except UserError as error:
            self._report = None
            self.window.show_notice(Notice("report", error.text, error.hint))
