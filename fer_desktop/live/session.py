"""A session: the threads that capture and predict, from Start to Stop, seen from the GUI thread.

All signals are emitted on the GUI thread. What a thread said before it was replaced or the session
ended is dropped, also when it is already on its way.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance

from fer_core.media import HOP_SECONDS, FaceBox
from fer_core.prediction import Prediction
from fer_core.preprocess.face import FaceDetector, FaceTracker
from fer_desktop.capture.camera import Camera
from fer_desktop.capture.devices import Found
from fer_desktop.capture.microphone import Microphone
from fer_desktop.capture.workers import CameraThread, Detector, MicrophoneThread
from fer_desktop.errors import Notice
from fer_desktop.gui_thread import GuiCalls
from fer_desktop.leaving import Leaving
from fer_desktop.live.inference_thread import (
    InferenceThread,
    Listeners,
    LivePredictor,
    ModelState,
)
from fer_desktop.live.recent_media import RecentMedia
from fer_desktop.live.recorder import Recorder
from fer_desktop.live.recording import Layout

CLOSE_SECONDS = 1.0  # to wait for threads at the program's end; they share it
WRITING_SECONDS = 60.0  # to wait for a recording's end: the timeline of 4 h took 14 s


# Every frame is searched, and most show nobody: one closer look each is what a core can spare.
LIVE_DETECTOR = partial(FaceDetector, closer_looks=1)


class LiveSession(QObject):
    """Owns the threads of live sessions. One model at a time, one session at a time."""

    model_loaded = Signal(object)  # ModelState
    predicted = Signal(object)  # Prediction, its times from the session's start
    nothing_present = Signal(float)  # the end of a clip with neither face nor voice
    noticed = Signal(object)  # Notice
    cleared = Signal(str)  # the key of a notice that no longer holds
    microphones_found = Signal(object)  # Found

    def __init__(
        self,
        parent: QObject | None = None,
        make_detector: Callable[[], Detector] = LIVE_DETECTOR,
    ) -> None:
        super().__init__(parent)
        self._gui = GuiCalls(self)
        self.recent = RecentMedia()
        self.recorder = Recorder(self._tell)
        self.tracker = FaceTracker()
        self.camera: CameraThread | None = None
        self.microphone: MicrophoneThread | None = None
        self.origin_s = 0.0
        self._make_detector = make_detector
        self._inference: InferenceThread | None = None
        self._predicting = False
        self._clips_skipped = 0  # by models used before, less what was skipped before the session
        self._search: threading.Thread | None = None
        self._leaving = Leaving()
        self.predicted.connect(lambda answer: self._record(answer, answer.clip_end_s))
        self.nothing_present.connect(lambda end_s: self._record(None, end_s))

    @property
    def clips_skipped(self) -> int:
        """Hops of this session that passed while the network was busy."""
        return self._clips_skipped + (self._inference.clips_skipped if self._inference else 0)

    def now(self) -> float:
        """Seconds since the session's start."""
        return time.monotonic() - self.origin_s

    def use_model(self, load: Callable[[], tuple[LivePredictor, ModelState]]) -> None:
        """Load another model; predictions go on with it."""
        self._clips_skipped = self.clips_skipped
        if self._inference is not None:
            self._dismiss(self._inference)
        thread = InferenceThread(
            load,
            Listeners(
                loaded=partial(self._post, self.model_loaded),
                predicted=partial(self._post, self.predicted),
                nothing_present=partial(self._post, self.nothing_present),
                notice=partial(self._post, self.noticed),
                clear=partial(self._post, self.cleared),
            ),
        )
        self._inference = thread
        if self._predicting:
            thread.watch(self.recent, self.origin_s)
        thread.start()

    def start(self, camera: Camera | None, microphone: Microphone | None) -> None:
        """Begin a session with what there is; its clock starts at a whole hop."""
        self.stop()
        self.recent = RecentMedia()
        self.origin_s = math.floor(time.monotonic() / HOP_SECONDS) * HOP_SECONDS
        self._clips_skipped -= self.clips_skipped
        self.use_camera(camera)
        self.use_microphone(microphone)
        self.resume()

    def use_camera(self, camera: Camera | None) -> None:
        """Go on with another camera, or with none; the microphone is not disturbed."""
        if self.camera is not None:
            self._dismiss(self.camera)
        self.tracker.unlock()
        self.recent.forget_frames()
        self.camera = None
        if camera is not None:
            self.camera = CameraThread(
                camera,
                self._make_detector,
                self.tracker,
                self.recent,
                on_fault=partial(self._post, self.noticed),
                on_ok=partial(self._post, self.cleared),
                recorder=self.recorder,
            )
            self.camera.start()
        if self._predicting:
            self.resume()  # other frames: what the predictor remembers of the old ones is void

    def use_microphone(self, microphone: Microphone | None) -> None:
        """Go on with another microphone, or with none; the camera is not disturbed."""
        if self.microphone is not None:
            self._dismiss(self.microphone)
        self.recent.forget_sound()
        self.microphone = None
        if microphone is not None:
            self.microphone = MicrophoneThread(
                microphone,
                self.recent,
                on_fault=partial(self._post, self.noticed),
                on_ok=partial(self._post, self.cleared),
                recorder=self.recorder,
            )
            self.microphone.start()

    def pause(self) -> None:
        """Predict no more; camera and microphone stay open, so that going on is immediate."""
        self._predicting = False
        self.recorder.pause(time.monotonic())
        if self._inference is not None:
            self._inference.rest()

    def resume(self) -> None:
        self._predicting = True
        self.recorder.resume(time.monotonic())
        if self._inference is not None:
            self._inference.watch(self.recent, self.origin_s)

    def record(self, base: Path) -> None:
        """Write what is seen, heard and answered into a new folder in ``base`` until the end.

        Raises:
            ValueError: nothing was seen or heard yet, so it is not known what the file shall hold.
        """
        seen, heard = self.recent.newest(), self.recent.audio_until is not None
        if seen is None and not heard:
            raise ValueError("neither picture nor sound to record")
        height, width = seen.frame.image.shape[:2] if seen is not None else (0, 0)
        size = (width, height) if seen is not None else None
        self.recorder.begin(base, Layout(size, heard), time.monotonic())

    def stop(self) -> None:
        """End the session; the model stays loaded, devices are let go as soon as they answer."""
        self.recorder.end(time.monotonic())
        self.pause()
        self.tracker.unlock()
        for thread in (self.camera, self.microphone):
            if thread is not None:
                self._dismiss(thread)
        self.camera = self.microphone = None

    def retry(self, key: str) -> None:
        """Try again what the notice ``key`` is about."""
        if key == "camera" and self.camera is not None:
            self.camera.retry_now()
        elif key == "microphone" and self.microphone is not None:
            self.microphone.retry_now()
        elif key in ("model", "inference") and self._inference is not None:
            self._inference.retry()

    def lock_face(self, x: float, y: float) -> FaceBox | None:
        """Follow the face at this place of the newest frame; None if there is none."""
        return self.tracker.lock(x, y)

    @property
    def searching(self) -> bool:
        """Whether microphones are being looked for."""
        return self._search is not None

    def find_microphones(self, find: Callable[[], Found]) -> None:
        """Look for microphones on a thread; a search that goes on is left to its end.

        PortAudio takes 30 ms without any sound system, and as long as it likes with a sick one.
        """
        if self._search is not None:
            return

        def search() -> None:
            found = find()
            self._gui.call(lambda: self._found(found))

        self._search = threading.Thread(target=search, name="looking for microphones")
        self._search.start()

    def _found(self, found: Found) -> None:
        self._search = None
        self.microphones_found.emit(found)

    def close(self) -> None:
        """Stop everything and wait for it, but not for what cannot be interrupted.

        That is a thread that imports torch, or one inside a camera's driver.
        """
        self.stop()
        if self._inference is not None:
            self._dismiss(self._inference)
            self._inference = None
        if self._search is not None:
            self._leaving.add(self._search)
        self._leaving.join(CLOSE_SECONDS)
        self.recorder.join(WRITING_SECONDS)

    def _post(self, signal: SignalInstance, value: object, of: RecentMedia | None = None) -> None:
        """Called on a thread: emit ``signal`` on the GUI thread, if it still matters by then.

        It does not when the thread was replaced, or if it is an answer about other media.
        """
        sender = threading.current_thread()

        def deliver() -> None:
            if sender not in (self.camera, self.microphone, self._inference):
                return
            if of is None or (of is self.recent and self._predicting):
                signal.emit(value)

        self._gui.call(deliver)

    def _record(self, prediction: Prediction | None, end_s: float) -> None:
        self.recorder.add_result(prediction, self.origin_s + end_s)

    def _tell(self, notice: Notice) -> None:
        """Called on a thread that writes a recording, which may outlive its session."""
        with contextlib.suppress(RuntimeError):  # or the program
            self._gui.call(lambda: self.noticed.emit(notice))

    def _dismiss(self, thread: CameraThread | MicrophoneThread | InferenceThread) -> None:
        thread.stop()
        self._leaving.add(thread)
