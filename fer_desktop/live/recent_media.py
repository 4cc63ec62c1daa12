"""The last seconds of what the camera saw and the microphone heard, ready to be cut into a clip.

The camera and microphone threads put in, the window's timer and the inference thread take out. It
never looks at a clock: times come with the media, all on one monotonic clock. It takes constant
memory, about 23 frames and 5 s of sound, however long the session and however fast the camera.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from fer_core.media import (
    CLIP_SAMPLES,
    CLIP_SECONDS,
    MAX_FRAME_AGE_SECONDS,
    SAMPLE_RATE,
    TICK_SECONDS,
    AudioBlock,
    BoolArray,
    Clip,
    FaceBox,
    VideoFrame,
    Waveform,
    sample_frames,
    tick_of,
)
from fer_core.preprocess.audio import LOWEST_DBFS, level_dbfs

LATE_SECONDS = 1.0  # a clip may be asked for so long after its end
TICKS_KEPT = math.ceil((CLIP_SECONDS + MAX_FRAME_AGE_SECONDS + LATE_SECONDS) / TICK_SECONDS)
SAMPLES_KEPT = int((CLIP_SECONDS + 2 * LATE_SECONDS) * SAMPLE_RATE)
# Block times jitter by some 10 ms; only beyond this was sound lost, or has the sound card's clock
# drifted from the computer's (50 parts in a million: every half an hour).
DRIFT_SAMPLES = int(0.1 * SAMPLE_RATE)
LEVEL_SAMPLES = int(0.1 * SAMPLE_RATE)
LEVEL_OUTDATED_SECONDS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """A frame and the faces in it."""

    frame: VideoFrame
    face: FaceBox | None  # the one followed
    others: tuple[FaceBox, ...]


class RecentMedia:
    """Thread-safe; every method returns at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._audio_losses = 0
        self.forget_frames()
        self.forget_sound()

    def forget_frames(self) -> None:
        """Another camera follows, or none."""
        with self._guard:
            self._seen: list[SeenFrame] = []  # in order of time, one for each sampling tick

    def forget_sound(self) -> None:
        """Another microphone follows, or none."""
        with self._guard:
            # _samples[-1] is the sample before _sample_end, counted from time 0 of the clock.
            self._samples: Waveform = np.zeros(SAMPLES_KEPT, np.float32)
            self._real: BoolArray = np.zeros(SAMPLES_KEPT, np.bool_)
            self._sample_end: int | None = None

    # ---------------------------------------------------------------- frames

    def add_frame(
        self, frame: VideoFrame, face: FaceBox | None, others: tuple[FaceBox, ...] = ()
    ) -> None:
        """The next frame; one that is not newer than the last is ignored.

        Of the frames between two sampling ticks only the newest can enter a clip, so only that is
        kept: 3 s of a camera with 120 frames a second are 16 frames here.
        """
        with self._guard:
            if self._seen and frame.time_s <= self._seen[-1].frame.time_s:
                return
            tick = tick_of(frame.time_s)
            if self._seen and tick_of(self._seen[-1].frame.time_s) == tick:
                self._seen.pop()
            self._seen.append(SeenFrame(frame, face, others))
            while tick_of(self._seen[0].frame.time_s) <= tick - TICKS_KEPT:
                self._seen.pop(0)

    def newest(self) -> SeenFrame | None:
        """The newest frame, for the preview; None before the first."""
        with self._guard:
            return self._seen[-1] if self._seen else None

    # ----------------------------------------------------------------- sound

    def add_audio(self, block: AudioBlock) -> None:
        """The next sound: 16 kHz, mono.

        A block whose time agrees with the sound before it to within 100 ms is appended sample for
        sample. Otherwise its time is believed: silence that is marked not real fills a gap, and
        sound that overlaps what is there replaces it. After an overflow sound is known to be
        missing, and its time is believed at once.

        Raises:
            ValueError: another sample rate, or more than one channel.
        """
        if block.sample_rate != SAMPLE_RATE or block.samples.ndim != 1:
            raise ValueError(
                f"sound must be mono at {SAMPLE_RATE} Hz, "
                f"got {block.samples.shape} at {block.sample_rate} Hz"
            )
        start = round(block.time_s * SAMPLE_RATE)
        samples = block.samples[-SAMPLES_KEPT:]
        with self._guard:
            self._audio_losses += block.overflowed
            if self._sample_end is None:
                self._sample_end = start
            gap = start - self._sample_end
            if -DRIFT_SAMPLES <= gap <= (0 if block.overflowed else DRIFT_SAMPLES):
                start = self._sample_end
            self._end_at(start)
            self._end_at(start + len(block.samples))
            self._samples[SAMPLES_KEPT - len(samples) :] = samples
            self._real[SAMPLES_KEPT - len(samples) :] = True

    @property
    def audio_until(self) -> float | None:
        """The time after the newest sample."""
        with self._guard:
            return None if self._sample_end is None else self._sample_end / SAMPLE_RATE

    @property
    def audio_losses(self) -> int:
        """How many blocks came after the driver or the program had lost sound."""
        with self._guard:
            return self._audio_losses

    def audio_level(self, now_s: float) -> float | None:
        """RMS level of the last 100 ms heard, in dBFS, -120 to 0; None if that is long ago."""
        with self._guard:
            end = self._sample_end
            if end is None or now_s - end / SAMPLE_RATE > LEVEL_OUTDATED_SECONDS:
                return None
            heard = self._samples[-LEVEL_SAMPLES:][self._real[-LEVEL_SAMPLES:]]
        level = level_dbfs(heard)
        return LOWEST_DBFS if level is None else level

    # ------------------------------------------------------------------ both

    def clip(self, end_s: float) -> Clip:
        """The 3 s before ``end_s``, which lies on a sampling tick and at most 1 s in the past.

        What is not there is masked. Between two ticks a frame may be a tick older than it need be.
        """
        start_s = end_s - CLIP_SECONDS
        with self._guard:
            seen = list(self._seen)
            waveform, real = self._cut(round(end_s * SAMPLE_RATE))
        frames = sample_frames([one.frame for one in seen], start_s)
        faces = {one.frame.time_s: one.face for one in seen}
        return Clip(
            start_s=start_s,
            frames=frames,
            faces=tuple(None if frame is None else faces[frame.time_s] for frame in frames),
            waveform=waveform,
            waveform_mask=real,
        )

    def _end_at(self, end: int) -> None:
        """Move the kept stretch of sound so that it ends at ``end``; new places are not real."""
        assert self._sample_end is not None
        by, self._sample_end = end - self._sample_end, end
        for kept in (self._samples, self._real):
            if by > 0:
                kept[:-by] = kept[by:]
                kept[-by:] = 0
            elif by < 0:
                kept[-by:] = kept[:by]
                kept[:-by] = 0

    def _cut(self, end: int) -> tuple[Waveform, BoolArray]:
        """Copies of the samples of ``[end - 48000, end)`` and of which of them are real."""
        waveform: Waveform = np.zeros(CLIP_SAMPLES, np.float32)
        real: BoolArray = np.zeros(CLIP_SAMPLES, np.bool_)
        if self._sample_end is None:
            return waveform, real
        begin = end - CLIP_SAMPLES
        kept_from = self._sample_end - SAMPLES_KEPT
        first, last = max(begin, kept_from), min(end, self._sample_end)
        if first < last:
            source = slice(first - kept_from, last - kept_from)
            target = slice(first - begin, last - begin)
            waveform[target] = self._samples[source]
            real[target] = self._real[source]
        return waveform, real
