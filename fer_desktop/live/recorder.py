"""Where cameras, microphones and answers go when people record, and nowhere when they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fer_core.media import HOP_SECONDS, AudioBlock, FaceBox, VideoFrame
from fer_core.prediction import Prediction
from fer_desktop.errors import Notice
from fer_desktop.live.recorded_results import ModelAnswering
from fer_desktop.live.recording import Layout, Recording
from fer_desktop.live.recording_clock import RecordingClock


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    video: Path
    elapsed_s: float
    frames_dropped: int
    paused: bool


class Recorder:
    """At most one recording at a time; those that have ended may still be writing.

    Thread-safe, and every method but ``join`` returns at once. Times are seconds of the session's
    clock. What a file cannot hold, a picture of another size or sound where there was none, goes on
    in a recording of its own.
    """

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        """``tell`` is called on the threads that write."""
        self._tell = tell
        self._guard = threading.Lock()
        self._base = Path()
        self._model: ModelAnswering | None = None
        self._recording: Recording | None = None
        self._clock = RecordingClock(0.0)
        self._begun = datetime.min.replace(tzinfo=UTC)  # of the last recording
        self._ending: list[Recording] = []

    def begin(self, base: Path, layout: Layout, now_s: float) -> None:
        """Record into a new folder in ``base``, from the next whole hop on."""
        with self._guard:
            self._end(now_s)
            self._base = base
            self._begin(layout, now_s)

    def end(self, now_s: float) -> None:
        """The file is complete a moment later; see :meth:`join`."""
        with self._guard:
            self._end(now_s)

    def pause(self, now_s: float) -> None:
        """Leave out what comes now; the recording stands still."""
        with self._guard:
            self._clock.pause(now_s)

    def resume(self, now_s: float) -> None:
        with self._guard:
            self._clock.resume(now_s)

    def status(self, now_s: float) -> RecordingStatus | None:
        """None while nothing is recorded, and once a recording has failed."""
        with self._guard:
            recording, clock = self._current(), self._clock
            if recording is None:
                return None
            return RecordingStatus(
                recording.video, clock.elapsed(now_s), recording.frames_dropped, clock.paused
            )

    def use_model(self, model: ModelAnswering) -> None:
        """It answers from now on."""
        with self._guard:
            self._model = model
            if (recording := self._current()) is not None:
                recording.use_model(model)

    def add_frame(self, frame: VideoFrame, face: FaceBox | None) -> None:
        """What the camera saw, and the face that is followed in it."""
        with self._guard:
            recording = self._current()
            if recording is None or self._clock.at(frame.time_s) is None:
                return
            height, width = frame.image.shape[:2]
            if recording.layout.size != (width, height):
                recording = self._go_on(
                    replace(recording.layout, size=(width, height)), frame.time_s
                )
            recording.add_frame(frame.image, self._clock.at(frame.time_s) or 0.0, face)

    def add_sound(self, block: AudioBlock) -> None:
        """What the microphone heard, at its own rate."""
        with self._guard:
            recording = self._current()
            if recording is None or (cut := self._clock.cut(block)) is None:
                return
            if not recording.layout.sound:
                recording = self._go_on(replace(recording.layout, sound=True), block.time_s)
                cut = self._clock.cut(block) or cut
            recording.add_sound(cut, self._clock.goes_on_from_s)

    def add_result(self, prediction: Prediction | None, end_s: float) -> None:
        """The answer to the window that ended then; None: nobody was there."""
        with self._guard:
            recording, clock = self._current(), self._clock
            at_s = clock.at(end_s)
            if recording is not None and at_s is not None and at_s > clock.goes_on_from_s:
                recording.add_result(prediction, at_s, clock.goes_on_from_s)

    def join(self, within_s: float) -> bool:
        """Wait until all that has ended is written; False if that takes longer."""
        deadline = time.monotonic() + within_s
        with self._guard:
            ending = list(self._ending)
        for recording in ending:
            recording.join(max(deadline - time.monotonic(), 0.0))
        return not any(recording.is_alive() for recording in ending)

    def _current(self) -> Recording | None:
        if self._recording is not None and self._recording.failed:
            self._ending.append(self._recording)
            self._recording = None
        return self._recording

    def _begin(self, layout: Layout, now_s: float) -> Recording:
        self._clock = RecordingClock(now_s)
        # Two that begin in one second must not be told apart by chance: their threads race.
        self._begun = max(datetime.now().astimezone(), self._begun + timedelta(seconds=1))
        recording = Recording(self._base, layout, self._model, self._begun, self._tell)
        recording.start()
        self._recording = recording
        return recording

    def _go_on(self, layout: Layout, time_s: float) -> Recording:
        """In another file, which begins a little earlier: what does not fit lies in it."""
        self._end(time_s)
        return self._begin(layout, time_s - HOP_SECONDS)

    def _end(self, now_s: float) -> None:
        recording, self._recording = self._recording, None
        self._ending = [ending for ending in self._ending if ending.is_alive()]
        if recording is not None:
            recording.end(self._clock.elapsed(now_s))
            self._ending.append(recording)
