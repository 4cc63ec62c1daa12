"""A silent recording as a folder of pictures: one frame a file, shown at a rate told elsewhere.

Frames come in the order of the numbers in their names, 2.jpg before 10.jpg. Frame k is shown from
``k / rate`` seconds on, the last one until the recording's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fer_core.data.corpora.folders import PICTURE_SUFFIXES
from fer_core.data.damage import OnDamage, each_once, without_time
from fer_core.data.media_info import MediaInfo
from fer_core.data.media_picture import newest_at
from fer_core.data.stills import read_picture
from fer_core.errors import UserError
from fer_core.media import VideoFrame

_Shown = tuple[int, float, Path]  # index, time in seconds, file


def frame_paths(folder: Path) -> list[Path]:
    """The pictures in ``folder``, in order.

    Raises:
        UserError: it cannot be read, or there are none.
    """
    try:
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
        ]
    except OSError as error:
        raise UserError(f"The folder “{folder}” cannot be read: {error.strerror}.") from error
    if not paths:
        raise UserError(f"There is no picture in “{folder}”.", "Copy it again.")
    return sorted(paths, key=lambda path: (_numbers(path.stem), path.name))


def folder_info(folder: Path, rate: float) -> MediaInfo:
    """What ``folder`` holds, shown at ``rate`` frames a second; the first frame is decoded.

    Raises:
        UserError: there is no picture in it, or the first cannot be read.
    """
    paths = frame_paths(folder)
    height, width = read_picture(paths[0]).shape[:2]
    return MediaInfo(
        duration_s=len(paths) / rate,
        has_sound=False,
        has_picture=True,
        fps=rate,
        size=(width, height),
        frames=len(paths),
        sample_rate=None,
        channels=None,
    )


def folder_frames(
    folder: Path,
    rate: float,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamage | None = None,
) -> Iterator[VideoFrame]:
    """The frame shown at ``start_s`` and all that follow before ``end_s``.

    One that cannot be read is passed over and told to ``on_damage``, by default the log.

    Raises:
        UserError: there is no picture in ``folder``.
    """
    yield from _read(folder, _shown(folder, rate, start_s, end_s), on_damage)


def folder_frames_at(
    folder: Path,
    rate: float,
    times_s: Iterable[float],
    start_s: float = 0.0,
    end_s: float | None = None,
) -> Iterator[VideoFrame]:
    """Those of :func:`folder_frames` that are the newest at one at least of ``times_s``.

    Only they are decoded.

    Raises:
        UserError: there is no picture in ``folder``.
    """
    shown = _shown(folder, rate, start_s, end_s)
    yield from _read(folder, newest_at(shown, times_s, lambda frame: frame[1]), None)


def _shown(folder: Path, rate: float, start_s: float, end_s: float | None) -> Iterator[_Shown]:
    for index, path in enumerate(frame_paths(folder)):
        if end_s is not None and index / rate >= end_s:
            return
        if (index + 1) / rate > start_s:
            yield index, index / rate, path


def _read(
    folder: Path, wanted: Iterable[_Shown], on_damage: OnDamage | None
) -> Iterator[VideoFrame]:
    tell = each_once(without_time(folder, on_damage))
    for index, time_s, path in wanted:
        try:
            image = read_picture(path)
        except UserError:
            tell("some of its frames cannot be read", time_s)
            continue
        yield VideoFrame(image, time_s, index)


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
