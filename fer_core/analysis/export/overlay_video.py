"""The file itself as a video, H.264 and AAC, with what was found drawn into its picture.

Frame by frame, with the times they had, turned as the file asks; where one stands still, it comes
again for each segment. Memory does not grow with the file's length. Of sound alone a dark picture
with the bars is made.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from fer_core.analysis.export.overlay_picture import DARK, OverlayPainter
from fer_core.analysis.timeline import Segment, Timeline
from fer_core.data.container import decoded_frames, opened, origin_of, sound_track
from fer_core.data.damage import ignore
from fer_core.data.media_picture import frames
from fer_core.data.media_sound import placed
from fer_core.media import SEGMENT_SECONDS, VideoFrame
from fer_core.media_writer import MediaWriter
from fer_core.whole_file import unwritable, whole

WITHOUT_PICTURE = (640, 360)  # pixels
SOUND_RATE = 48_000  # Hz, where AAC does not know the file's own


def overlay_video(
    timelines: Sequence[Timeline], path: Path, sound_track: int | None = None
) -> Generator[float]:
    """Write the video to ``path``, by rename when it is whole; yields how many seconds are done.

    Close the generator to cancel: nothing is left then.

    Args:
        timelines: of one file; several are those of its faces.
        sound_track: the one that is heard, from 1; by default the file's main one.

    Raises:
        UserError: the file cannot be read any more, or the video cannot be written.
    """
    source = timelines[0].source
    size = WITHOUT_PICTURE if source.video is None else (source.video.width, source.video.height)
    fps = max(1 / SEGMENT_SECONDS, 0.0 if source.video is None else source.video.fps)
    pictures = frames(Path(source.path), on_damage=lambda _: None)
    if source.video is None:
        pictures = _dark_pictures(timelines[0])
    painter = OverlayPainter(timelines, size)
    rate = channels = None
    if source.audio is not None:
        channels = min(source.audio.channels, 2)
        known = source.audio.sample_rate in av.Codec("aac", "w").audio_rates
        rate = source.audio.sample_rate if known else SOUND_RATE
    try:
        with (
            whole(path) as draft,
            MediaWriter(draft, size, rate, channels or 1, fps) as file,
            closing(_sound(Path(source.path), rate, channels or 1, sound_track)) as sound,
        ):
            block = next(sound, None)
            for frame in _held(pictures, timelines[0].segments):
                while block is not None and block.time_s <= frame.time_s:
                    file.write_sound(block.samples, block.time_s)
                    block = next(sound, None)
                file.write_frame(painter.draw(frame.image, frame.time_s), frame.time_s)
                yield frame.time_s
            while block is not None:
                file.write_sound(block.samples, block.time_s)
                yield block.time_s
                block = next(sound, None)
    except OSError as error:
        raise unwritable(path, error) from error


class _Block(NamedTuple):
    """Consecutive samples (channels, n), -1 to 1."""

    samples: NDArray[np.float32]
    time_s: float


def _sound(path: Path, rate: int | None, channels: int, number: int | None) -> Generator[_Block]:
    """As it was recorded, one channel or two; nothing if ``rate`` is None."""
    if rate is None:
        return
    with opened(path) as container:
        track, origin = sound_track(container, number), origin_of(container)
        sort: tuple[object, ...] = ()
        resampler: Any = None
        time_s = 0.0
        for frame in map(placed, decoded_frames(path, container, track, ignore)):
            if sort != (sort := (frame.sample_rate, frame.layout.name, frame.format.name)):
                layout = "mono" if channels == 1 else "stereo"
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            time_s = time_s if frame.time is None else frame.time - origin
            for part in resampler.resample(frame):
                yield _Block(part.to_ndarray(), time_s)
                time_s += part.samples / rate


def _held(pictures: Iterable[VideoFrame], segments: Sequence[Segment]) -> Iterator[VideoFrame]:
    """Where one is shown for longer than a segment, it begins anew with each, to the last's end."""
    starts_s = [segment.start_s for segment in segments]
    for frame, following in pairwise(chain(pictures, [None])):
        assert frame is not None
        yield frame
        until_s = segments[-1].end_s if following is None else following.time_s
        if until_s - frame.time_s > SEGMENT_SECONDS:
            first, end = bisect_right(starts_s, frame.time_s), bisect_left(starts_s, until_s)
            yield from (replace(frame, time_s=time_s) for time_s in starts_s[first:end])


def _dark_pictures(timeline: Timeline) -> Iterator[VideoFrame]:
    """One for each segment."""
    width, height = WITHOUT_PICTURE
    dark = np.full((height, width, 3), DARK, np.uint8)
    for number, segment in enumerate(timeline.segments):
        yield VideoFrame(dark, segment.start_s, number)
