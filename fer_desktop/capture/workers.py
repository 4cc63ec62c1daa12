"""The threads between the devices and what the session keeps of them.

A device that fails is reported once, closed, and opened again at growing intervals, so that a
camera that is plugged in again is simply back. The callbacks are called on these threads.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from fer_core.errors import UserError
from fer_core.media import AudioBlock, FaceBox, RgbImage, VideoFrame
from fer_core.preprocess.face import FaceTracker
from fer_desktop.capture.camera import Camera
from fer_desktop.capture.microphone import Microphone
from fer_desktop.capture.resampler import StreamResampler
from fer_desktop.errors import Notice, Severity

log = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS = 0.5  # between two attempts to open; doubled each time
LONGEST_PAUSE_SECONDS = 5.0
SILENT_SECONDS = 2.0  # a working microphone delivers even when nobody speaks ...
# ... but Bluetooth, and PulseAudio when idle, take 2 s to begin; on a busy machine, which the
# network is just being read on, PulseAudio took more than 5 s.
FIRST_SOUND_SECONDS = 10.0
READ_SECONDS = 0.25  # to wait for a block of sound: how soon the thread notices that it shall stop
DARK_LUMINANCE = 12.0  # of 255: a lid, or a room without light
DARK_SECONDS = 2.0


class Detector(Protocol):
    """What the camera's thread needs of :class:`fer_core.preprocess.face.FaceDetector`."""

    def detect(self, image: RgbImage) -> list[FaceBox]: ...

    def close(self) -> None: ...


class FrameSink(Protocol):
    """Where frames go: ``fer_desktop.live.recent_media.RecentMedia``."""

    def add_frame(
        self, frame: VideoFrame, face: FaceBox | None, others: tuple[FaceBox, ...]
    ) -> None: ...


class SoundSink(Protocol):
    """Where sound goes: the same."""

    def add_audio(self, block: AudioBlock) -> None: ...


class MediaSink(Protocol):
    """Where everything goes as it came: ``fer_desktop.live.recorder.Recorder``."""

    def add_frame(self, frame: VideoFrame, face: FaceBox | None) -> None: ...

    def add_sound(self, block: AudioBlock) -> None: ...


OnFault = Callable[[Notice], None]
OnOk = Callable[[str], None]


class CaptureThread(threading.Thread, ABC):
    """Opens a device, reads it until told to stop, and gets over its faults."""

    def __init__(
        self,
        key: str,
        device: Camera | Microphone,
        on_fault: OnFault,
        on_ok: OnOk,
    ) -> None:
        super().__init__(name=key)
        self._key = key
        self._device = device
        self._on_fault = on_fault
        self._on_ok = on_ok
        self._is_open = False
        self._works = False  # has delivered since it was opened
        self._reported = False
        self._pause_s = SHORTEST_PAUSE_SECONDS
        self._stopping = threading.Event()
        self._delivery = threading.Lock()  # held while frames or sound are handed over
        self._wake = threading.Event()

    def stop(self) -> None:
        """Tell the thread to end, and return at once; join it to wait for that.

        Nothing more is handed over, however long a read in progress takes.
        """
        with self._delivery:
            self._stopping.set()
        self._wake.set()

    @property
    def fails(self) -> bool:
        """Whether it was said that nothing comes, and nothing has come since."""
        return self._reported

    def retry_now(self) -> None:
        """Open the device at once, if it is not, and say so again if it fails."""
        self._reported = False
        self._pause_s = SHORTEST_PAUSE_SECONDS
        self._wake.set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                pause_s = self.step()
                if pause_s:
                    self._wake.wait(pause_s)
                    self._wake.clear()
        finally:
            self.finish()

    def step(self) -> float | None:
        """Open the device or read once; the seconds to wait before the next step, None is none."""
        try:
            if not self._is_open:
                self._wake.clear()
                self._device.open()
                self._is_open, self._works = True, False
            if self._read() and not self._works:
                self._works, self._reported = True, False
                self._pause_s = SHORTEST_PAUSE_SECONDS
                self._on_ok(self._key)
        except UserError as error:
            return self._fail(error.text, error.hint)
        except Exception as error:  # a driver's or a decoder's; the session must outlive it
            log.exception("the %s failed", self._key)
            return self._fail(f"The {self._key} failed: {error}", "The log has the details.")
        return None

    def finish(self) -> None:
        """What the thread does last."""
        self._close()

    @abstractmethod
    def _read(self) -> bool:
        """Read once; whether anything came.

        Raises:
            UserError: the device failed.
        """

    def _close(self) -> None:
        self._is_open = False
        self._device.close()

    def _fail(self, text: str, hint: str) -> float | None:
        self._close()
        if self._stopping.is_set():
            return None
        self._report(text, hint)
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, LONGEST_PAUSE_SECONDS)
        return pause_s

    def _report(self, text: str, hint: str, severity: Severity = "error") -> None:
        """Once until the device works again: attempts in between fail for the same reason."""
        if not self._reported:
            self._reported = True
            self._on_fault(Notice(self._key, text, hint, severity, retry=True))


class CameraThread(CaptureThread):
    """Reads frames, finds the faces in each and keeps to one of them."""

    def __init__(
        self,
        camera: Camera,
        make_detector: Callable[[], Detector],
        tracker: FaceTracker,
        recent: FrameSink,
        on_fault: OnFault,
        on_ok: OnOk,
        recorder: MediaSink | None = None,
    ) -> None:
        super().__init__("camera", camera, on_fault, on_ok)
        self._recorder = recorder
        self._camera = camera
        self._make_detector = make_detector
        self._detector: Detector | None = None  # belongs to this thread, which therefore makes it
        self._tracker = tracker
        self._recent = recent
        self._dark_since: float | None = None
        self._dark_reported = False

    def stop(self) -> None:
        super().stop()
        self._camera.close()  # ends a read that waits for a stalled camera

    def finish(self) -> None:
        super().finish()
        if self._detector is not None:
            self._detector.close()
            self._detector = None

    def _close(self) -> None:
        super()._close()
        self._dark_since, self._dark_reported = None, False

    def _read(self) -> bool:
        frame = self._camera.read()
        if self._detector is None:
            self._detector = self._make_detector()
        faces = self._detector.detect(frame.image)
        face = self._tracker.follow(faces, frame.time_s)
        # Only now is the frame shown: the box lies on the face it was found in, 2 ms later.
        with self._delivery:
            if self._stopping.is_set():
                return False
            others = tuple(other for other in faces if other is not face)
            self._recent.add_frame(frame, face, others)
            if self._recorder is not None:
                self._recorder.add_frame(frame, face)
        self._watch_light(frame)
        return True

    def _watch_light(self, frame: VideoFrame) -> None:
        """Say that the picture is black, and that it no longer is."""
        luminance = float(frame.image[::16, ::16].mean())
        if luminance >= DARK_LUMINANCE:
            self._dark_since = None
            if self._dark_reported:
                self._dark_reported = False
                self._on_ok(self._key)
            return
        if self._dark_since is None:
            self._dark_since = frame.time_s
        if frame.time_s - self._dark_since >= DARK_SECONDS and not self._dark_reported:
            self._dark_reported = True
            hint = "Uncover the lens, or turn on a light."
            self._on_fault(Notice(self._key, "The picture is almost black.", hint, "warning"))


class MicrophoneThread(CaptureThread):
    """Reads sound and resamples it to 16 kHz."""

    def __init__(
        self,
        microphone: Microphone,
        recent: SoundSink,
        on_fault: OnFault,
        on_ok: OnOk,
        clock: Callable[[], float] = time.monotonic,
        recorder: MediaSink | None = None,
    ) -> None:
        super().__init__("microphone", microphone, on_fault, on_ok)
        self._recorder = recorder
        self._clock = clock
        self._microphone = microphone
        self._recent = recent
        self._resampler = StreamResampler()
        self._waits_since: float | None = None  # the last block or the opening; None: closed

    def _close(self) -> None:
        super()._close()
        self._waits_since = None

    def _read(self) -> bool:
        block = self._microphone.read(READ_SECONDS)
        now = self._clock()
        if self._waits_since is None:
            self._waits_since = now
        if block is None:
            patience_s = SILENT_SECONDS if self._works else FIRST_SOUND_SECONDS
            if now - self._waits_since > patience_s:
                raise UserError(
                    f"The microphone “{self._microphone.name}” has sent nothing for "
                    f"{patience_s:.0f} seconds.",
                    "Unplug it and plug it in again, or choose another.",
                )
            return False
        self._waits_since = now
        resampled = self._resampler.process(block)
        with self._delivery:
            if self._stopping.is_set():
                return False
            if self._recorder is not None:
                self._recorder.add_sound(block)
            if len(resampled.samples) or resampled.overflowed:
                self._recent.add_audio(resampled)
        return True
