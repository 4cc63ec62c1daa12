"""One picture of a file, exactly the one that is shown at a time.

Qt's player cannot always find it. A transport or program stream has no index, so FFmpeg looks for a
time stamp and decodes from the next key frame after it: up to a group of pictures late (0.44 s in
an MPEG-1 file, 1.3 s in an H.264 transport stream). Nor can it play every codec that PyAV decodes
(AV1). Takes as long as decoding from the last key frame does: call it on a thread.
"""

from __future__ import annotations

from pathlib import Path

from fer_core.data.media_picture import frames
from fer_core.media import VideoFrame

# Player and decoder round the time of a frame differently, to a microsecond or a millisecond.
SAME_SECONDS = 0.0005


def shown_at(path: Path, time_s: float) -> VideoFrame | None:
    """The newest frame at or before ``time_s``; None before the first one.

    Raises:
        UserError: the file is not there any more, may not be read or has no picture.
    """
    time_s += SAME_SECONDS
    frame = next(frames(path, time_s, on_damage=_ignore), None)
    return frame if frame is not None and frame.time_s <= time_s else None


def shown_after(path: Path, time_s: float) -> VideoFrame | None:
    """The first frame after the one that is shown at ``time_s``; None after the last one.

    Raises:
        UserError: as :func:`shown_at`.
    """
    time_s += SAME_SECONDS
    shown = frames(path, time_s, on_damage=_ignore)
    return next((frame for frame in shown if frame.time_s > time_s), None)


def _ignore(_what: str) -> None:
    pass
