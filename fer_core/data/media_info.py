"""What a media file holds, as its header says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_core.data.container import (
    decoded_frames,
    duration_of,
    not_media,
    opened,
    picture_track,
    sound_track,
)
from fer_core.data.damage import ignore
from fer_core.data.media_picture import rgb
from fer_core.errors import UserError


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the header of a file says."""

    duration_s: float
    has_sound: bool
    has_picture: bool
    fps: float | None  # on average; None without picture
    size: tuple[int, int] | None  # (width, height) in pixels as shown, that is after rotation
    frames: int | None  # told, or from length and rate; None without picture
    sample_rate: int | None  # Hz, as stored; None without sound
    channels: int | None


@dataclass(frozen=True, slots=True)
class Tracks:
    """What can be told of a file without decoding any of it."""

    duration_s: float
    has_sound: bool
    has_picture: bool


def tracks(path: Path) -> Tracks:
    """The tracks that the header of ``path`` promises: 1 to 4 ms, a tenth of :func:`probe`.

    Raises:
        UserError: the file is not there, may not be read, or holds neither sound nor picture.
    """
    with opened(path) as container:
        sound, picture = sound_track(container), picture_track(container)
        return Tracks(duration_of(container), sound is not None, picture is not None)


def probe(path: Path, track_number: int | None = None) -> MediaInfo:
    """What ``path`` holds; nothing but its first frame is decoded.

    Args:
        track_number: which of several sound tracks is told of, from 1; by default the main one.

    Raises:
        UserError: the file is not there, may not be read, holds neither sound nor picture, or not
            so many sound tracks, or does not say when anything of it is shown.
    """
    with opened(path) as container:
        sound, picture = sound_track(container, track_number), picture_track(container)
        first = size = None
        if picture is not None:
            first = next(decoded_frames(path, container, picture, ignore), None)
            size = None if first is None else rgb(first, picture).shape[1::-1]
        if sound is None and size is None:  # noise that calls itself a picture
            raise not_media(path)
        duration_s = duration_of(container)
        if first is not None and not duration_s and first.pts is None and first.dts is None:
            raise UserError(  # raw H.264
                f"“{path}” does not say when its frames are shown.",
                "Give it its frame rate first: ffmpeg -r 30 -i FILE film.mp4",
            )
        fps = float(picture.average_rate) if size and picture.average_rate else None
        return MediaInfo(
            duration_s=duration_s,
            has_sound=sound is not None,
            has_picture=size is not None,
            fps=fps,
            size=size,
            frames=(picture.frames or round(duration_s * (fps or 0))) if size else None,
            sample_rate=sound.sample_rate if sound is not None else None,
            channels=sound.channels if sound is not None else None,
        )
