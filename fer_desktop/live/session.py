"""A session: the threads that capture and predict, from Start to Stop, seen from the GUI thread.

All signals are emitted on worker threads and arrive queued on the thread of the receiver.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from fer_core.media import HOP_SECONDS, FaceBox
from fer_core.preprocess.face import FaceDetector, FaceTracker
from fer_desktop.capture.camera import Camera
from fer_desktop.capture.microphone import Microphone
from fer_desktop.capture.workers import CameraThread, MicrophoneThread
from fer_desktop.live.inference_thread import (
    InferenceThread,
    Listeners,
    LivePredictor,
    ModelState,
)
from fer_desktop.live.recent_media import RecentMedia

CLOSE_SECONDS = 2.0  # to wait for threads at the program's end; they share it


class LiveSession(QObject):
    """Owns every thread of the program. One model at a time, one session at a time."""

    model_loaded = Signal(object)  # ModelState
    predicted = Signal(object)  # Prediction, its times from the session's start
    nothing_present = Signal(float)  # the end of a clip with neither face nor voice
    noticed = Signal(object)  # Notice
    cleared = Signal(str)  # the key of a notice that no longer holds

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recent = RecentMedia()
        self.tracker = FaceTracker()
        self.camera: CameraThread | None = None
        self.microphone: MicrophoneThread | None = None
        self.origin_s = 0.0
        self._inference: InferenceThread | None = None
        self._predicting = False
        self._leaving: list[threading.Thread] = []  # told to stop, perhaps still in a slow read

    @property
    def clips_skipped(self) -> int:
        return self._inference.clips_skipped if self._inference else 0

    def now(self) -> float:
        """Seconds since the session's start."""
        return time.monotonic() - self.origin_s

    def use_model(self, load: Callable[[], tuple[LivePredictor, ModelState]]) -> None:
        """Load another model; predictions go on with it."""
        if self._inference is not None:
            self._dismiss(self._inference)
        self._inference = InferenceThread(
            load,
            Listeners(
                loaded=self.model_loaded.emit,
                predicted=self.predicted.emit,
                nothing_present=self.nothing_present.emit,
                notice=self.noticed.emit,
                clear=self.cleared.emit,
            ),
        )
        if self._predicting:
            self._inference.watch(self.recent, self.origin_s)
        self._inference.start()

    def start(self, camera: Camera | None, microphone: Microphone | None) -> None:
        """Begin a session with what there is; its clock starts at a whole hop."""
        self.stop()
        self.recent = RecentMedia()
        self.origin_s = math.floor(time.monotonic() / HOP_SECONDS) * HOP_SECONDS
        if camera is not None:
            self.camera = CameraThread(
                camera,
                FaceDetector,
                self.tracker,
                self.recent,
                on_fault=self.noticed.emit,
                on_ok=self.cleared.emit,
            )
            self.camera.start()
        if microphone is not None:
            self.microphone = MicrophoneThread(
                microphone, self.recent, on_fault=self.noticed.emit, on_ok=self.cleared.emit
            )
            self.microphone.start()
        self.resume()

    def pause(self) -> None:
        """Predict no more; camera and microphone stay open, so that going on is immediate."""
        self._predicting = False
        if self._inference is not None:
            self._inference.rest()

    def resume(self) -> None:
        self._predicting = True
        if self._inference is not None:
            self._inference.watch(self.recent, self.origin_s)

    def stop(self) -> None:
        """End the session; the model stays loaded, devices are let go as soon as they answer."""
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
        elif self._inference is not None:
            self._inference.retry()

    def lock_face(self, x: float, y: float) -> FaceBox | None:
        """Follow the face at this place of the newest frame; None if there is none."""
        return self.tracker.lock(x, y)

    def close(self) -> None:
        """Stop everything and wait for it, but not for what cannot be interrupted.

        That is a thread that imports torch, or one inside a camera's driver.
        """
        self.stop()
        if self._inference is not None:
            self._dismiss(self._inference)
            self._inference = None
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._leaving:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _dismiss(self, thread: CameraThread | MicrophoneThread | InferenceThread) -> None:
        thread.stop()
        self._leaving = [leaving for leaving in self._leaving if leaving.is_alive()]
        self._leaving.append(thread)
