"""The frames of a media file, RGB (H, W, 3), each with the time at which it is shown.

Times are seconds from the file's own beginning, the clock of its sound. A damaged file gives what
can be decoded; what is missing is told to ``on_damage``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData

from fer_core.data.container import (
    decoded_frames,
    has_all,
    opened,
    origin_of,
    picture_track,
    seek,
    track_end,
)
from fer_core.data.damage import OnDamage, OnDamageAt, each_once, without_time
from fer_core.errors import UserError
from fer_core.fitting import fitted
from fer_core.media import RgbImage, VideoFrame

Frame = TypeVar("Frame")

# How far before a time the search for its frame goes on where seeking led behind it, and then each
# time how many times as far.
FIRST_BACK_SECONDS = 2.0
FARTHER = 6

FULL_TURN = 1 << 16  # one, in the fixed-point numbers of a display matrix


class _Shown(NamedTuple):
    """A decoded frame."""

    frame: Any
    time_s: float
    track: Any
    size: tuple[int, int]  # (width, height) of the file's first frame, in which it is shown


def frames(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamage | None = None,
) -> Iterator[VideoFrame]:
    """The frame shown at ``start_s`` and all that follow before ``end_s``, in order of time.

    Times are presentation times, so any frame rate and a changing one are right; pictures are
    turned and mirrored as the file asks, and all of the first one's size: another is fitted into
    it. ``index`` is the time in the file's own units: it grows, and names the same frame wherever
    reading began.

    Raises:
        UserError: the file is not there, may not be read, is no media file or has no picture.
    """
    for shown in _shown(path, start_s, end_s, without_time(path, on_damage)):
        yield _video_frame(shown)


def frames_at(
    path: Path,
    times_s: Iterable[float],
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamageAt | None = None,
    on_end: Callable[[float], None] = lambda _: None,
) -> Iterator[VideoFrame]:
    """Those of :func:`frames` that are the newest at one at least of ``times_s``, which ascend.

    Only they become RGB: of a film at 30 frames a second, one in six. ``on_end`` is told when the
    file's last frame ends, where the file says so and it was read.

    Raises:
        UserError: as in :func:`frames`.
    """
    shown = _shown(path, start_s, end_s, on_damage or without_time(path, None), on_end)
    for newest in newest_at(shown, times_s, lambda one: one.time_s):
        yield _video_frame(newest)


def newest_at(
    frames: Iterable[Frame], times_s: Iterable[float], time_of: Callable[[Frame], float]
) -> Iterator[Frame]:
    """Those of ``frames`` that are the newest at one at least of ``times_s``; both ascend."""
    times = iter(times_s)
    time_s = next(times, None)
    newest: Frame | None = None
    for frame in frames:
        wanted = False
        while time_s is not None and time_s < time_of(frame):
            wanted, time_s = True, next(times, None)
        if wanted and newest is not None:
            yield newest
        newest = frame
    if newest is not None and time_s is not None:
        yield newest


def _shown(
    path: Path,
    start_s: float,
    end_s: float | None,
    on_damage: OnDamageAt,
    on_end: Callable[[float], None] = lambda _: None,
) -> Iterator[_Shown]:
    """Decoded frames, from the one shown at ``start_s`` on."""
    tell = each_once(on_damage)
    for begin_s in _begins(start_s):
        if (yield from _shown_from(path, begin_s, start_s, end_s, tell, on_end)):
            return


def _begins(start_s: float) -> Iterator[float]:
    """Where reading may begin, ever further back and last at the beginning.

    With an index the first place is right. Without, as in a transport stream, FFmpeg looks for a
    time stamp, and the next key frame behind it may come seconds later, or never.
    """
    back_s = 0.0
    while back_s < start_s:
        yield start_s - back_s
        back_s = FARTHER * back_s or FIRST_BACK_SECONDS
    yield 0.0


def _shown_from(
    path: Path,
    begin_s: float,
    start_s: float,
    end_s: float | None,
    on_damage: OnDamageAt,
    on_end: Callable[[float], None],
) -> Generator[_Shown, None, bool]:
    """False, and nothing read, if from ``begin_s`` the frame shown at ``start_s`` is not found."""
    begun = begin_s == 0

    def tell(what: str, time_s: float) -> None:
        if begun:  # else it is what the seek left out
            on_damage(what, time_s)

    with opened(path) as container:
        track = picture_track(container)
        if track is None:
            raise UserError(
                f"“{path}” has no picture.", "Choose a video, or leave the picture out."
            )
        origin = origin_of(container)
        seek(container, begin_s)
        # Of the first frame, or what the header says of it.
        size = (track.width, track.height) if begin_s > 0 else None
        first: _Shown | None = None  # the newest frame not after start_s
        last_s, shown_s, number = -np.inf, 0.0, 0
        for frame in decoded_frames(path, container, track, tell, start_s):
            number += 1
            ticks = frame.pts if frame.pts is not None else frame.dts
            if ticks is None or (time_s := float(ticks * frame.time_base) - origin) <= last_s:
                continue
            begun = begun or time_s <= start_s
            if not begun:
                return False
            last_s, shown_s = time_s, float((frame.duration or 0) * frame.time_base)
            if end_s is not None and time_s >= end_s:
                break
            size = size or (frame.width, frame.height)
            shown = _Shown(frame, time_s, track, size)
            if time_s <= start_s:
                first = shown
                continue
            if first is not None:
                yield first
                first = None
            yield shown
        else:
            if begun and has_all(track, number):
                # MP4 tells lengths in order of decoding: the last frame's may be another's.
                shown_s = max(shown_s, track_end(container, track) - origin - last_s)
            if shown_s > 0:
                on_end(last_s + shown_s)
        if first is not None:
            yield first
    return begun


def _video_frame(shown: _Shown) -> VideoFrame:
    index = shown.frame.pts if shown.frame.pts is not None else shown.frame.dts
    return VideoFrame(rgb(shown.frame, shown.track, shown.size), shown.time_s, index)


def rgb(frame: Any, track: Any, size: tuple[int, int] | None = None) -> RgbImage:
    """(H, W, 3) as it is meant to be seen: square pixels, turned, mirrored.

    ``size``: the stored (width, height) into which it is fitted, by default its own.
    """
    aspect = float(track.sample_aspect_ratio or 1)
    across = aspect if 0.5 <= aspect <= 2 else 1.0
    image: RgbImage = frame.to_ndarray(format="rgb24", width=round(frame.width * across))
    if size is not None:
        image = fitted(image, (round(size[0] * across), size[1]))
    # Not ``frame.side_data``, which the frame keeps and which keeps the frame: both would stay in
    # memory until the garbage collector came, hundreds of frames later.
    side_data = SideDataContainer.__new__(SideDataContainer)
    # Reading them ends at a kind that PyAV does not know, such as EXIF, but keeps those before it:
    # FFmpeg puts the matrix that EXIF asks for in front of it.
    with suppress(ValueError):
        side_data.__init__(frame)  # type: ignore[misc]  # its stub has no constructor
    matrix = side_data.get(SideData.DISPLAYMATRIX)
    return image if matrix is None else turned(image, np.frombuffer(bytes(matrix), np.int32, 9))


def turned(image: RgbImage, matrix: Any) -> RgbImage:
    """``image`` as a display matrix (9,) of the ISO base media format says.

    Of right angles and mirrors, which are all that cameras write; another angle is left alone.
    """
    # A stored pixel (x, y) is shown at (a x + c y, b x + d y).
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if (abs(a), abs(b), abs(c), abs(d)) == (0, FULL_TURN, FULL_TURN, 0):
        image, across, down = image.swapaxes(0, 1), c, b
    elif (abs(a), abs(b), abs(c), abs(d)) == (FULL_TURN, 0, 0, FULL_TURN):
        across, down = a, d
    else:
        return image
    return np.ascontiguousarray(image[:: np.sign(down), :: np.sign(across)])
