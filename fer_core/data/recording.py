"""The picture of a recording, whether it lies in a media file or in a folder of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fer_core.data.damage import OnDamage
from fer_core.data.frame_folder import folder_frames, folder_frames_at, folder_info
from fer_core.data.item import Item
from fer_core.data.media_info import MediaInfo, Tracks, probe, tracks
from fer_core.data.media_picture import frames, frames_at
from fer_core.media import VideoFrame


def recording_info(path: Path, frame_rate: float | None) -> MediaInfo:
    """What an item's file, or its folder of frames, holds.

    Raises:
        UserError: it cannot be opened.
    """
    return probe(path) if frame_rate is None else folder_info(path, frame_rate)


def recording_tracks(path: Path, frame_rate: float | None) -> Tracks:
    """What it promises to hold; of a media file nothing is decoded.

    Raises:
        UserError: it cannot be opened.
    """
    if frame_rate is None:
        return tracks(path)
    info = folder_info(path, frame_rate)
    return Tracks(info.duration_s, info.has_sound, info.has_picture)


def recording_frames(item: Item, on_damage: OnDamage | None = None) -> Iterator[VideoFrame]:
    """All frames of ``item``, which has a picture.

    Raises:
        UserError: it cannot be opened.
    """
    if item.frame_rate is None:
        return frames(item.path, item.start_s, item.end_s, on_damage)
    return folder_frames(item.path, item.frame_rate, item.start_s, item.end_s, on_damage)


def recording_frames_at(
    item: Item, times_s: Iterable[float], end_s: float, on_end: Callable[[float], None]
) -> Iterator[VideoFrame]:
    """Those of them, up to ``end_s``, that are the newest at one at least of ``times_s``.

    ``on_end`` is told when the last frame ends, if that is known to be before ``end_s``.

    Raises:
        UserError: it cannot be opened.
    """
    if item.frame_rate is None:
        return frames_at(item.path, times_s, item.start_s, end_s, on_end=on_end)
    return folder_frames_at(item.path, item.frame_rate, times_s, item.start_s, end_s)
