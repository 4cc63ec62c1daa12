"""Between the window, which knows no threads, and the session, which knows no views.

Runs on the GUI thread. Frames are polled, predictions arrive as queued signals; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.prediction import Prediction
from fer_core.preprocess.framing import framing_square, patch_rectangles
from fer_core.training.provenance import corpora_in
from fer_desktop.capture import permission
from fer_desktop.capture.camera import Camera
from fer_desktop.capture.devices import Found
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

PREVIEW_MS = 16  # half a frame: polling at the camera's own pace beats against it and loses frames
STATUS_MS = 500
OUTDATED_SECONDS = 2.0  # a picture older than that is no longer what happens
SEARCH_MS = 5000  # to wait for the list of microphones before a session begins without it
NOTHING_FOUND = Found((), "The sound system does not answer.", "Restart it and press Retry.")


class LivePresenter(QObject):
    """Shows what a session does and does with it what people ask for."""

    def __init__(
        self,
        window: MainWindow,
        sources: Sources,
        report: Report | None = None,
        session: LiveSession | None = None,
    ) -> None:
        super().__init__(window)
        self.window = window
        self._sources = sources
        self.session = session or LiveSession(self)
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
        self._settings = window.settings
        self._found = {"camera": Found(()), "microphone": Found(())}
        self._once_found: Callable[[], None] | None = None  # waits for the list of microphones
        self._patience = QTimer(self, interval=SEARCH_MS, singleShot=True)
        self._patience.timeout.connect(lambda: self._on_microphones(NOTHING_FOUND))

        session = self.session
        session.model_loaded.connect(self._on_model)
        session.predicted.connect(self._on_prediction)
        session.nothing_present.connect(self._on_nothing)
        session.microphones_found.connect(self._on_microphones)
        session.noticed.connect(self._on_notice)
        session.cleared.connect(window.notices.clear)
        window.start_requested.connect(self.start)
        window.pause_requested.connect(self._pause)
        window.resume_requested.connect(self._resume)
        window.stop_requested.connect(self.stop)
        window.retry_requested.connect(self._retry)
        window.refresh_requested.connect(self.find_devices)
        window.camera_chosen.connect(self._change_camera)
        window.microphone_chosen.connect(self._change_microphone)
        window.mode_chosen.connect(self._change_mode)
        window.face_clicked.connect(session.lock_face)
        window.face_released.connect(session.tracker.unlock)
        window.next_face_requested.connect(self._follow_next)
        window.settings_changed.connect(self._on_settings)

    def load_model(self) -> None:
        """Begin to load the model of the settings; the session may start meanwhile."""
        settings = self.window.settings
        self._config = None
        self._forget_prediction()
        self._say_loading()
        self.window.notices.clear("inference")
        self.session.use_model(lambda: open_model(settings.model_folder, settings.device))

    def _say_loading(self) -> None:
        self.window.notices.clear("model")
        self.window.set_model_state("Loading the model…", untrained=False, ready=False)
        self.window.status_line.device.setText("")

    def find_devices(self) -> None:
        """List cameras and microphones by name; what was chosen stays chosen."""
        self._list_cameras()
        self._list_microphones()

    def _list_cameras(self) -> None:
        found = self._found["camera"] = self._sources.find_cameras()
        self.window.set_cameras([(device.id, device.name) for device in found.devices])

    def _list_microphones(self) -> None:
        self.session.find_microphones(self._sources.find_microphones)

    def _on_microphones(self, found: Found) -> None:
        self._found["microphone"] = found
        self.window.set_microphones([(device.id, device.name) for device in found.devices])
        self._patience.stop()
        then, self._once_found = self._once_found, None
        if then is not None:
            then()

    def start(self) -> None:
        """Begin a session with the devices and the mode that are chosen; with one, if one fails."""
        window = self.window
        self._clear_notices()
        self._forget()
        window.set_state("starting")
        permission.ask_once(self, self._begin_when_found)

    def _begin_when_found(self) -> None:
        if self.window.state != "starting":
            return  # stopped while the system asked for permission
        if self.window.settings.mode == "camera":
            self._begin()
        else:
            self._when_found(self._begin)

    def _when_found(self, then: Callable[[], None]) -> None:
        """Do it at once, or when the microphones that are being looked for are listed."""
        if self.session.searching:
            self._once_found = then
            self._patience.start()
        else:
            then()

    def _begin(self) -> None:
        camera, microphone = self._camera(), self._microphone()
        if camera is None and microphone is None:
            self._end()
            return
        self.statistics = Statistics(self.statistics.model, self.statistics.device)
        self._write(lambda report: report.begin_session(self.statistics.as_json()))
        self.session.start(camera, microphone)
        self._preview.start()
        self._status.start()

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
        found = self._found[key]
        self.show_notice(
            Notice(key, found.reason or error.text, found.hint or error.hint, retry=True)
        )

    def stop(self) -> None:
        self._clear_notices()  # nothing is tried any more
        self._end()

    def _end(self) -> None:
        self._once_found = None
        for timer in (self._patience, self._preview, self._status):
            timer.stop()
        self._count_losses()
        self._write(lambda report: report.update(self.statistics.as_json()))
        self.session.stop()
        self._forget()
        self.window.set_state("stopped")

    def close(self) -> None:
        """End the session and complete the report; takes little more than a second."""
        self._once_found = None  # a list of microphones on its way must not begin a session now
        self.window.set_state("stopped")  # nor an answer about permission
        for timer in (self._patience, self._preview, self._status):
            timer.stop()
        self._count_losses()
        self._write(lambda report: report.close(self.statistics.as_json()))
        self.session.close()

    def show_notice(self, notice: Notice) -> None:
        self.window.notices.show_notice(notice)
        if notice.severity != "info":
            self._write(lambda report: report.note(notice.text))

    def _clear_notices(self) -> None:
        for key in ("camera", "microphone", "inference"):
            self.window.notices.clear(key)

    # From the session

    def _poll(self) -> None:
        """The newest frame and the level, 60 times a second; draws only what is new."""
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
        elif seen is not None and window.video.has_frame() and _outdated(seen):
            window.forget_picture()
        window.level.show_level(recent.audio_level(time.monotonic()))

    def _draw(self, seen: SeenFrame) -> None:
        image, face, prediction = seen.frame.image, seen.face, self._prediction
        patches: tuple[tuple[float, float, float, float], ...] = ()
        if face is not None and prediction is not None and self._config is not None:
            square = framing_square(face, image.shape, self._config.vision)
            patches = patch_rectangles(square, prediction.kept_patches)
        self.window.video.show_frame(image, face, seen.others, patches, self.session.tracker.locked)

    def _on_prediction(self, prediction: Prediction) -> None:
        scores = self._smoothing.update(prediction)
        self._prediction = prediction
        if self.window.state == "starting":  # each time, the focus would be taken from a button
            self.window.set_state("running")
        self.window.live_page.show_answer(prediction, scores, self.window.settings.mode)
        self.statistics.prediction_drawn(self.session.now(), prediction.clip_end_s)
        self._count_losses()
        self._write(lambda report: report.add(prediction, self.statistics.as_json()))

    def _on_nothing(self, clip_end_s: float) -> None:
        self._forget_prediction()
        self.window.live_page.show_nothing(clip_end_s, self.window.settings.mode)

    def _on_notice(self, notice: Notice) -> None:
        if notice.key == "model":
            self.window.set_model_state("No model", untrained=False, ready=False)
        elif notice.key == "inference" and notice.severity == "error":
            self._forget_prediction()
            self.window.live_page.show_failed()
        self.show_notice(notice)

    def _on_model(self, state: ModelState) -> None:
        config = self._config = state.config
        self.statistics.model, self.statistics.device = config.name, state.device
        trained = config.trained_on or ""
        corpora = " and ".join(corpora_in(trained))
        brief = f"trained on {corpora}" if corpora else trained or "untrained"
        self.window.set_model_state(f"{config.name} · {brief}", not trained, details=trained)
        self.window.status_line.device.setText(state.device)
        self.window.unavailable_devices = state.unavailable

    def _show_status(self) -> None:
        self._count_losses()
        now, statistics = time.monotonic(), self.statistics
        self.window.status_line.show_statistics(
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

    def _follow_next(self) -> None:
        """The face to the right of the one followed, as it is shown; after the last, the first."""
        seen = self.session.recent.newest()
        faces = [] if seen is None else [seen.face, *seen.others]
        in_order = sorted(
            (face for face in faces if face is not None),
            key=lambda face: face.x,
            reverse=self.window.settings.mirror,
        )
        if seen is None or not in_order:
            return
        now = -1 if seen.face is None else in_order.index(seen.face)
        face = in_order[(now + 1) % len(in_order)]
        self.session.lock_face(face.x + face.width / 2, face.y + face.height / 2)

    def _change_camera(self, chosen: str) -> None:
        if self._sources.offer_camera(chosen):
            self._list_cameras()
        self._reopen(camera=True)

    def _change_microphone(self) -> None:
        self._reopen(microphone=True)

    def _change_mode(self) -> None:
        """Open what the mode wants and is not open, close what it does not want."""
        mode, session = self.window.settings.mode, self.session
        self._reopen(
            camera=(mode != "microphone") is (session.camera is None),
            microphone=(mode != "camera") is (session.microphone is None),
        )

    def _reopen(self, camera: bool = False, microphone: bool = False) -> None:
        """A session goes on with the devices chosen now; the other is not disturbed."""
        session, window = self.session, self.window
        if window.state == "stopped" or self._once_found == self._begin:
            return  # the session begins with what is chosen by then
        if camera:
            window.notices.clear("camera")
            session.use_camera(self._camera())
            self._forget()
            window.forget_picture()
        if self._once_found is not None:
            return  # the microphone is opened when it is found
        if microphone:
            window.notices.clear("microphone")
            session.use_microphone(self._microphone())
        if session.camera is None and session.microphone is None:
            self._end()

    def _retry(self, key: str) -> None:
        if self._once_found is not None:
            return  # it begins anyway
        session = self.session
        self.window.notices.clear(key)  # it comes back if it still holds
        if key == "model":
            self._say_loading()
        if key in ("camera", "microphone") and session.camera is session.microphone is None:
            self.find_devices()
            self.start()
        elif key == "camera" and session.camera is None:
            self._list_cameras()
            self._reopen(camera=True)
        elif key == "microphone" and session.microphone is None:
            self._list_microphones()  # not the cameras: one of them films
            self._when_found(self._change_microphone)
        else:
            session.retry(key)

    def _on_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        self._smoothing.strength = settings.smoothing
        if (settings.model, settings.device) != (before.model, before.device):
            self.load_model()

    def _forget(self) -> None:
        self._newest = None
        self._forget_prediction()

    def _forget_prediction(self) -> None:
        self._prediction = None
        self._smoothing.reset()

    def _write(self, what: Callable[[Report], None]) -> None:
        """Do something with the report, if there is one; a full disk ends the report alone."""
        if self._report is None:
            return
        try:
            what(self._report)
        except UserError as error:
            self._report = None
            self.window.notices.show_notice(Notice("report", error.text, error.hint))


def _outdated(seen: SeenFrame) -> bool:
    return time.monotonic() - seen.frame.time_s > OUTDATED_SECONDS
