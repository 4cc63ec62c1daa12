"""One picture of a file, exactly the one that is shown at a time.

Qt's player cannot always find it. A transport or program stream has no index, so FFmpeg looks for a
time stamp and decodes from the next key frame after it: up to a group of pictures late (0.44 s in
an MPEG-1 file, 1.3 s in an H.264 transport stream). Nor can it play every codec that PyAV decodes
(AV1). Here the search begins further back until the picture before is found. Takes as long as
decoding from the last key frame does: call it on a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fer_core.data.damage import ignore
from fer_core.data.media_picture import frames, frames_at
from fer_core.media import VideoFrame

# How far before a time the search begins: where there is an index, at once; else further back.
_BACK_SECONDS = (0.0, 2.0, 12.0)
# Player and decoder round the time of a frame differently, to a microsecond or a millisecond.
SAME_SECONDS = 0.0005


def shown_at(path: Path, time_s: float) -> VideoFrame | None:
    """The newest frame at or before ``time_s``; None before the first one.

    Raises:
        UserError: the file is not there any more, may not be read or has no picture.
    """
    time_s += SAME_SECONDS
    for start_s in _starts(time_s):
        frame = next(frames_at(path, [time_s], start_s, on_damage=ignore), None)
        if frame is not None:
            return frame
    return None


def shown_after(path: Path, time_s: float) -> VideoFrame | None:
    """The first frame after the one that is shown at ``time_s``; None after the last one.

    Raises:
        UserError: as :func:`shown_at`.
    """
    time_s += SAME_SECONDS
    for start_s in _starts(time_s):
        before = None
        for frame in frames(path, start_s, on_damage=_ignore):
            if frame.time_s > time_s:
                if before is None and start_s > 0:
                    break  # others may lie between
                return frame
            before = frame
    return None


def _starts(time_s: float) -> Iterator[float]:
    """Where to begin, ever further back and last at the beginning."""
    for back_s in _BACK_SECONDS:
        if time_s - back_s > 0:
            yield time_s - back_s
    yield 0.0


def _ignore(_what: str) -> None:
    pass
