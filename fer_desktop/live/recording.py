"""One recording while it is written: a folder with video, results and, in the end, a timeline.

    2026-11-21_14-03-05/
        2026-11-21_14-03-05.mp4      picture and sound as the devices gave them, unmirrored
        2026-11-21_14-03-05.jsonl    what the network said, a line for each answer, as it came
        2026-11-21_14-03-05.json     the same as a timeline, once the recording has ended

A thread writes, so that no other ever waits for a disk or an encoder. What it has not written yet
lies in a queue of bounded size: frames that find it full are left out and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np

from fer_core.analysis.segment_average import median_face
from fer_core.errors import UserError
from fer_core.media import (
    CLIP_SECONDS,
    SEGMENT_SECONDS,
    SEGMENTS,
    AudioBlock,
    FaceBox,
    RgbImage,
)
from fer_core.media_writer import IN_STEP_SECONDS, MediaWriter
from fer_core.prediction import Prediction
from fer_core.whole_file import unwritable
from fer_desktop.capture.resampler import StreamResampler
from fer_desktop.errors import Notice
from fer_desktop.live.recorded_results import ModelAnswering, model_line, result_line, write_line
from fer_desktop.live.recorded_timeline import write_timeline

log = logging.getLogger(__name__)

SOUND_RATE = 48_000  # Hz; most microphones' own
WAITING_BYTES = 128 * 2**20  # of frames; 140 of 640x480 (5 s), 20 of 1920x1080
MOST_WAITING = 5_000  # blocks of sound and the rest: more than a minute
FACES_KEPT_SECONDS = 2 * CLIP_SECONDS  # an answer comes at most so late

Tell = Callable[[Notice], None]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds from its beginning to its end."""

    size: tuple[int, int] | None  # (width, height) of the picture
    sound: bool


class Recording(threading.Thread):
    """Times are seconds from the recording's beginning, see RecordingClock.

    ``goes_on_from_s`` is when the stretch began that something belongs to: at 0 or after a pause.
    """

    def __init__(
        self, base: Path, layout: Layout, model: ModelAnswering | None, begun: datetime, tell: Tell
    ) -> None:
        super().__init__(name="recording")
        self.layout = layout
        self.frames_dropped = 0
        self.failed = False
        name = f"{begun:%Y-%m-%d_%H-%M-%S}"
        self.video = base / name / f"{name}.mp4"
        self._begun = begun
        self._model = model
        self._tell = tell
        self._queue: deque[tuple[int, Callable[[], None]]] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._ended_s: float | None = None
        # Of the thread alone:
        self._media: MediaWriter
        self._results: TextIO
        self._resampler = StreamResampler(SOUND_RATE)
        self._stretch_s: float | None = None  # that the last sound belongs to
        self._joins = True  # the next sound is the first of its stretch
        self._any_frame = False
        self._faces: deque[tuple[float, FaceBox | None]] = deque()  # of the last seconds

    # From any thread; returns at once

    def add_frame(self, image: RgbImage, time_s: float, face: FaceBox | None) -> None:
        self._put(partial(self._write_frame, image, time_s, face), image.nbytes)

    def add_sound(self, block: AudioBlock, goes_on_from_s: float) -> None:
        """``block.time_s`` is on the recording's clock."""
        self._put(partial(self._write_sound, block, goes_on_from_s))

    def add_result(
        self, prediction: Prediction | None, end_s: float, goes_on_from_s: float
    ) -> None:
        """The answer to the window that ends at ``end_s``; None: nobody was there."""
        self._put(partial(self._write_result, prediction, end_s, goes_on_from_s))

    def use_model(self, model: ModelAnswering) -> None:
        """Another one answers from now on."""
        self._put(partial(self._write_model, model))

    def end(self, ended_s: float) -> None:
        """Write what waits and close the files; join the thread to wait for that."""
        with self._changed:
            if self._ended_s is None:
                self._ended_s = ended_s
            self._changed.notify()

    def _put(self, write: Callable[[], None], size: int = 0) -> None:
        with self._changed:
            if self._ended_s is not None or self.failed:
                return
            if self._waiting_bytes + size > WAITING_BYTES or len(self._queue) >= MOST_WAITING:
                self.frames_dropped += bool(size)
                return
            self._waiting_bytes += size
            self._queue.append((size, write))
            self._changed.notify()

    # On the thread

    def run(self) -> None:
        try:
            self._open()
            try:
                while (write := self._next()) is not None:
                    write()
                self._fill_with_silence()
            finally:
                self._close()
        except UserError as error:
            self._fail(error)
        except Exception as error:  # an encoder's; the session must outlive it
            log.exception("the recording failed")
            self._fail(UserError(f"The recording failed: {error}.", "The log has the details."))
        else:
            self._finish()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._ended_s is not None)
            if not self._queue:
                return None
            size, write = self._queue.popleft()
            self._waiting_bytes -= size
            return write

    def _open(self) -> None:
        folder = self.video.parent
        try:
            number = 1
            while True:
                with suppress(FileExistsError):
                    folder.mkdir(parents=True)
                    break
                number += 1
                folder = self.video.parent.with_name(f"{self.video.parent.name}_{number}")
            self.video = folder / f"{folder.name}.mp4"
            path = self.video.with_suffix(".jsonl")
            # Line by line: what was said survives a crash of the program.
            self._results = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise unwritable(folder, error) from error
        try:
            self._media = MediaWriter(
                self.video, self.layout.size, SOUND_RATE if self.layout.sound else None
            )
        except UserError:
            self._results.close()
            raise
        head = {"recording": 1, "video": self.video.name, "begun": self._begun.isoformat()}
        write_line(self._results, head)
        if self._model is not None:
            self._write_model(self._model)

    def _write_frame(self, image: RgbImage, time_s: float, face: FaceBox | None) -> None:
        while self._faces and self._faces[0][0] < time_s - FACES_KEPT_SECONDS:
            self._faces.popleft()
        self._faces.append((time_s, face))
        # Players want a picture from the beginning on; the first is at most a frame later.
        self._media.write_frame(image, time_s if self._any_frame else 0.0)
        self._any_frame = True

    def _write_sound(self, block: AudioBlock, goes_on_from_s: float) -> None:
        if self._stretch_s != goes_on_from_s:
            self._stretch_s, self._joins = goes_on_from_s, True
            self._resampler = StreamResampler(SOUND_RATE)
        resampled = self._resampler.process(block)
        samples, time_s = resampled.samples, resampled.time_s
        if not len(samples):
            return
        if self._joins:
            self._joins = False
            late = round((time_s - self._media.sound_s) * SOUND_RATE)
            if abs(late) <= IN_STEP_SECONDS * SOUND_RATE:  # the writer would let it be
                samples = samples[-late:] if late < 0 else np.pad(samples, (late, 0))
                time_s = self._media.sound_s
        self._media.write_sound(samples, time_s)

    def _write_result(
        self, prediction: Prediction | None, end_s: float, goes_on_from_s: float
    ) -> None:
        first_s = end_s - CLIP_SECONDS
        faces = [
            self._face(first_s + place * SEGMENT_SECONDS, first_s + (place + 1) * SEGMENT_SECONDS)
            for place in range(SEGMENTS)
        ]
        write_line(self._results, result_line(prediction, end_s, goes_on_from_s, faces))

    def _write_model(self, model: ModelAnswering) -> None:
        try:
            line = model_line(model)
        except UserError as error:  # its files have gone: that costs the timeline, not the rest
            log.warning("the recording's model is not named: %s", error)
        else:
            write_line(self._results, line)

    def _face(self, start_s: float, end_s: float) -> FaceBox | None:
        """The median of those seen in ``(start_s, end_s]``."""
        seen = [face for at_s, face in self._faces if face and start_s < at_s <= end_s]
        return median_face(seen)

    def _fill_with_silence(self) -> None:
        """To the end, where the microphone gave nothing any more; so the file tells its length."""
        ended_s = self._ended_s or 0.0
        if self.layout.sound and ended_s > self._media.sound_s:
            self._media.write_sound(np.zeros(1, np.float32), ended_s)

    def _close(self) -> None:
        try:
            self._results.close()
        finally:
            self._media.close()

    def _finish(self) -> None:
        try:
            write_timeline(self.video)
        except Exception:  # the video and the results are there, and tell the same
            log.exception("no timeline of %s", self.video)
        dropped = f" {self.frames_dropped} frames were left out." if self.frames_dropped else ""
        self._tell(
            Notice(
                "recording",
                f"The recording is in {self.video.parent}.{dropped}",
                "It opens like any other file.",
                severity="info",
            )
        )

    def _fail(self, error: UserError) -> None:
        with self._changed:
            self.failed = True
            self._queue.clear()
        kept = f" What was recorded before is in {self.video.parent}." if self._any_frame else ""
        self._tell(Notice("recording", f"The recording has ended: {error.text}{kept}", error.hint))
