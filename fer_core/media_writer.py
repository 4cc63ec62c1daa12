"""Frames RGB (H, W, 3) and sound (n,) at their own times -> one MP4 file, H.264 and AAC.

Written as FFmpeg's hybrid MP4: fragments of half a second go to the disk as they are made, so what
was written before a crash plays, and closing turns the file into a plain MP4 that every player can
seek in. (Matroska survives a crash too, but stays without an index, and fewer players open it.)
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from fer_core.errors import UserError
from fer_core.fitting import fitted
from fer_core.media import RgbImage, Waveform
from fer_core.whole_file import unwritable

FRAGMENT_SECONDS = 0.5  # what a crash may cost, and about as much that the encoder still holds
QUALITY = 23  # of x264: its own default, seldom told from the original
CLOCK = 90_000  # ticks a second of the picture's times, as MPEG counts
# Clocks of cameras and microphones differ by less; a larger step is a hole or an overlap.
IN_STEP_SECONDS = 0.05
BIT_RATE = 96_000  # of a channel of sound
BITS_PER_SAMPLE = 6  # AAC cannot hold more
MICROSECONDS = 1_000_000  # FFmpeg's options count in them


class MediaWriter:
    """One file that is being written, by one thread; memory does not grow with its length.

    Times are seconds from the file's beginning. Frames may come at any rate, a changing one too;
    one that is not after the one before it is left out. Sound is laid where its time says: a hole
    becomes silence, and what was heard before is not heard twice.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int] | None = None,
        sample_rate: int | None = None,
        channels: int = 1,
        fps: float = 30.0,
    ) -> None:
        """
        Args:
            path: an MP4 by its content, whatever its suffix; what was there is replaced.
            size: (width, height) of the picture; None writes no picture.
            sample_rate: Hz of the sound, one that AAC knows (8,000 to 96,000); None writes none.
            channels: 1 or 2.
            fps: about how many frames come in a second; a key frame is made that often.

        Raises:
            UserError: the file cannot be written there.
            ValueError: neither picture nor sound, or a sample rate that AAC does not know.
        """
        if size is None and sample_rate is None:
            raise ValueError("neither size nor sample_rate: nothing to write")
        if sample_rate is not None and sample_rate not in av.Codec("aac", "w").audio_rates:
            raise ValueError(f"AAC has no sample rate of {sample_rate} Hz")
        self._path = path
        self._size = size
        self._last_tick = -1
        self._shown: Any = None  # the newest coded picture, until its length is known
        self._waiting: NDArray[np.float32] = np.zeros((channels, 0), np.float32)
        self._encoded = 0  # samples
        self._failed = False  # to write; then nothing more is tried
        options = {
            # The header waits for the first fragment, or it could not tell how much of the sound
            # the encoder put in front: 1024 samples, 64 ms at 16 kHz.
            "movflags": "hybrid_fragmented+delay_moov",
            "frag_duration": str(round(FRAGMENT_SECONDS * MICROSECONDS)),
            "flush_packets": "1",  # or half a fragment may lie on the disk
            # A microphone that went silent must not hold back the picture.
            "max_interleave_delta": str(round(FRAGMENT_SECONDS * MICROSECONDS)),
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = av.open(f"file:{path}", "w", format="mp4", options=options)
            self._picture: Any = None if size is None else self._picture_track(size, fps)
            self._sound: Any = None
            if sample_rate is not None:
                self._sound = self._sound_track(sample_rate, channels)
            self._file.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(path, error) from error

    @property
    def sound_s(self) -> float:
        """Where the sound written so far ends."""
        if self._sound is None:
            return 0.0
        return (self._encoded + self._waiting.shape[1]) / self._sound.sample_rate

    def write_frame(self, image: RgbImage, time_s: float) -> None:
        """Add a picture (H, W, 3), RGB; one of another size is fitted into the file's.

        Raises:
            UserError: the file cannot be written on; close it.
            ValueError: the file has no picture.
        """
        if self._picture is None or self._size is None:
            raise ValueError("the file was begun without a picture")
        tick = round(time_s * CLOCK)
        if tick <= self._last_tick:
            return
        self._last_tick = tick
        frame = av.VideoFrame.from_ndarray(_evenly_sized(image, self._size), format="rgb24")
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = tick, Fraction(1, CLOCK)
        self._encode(self._picture, frame)

    def write_sound(self, waveform: Waveform, time_s: float) -> None:
        """Add samples (n,) or (channels, n), -1 to 1, the first of them heard at ``time_s``.

        Raises:
            UserError: the file cannot be written on; close it.
            ValueError: the file has no sound.
        """
        if self._sound is None:
            raise ValueError("the file was begun without sound")
        rate = self._sound.sample_rate
        samples = np.atleast_2d(waveform)
        late = round((time_s - self.sound_s) * rate)
        if late < -IN_STEP_SECONDS * rate:
            samples = samples[:, -late:]
        silence = late if late > IN_STEP_SECONDS * rate else 0
        for begin in range(0, silence, rate):  # it may be hours long
            self._add_sound(np.zeros((len(samples), min(rate, silence - begin)), np.float32))
        self._add_sound(samples)

    def close(self) -> None:
        """Write what is left and make the file a plain MP4.

        Raises:
            UserError: not all could be written; what was before plays.
        """
        if self._file is None:
            return
        try:
            if not self._failed:
                if self._picture is not None:
                    self._encode(self._picture, None)
                if self._sound is not None:
                    if self._waiting.shape[1]:
                        self._encode(self._sound, self._sound_frame(self._waiting))
                    self._encode(self._sound, None)
        finally:
            file, self._file = self._file, None
            with suppress(UserError) if self._failed else nullcontext():  # told already
                self._end(file)

    def _end(self, file: Any) -> None:
        try:
            file.close()
        except (av.error.FFmpegError, OSError) as error:
            raise unwritable(self._path, error) from error

    def _mux_shown(self, packet: Any) -> None:
        """Write the picture before this one, whose length is known now.

        With the codec's guess, one by ``fps``, a fragment's end and all after it would be moved.
        """
        shown, self._shown = self._shown, packet
        if shown is not None:
            shown.duration = packet.pts - shown.pts
            self._file.mux(shown)

    def _picture_track(self, size: tuple[int, int], fps: float) -> Any:
        track = self._file.add_stream("libx264", rate=max(round(fps), 1))
        track.width, track.height = (side + side % 2 for side in size)  # H.264 has no odd sizes
        track.pix_fmt = "yuv420p"
        context = track.codec_context
        context.time_base = Fraction(1, CLOCK)
        context.gop_size = max(round(fps), 1)
        # Said in the file, or players take small pictures for BT.601 and large ones for BT.709.
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        track.options = {"preset": "veryfast", "crf": str(QUALITY), "bf": "0"}
        return track

    def _sound_track(self, sample_rate: int, channels: int) -> Any:
        layout = {1: "mono", 2: "stereo"}[channels]
        track = self._file.add_stream("aac", rate=sample_rate, layout=layout)
        track.bit_rate = channels * min(BIT_RATE, BITS_PER_SAMPLE * sample_rate)
        return track

    def _add_sound(self, samples: NDArray[np.float32]) -> None:
        """Encode all whole blocks of the codec; the rest waits."""
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        block = self._sound.codec_context.frame_size or 1024
        while self._waiting.shape[1] >= block:
            frame = self._sound_frame(self._waiting[:, :block])
            self._waiting = self._waiting[:, block:]
            self._encode(self._sound, frame)

    def _sound_frame(self, samples: NDArray[np.float32]) -> Any:
        planes = np.ascontiguousarray(samples, np.float32)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=self._sound.layout.name)
        frame.sample_rate = self._sound.sample_rate
        frame.pts, frame.time_base = self._encoded, Fraction(1, self._sound.sample_rate)
        self._encoded += samples.shape[1]
        return frame

    def _encode(self, track: Any, frame: Any) -> None:
        """``frame`` None: what the codec still holds."""
        try:
            for packet in track.encode(frame):
                if track is self._picture:
                    self._mux_shown(packet)
                else:
                    self._file.mux(packet)
            if frame is None and track is self._picture and self._shown is not None:
                self._file.mux(self._shown)
        except (av.error.FFmpegError, OSError) as error:
            self._failed = True
            raise unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _evenly_sized(image: RgbImage, size: tuple[int, int]) -> RgbImage:
    """``image`` fitted into ``size``, black around it; an odd side's edge is repeated once."""
    width, height = size
    image = fitted(image, size)
    if width % 2 or height % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
