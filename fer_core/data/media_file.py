"""A file on disk -> its sound, a waveform (n,) at 16 kHz, and its frames, RGB (H, W, 3).

Both are on one clock, seconds from the file's own beginning: what a player shows as 0:00. Sound
that starts late begins with zeros, and a hole in it is filled with zeros, so that sample k is
always heard at k / 16,000 s. Corpora and file analysis read through here.

A damaged file gives what can be decoded; what is missing is told to ``on_damage``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr
from av.sidedata.sidedata import Type as SideData

from fer_core.data.file_header import CUT_OFF, quick_fault
from fer_core.errors import UserError
from fer_core.media import SAMPLE_RATE, RgbImage, VideoFrame, Waveform

OnDamage = Callable[[str], None]  # told in a few words what is damaged, at most once for each kind
OnDamageAt = Callable[[str, float], None]  # and where it is first, in seconds

# Containers round times to 1 ms and codecs to a block: less is no hole in the sound.
HOLE_SECONDS = 0.05
# A track that ends this much before its own header says was cut off. Encoders' padding is shorter.
CUT_OFF_SECONDS = 0.25
# Codecs and resampler need a little sound before the first sample that is wanted.
PREROLL_SECONDS = 0.5
FULL_TURN = 1 << 16  # one, in the fixed-point numbers of a display matrix

# A local file is all that is opened: a playlist could name an address on the internet.
_OPTIONS = {"protocol_whitelist": "file"}
_TEXT_FORMATS = ("tty",)  # FFmpeg takes any text file for a picture made of letters

logger = logging.getLogger(__name__)


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


def probe(path: Path) -> MediaInfo:
    """What ``path`` holds; nothing but its first frame is decoded.

    Raises:
        UserError: the file is not there, may not be read, or holds neither sound nor picture.
    """
    with _opened(path) as container:
        sound, picture = _sound_track(container), _picture_track(container)
        size = None
        if picture is not None:
            first = next(_decoded(path, container, picture, _ignore), None)
            size = None if first is None else _rgb(first, picture).shape[1::-1]
        duration_s = _duration(container)
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


def read_sound(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamage | None = None,
) -> Waveform:
    """The sound of ``path`` in ``[start_s, end_s)``, (n,) at 16 kHz, -1 to 1, all channels mixed.

    ``n`` is ``(end_s - start_s) * 16000``, or less where the sound ends before; sample 0 is heard
    at ``start_s``. Sound at 16 kHz in one channel is returned exactly as it was stored.
    ``on_damage``: where damage is told; the log by default.

    Raises:
        UserError: the file is not there, may not be read, is no media file or has no sound.
    """
    blocks = list(sound_blocks(path, start_s, end_s, _without_time(path, on_damage)))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def sound_blocks(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamageAt | None = None,
) -> Iterator[Waveform]:
    """The same, block after block, so that a long file needs no more memory than a short one.

    Raises:
        UserError: as in :func:`read_sound`.
    """
    tell = _each_once(on_damage or _without_time(path, None))
    with _opened(path) as container:
        track = _sound_track(container)
        if track is None:
            raise UserError(
                f"“{path}” has no sound track.", "Choose a file with sound, or leave sound out."
            )
        # From a whole second, where both sample rates have a sample: the same time then becomes
        # the same samples wherever reading began.
        begin_s = float(max(math.floor(start_s - PREROLL_SECONDS), 0))
        _seek(container, begin_s)
        early = round((start_s - begin_s) * SAMPLE_RATE)  # samples before the first that is wanted
        wanted = math.inf if end_s is None else round((end_s - start_s) * SAMPLE_RATE)
        for block in _resampled(_mono(path, container, track, begin_s, end_s, tell)):
            samples = block[early : early + int(min(wanted, len(block)))]
            early, wanted = max(early - len(block), 0), wanted - len(samples)
            if len(samples):
                yield np.clip(samples, -1, 1)  # mixing and resampling overshoot a little


def frames(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamage | None = None,
) -> Iterator[VideoFrame]:
    """The frame shown at ``start_s`` and all that follow before ``end_s``, in order of time.

    Times are presentation times, so any frame rate and a changing one are right; pictures are
    turned and mirrored as the file asks. ``index`` is the time in the file's own units: it grows,
    and names the same frame wherever reading began.

    Raises:
        UserError: as in :func:`read_sound`, for the picture.
    """
    for frame, time_s, track in _shown(path, start_s, end_s, _without_time(path, on_damage)):
        yield _video_frame(frame, time_s, track)


def frames_at(
    path: Path,
    times_s: Iterable[float],
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamageAt | None = None,
) -> Iterator[VideoFrame]:
    """Those of :func:`frames` that are the newest at one at least of ``times_s``, which ascend.

    Only they become RGB: of a film at 30 frames a second, one in six.

    Raises:
        UserError: as in :func:`frames`.
    """
    times = iter(times_s)
    time_s = next(times, None)
    newest: tuple[Any, float, Any] | None = None
    for shown in _shown(path, start_s, end_s, on_damage or _without_time(path, None)):
        wanted = False
        while time_s is not None and time_s < shown[1]:
            wanted, time_s = True, next(times, None)
        if wanted and newest is not None:
            yield _video_frame(*newest)
        newest = shown
    if newest is not None and time_s is not None:
        yield _video_frame(*newest)


def _shown(
    path: Path, start_s: float, end_s: float | None, on_damage: OnDamageAt
) -> Iterator[tuple[Any, float, Any]]:
    """Decoded frames, each with its time and its track."""
    tell = _each_once(on_damage)
    with _opened(path) as container:
        track = _picture_track(container)
        if track is None:
            raise UserError(
                f"“{path}” has no picture.", "Choose a video, or leave the picture out."
            )
        origin = _origin(container)
        _seek(container, start_s)
        first: tuple[Any, float, Any] | None = None  # the newest frame not after start_s
        last_s = -np.inf
        for frame in _decoded(path, container, track, tell, start_s):
            ticks = frame.pts if frame.pts is not None else frame.dts
            if ticks is None or (time_s := float(ticks * frame.time_base) - origin) <= last_s:
                continue
            last_s = time_s
            if end_s is not None and time_s >= end_s:
                break
            if time_s <= start_s:
                first = (frame, time_s, track)
                continue
            if first is not None:
                yield first
                first = None
            yield frame, time_s, track
        if first is not None:
            yield first


# Opening


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An open container with sound or picture in it."""
    try:
        # With its protocol, because FFmpeg takes “12:30.mp4” for one named “12”.
        container = av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace")
    except FileNotFoundError as error:
        raise UserError(f"There is no file “{path}”.", "Check its name and folder.") from error
    except PermissionError as error:
        raise UserError(f"“{path}” may not be read.", "Allow it in the file's settings.") from error
    except IsADirectoryError as error:
        raise UserError(f"“{path}” is a folder.", "Choose a file in it.") from error
    except (av.error.FFmpegError, OSError) as error:
        raise _not_media(path) from error
    with container:
        tracks = _sound_track(container), _picture_track(container)
        if container.format.name in _TEXT_FORMATS or tracks == (None, None):
            raise _not_media(path)
        yield container


def _not_media(path: Path) -> UserError:
    return UserError(
        f"“{path}” is not a sound or video file, or it is damaged from its beginning.",
        "Choose another file, or copy it again from where it came.",
    )


def _each_once(on_damage: OnDamageAt) -> OnDamageAt:
    told: set[str] = set()

    def tell(what: str, time_s: float) -> None:
        if what not in told:
            told.add(what)
            on_damage(what, max(time_s, 0.0))

    return tell


def _without_time(path: Path, on_damage: OnDamage | None) -> OnDamageAt:
    """For those who are told only what is damaged; by default the log."""
    on_damage = on_damage or partial(logger.warning, "%s: %s", path)
    return lambda what, _: on_damage(what)


def _ignore(what: str, time_s: float) -> None:
    pass


def _sound_track(container: Any) -> Any:
    track = container.streams.best("audio")
    return track if track is not None and track.codec_context is not None else None


def _picture_track(container: Any) -> Any:
    """The video; a cover picture in a sound file is none."""
    track = container.streams.best("video")
    if track is None or track.codec_context is None:
        return None
    cover = track.disposition & av.stream.Disposition.attached_pic
    return None if cover else track


def _origin(container: Any) -> float:
    """The time stamp of 0:00; some containers count from elsewhere.

    A negative one belongs to what the encoder put in front of the sound, which is not played.
    """
    return max((container.start_time or 0) / av.time_base, 0.0)


def _seek(container: Any, start_s: float) -> None:
    """Go to a place from which ``start_s`` can be decoded, by default the beginning."""
    # An MP3 knows the time only by counting from its beginning.
    if start_s > PREROLL_SECONDS and container.format.name != "mp3":
        # What cannot seek is read from its beginning as well.
        with suppress(av.error.FFmpegError):
            container.seek(int((start_s - PREROLL_SECONDS + _origin(container)) * av.time_base))


def _duration(container: Any) -> float:
    if container.duration is not None:
        return float(container.duration / av.time_base)
    # No header with the length, as in a raw or a live recording: look at all packets.
    end = 0.0
    container.seek(0)
    for packet in _packets(container, None, _ignore):
        if packet.pts is not None and packet.time_base is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return max(end - _origin(container), 0.0)


# Decoding


def _packets(container: Any, track: Any, on_damage: OnDamageAt) -> Iterator[Any]:
    time_s = 0.0
    try:
        for packet in container.demux() if track is None else container.demux(track):
            time_s = _packet_time(packet, time_s)
            yield packet
    except (av.error.FFmpegError, OSError):
        on_damage("cannot be read to its end", time_s - _origin(container))


def _packet_time(packet: Any, before_s: float) -> float:
    known = packet.pts is not None and packet.time_base is not None
    return float(packet.pts * packet.time_base) if known else before_s


def _decoded(
    path: Path, container: Any, track: Any, on_damage: OnDamageAt, wanted_s: float = 0.0
) -> Iterator[Any]:
    """All frames of ``track`` that can be decoded, of sound or picture.

    Damage before ``wanted_s`` is not told: after a jump into the file the first frames may lack
    those they were coded from.
    """
    broken, end_s, origin = False, 0.0, _origin(container)
    wanted_s += origin
    for packet in _packets(container, track, on_damage):
        try:
            decoded, failed = packet.decode(), False
        except av.error.FFmpegError:
            decoded, failed = [], True
        failed = failed or any(frame.is_corrupt for frame in decoded)
        early = packet.pts is not None and packet.pts * packet.time_base < wanted_s
        if failed and not early:
            broken = True
            at_s = _packet_time(packet, end_s) - origin
            on_damage(f"some of its {_KINDS[track.type]} cannot be decoded", at_s)
        for frame in decoded:
            end_s = _end(frame) if frame.time is not None else end_s
            yield frame
    # Reached only when read to the end.
    says_s = float(((track.duration or 0) + (track.start_time or 0)) * track.time_base)
    short = max(end_s, wanted_s) + CUT_OFF_SECONDS < says_s
    # FFmpeg believes a RIFF file's size more than its header.
    if not broken and (short or quick_fault(path) == CUT_OFF):
        on_damage(f"its {_KINDS[track.type]} ends before it should", end_s - origin)


_KINDS = {"audio": "sound", "video": "picture"}


def _end(frame: Any) -> float:
    if isinstance(frame, av.AudioFrame):
        return float(frame.time + frame.samples / frame.sample_rate)
    return float(frame.time + (frame.duration or 0) * frame.time_base)


# Sound


@dataclass(frozen=True, slots=True, eq=False)
class _Mono:
    """Consecutive samples (n,) at the file's own ``rate``, in one channel."""

    samples: Waveform
    rate: int


def _mono(
    path: Path,
    container: Any,
    track: Any,
    start_s: float,
    end_s: float | None,
    on_damage: OnDamageAt,
) -> Iterator[_Mono]:
    """The sound from ``start_s`` on without holes, until ``end_s`` and a little more."""
    origin = _origin(container)
    to_float: Any = None
    sort: tuple[object, ...] = ()
    next_s = start_s  # when the next sample is due
    longest_s = math.inf if container.duration is None else _duration(container) + HOLE_SECONDS
    for frame in _decoded(path, container, track, on_damage, start_s):
        if to_float is None:
            sort = _sort(frame)
            # FFmpeg knows how loud the centre of surround sound is; two channels are averaged
            # below, since for floats it would add them.
            layout = frame.layout.name if len(frame.layout.channels) <= 2 else "stereo"
            to_float = av.AudioResampler(format="fltp", layout=layout)
        if _sort(frame) != sort:
            on_damage("some of its sound is of another kind", next_s)
            continue
        time_s = next_s if frame.time is None else frame.time - origin
        if time_s > longest_s:  # or a broken time would ask for hours of silence
            on_damage("some of its times lie after its end", next_s)
            time_s = next_s
        for part in to_float.resample(frame):
            rate = part.sample_rate
            samples = part.to_ndarray().mean(axis=0, dtype=np.float32)  # (channels, n) -> (n,)
            late_s = time_s - next_s
            if late_s < -HOLE_SECONDS or (late_s < 0 and next_s == start_s):
                samples = samples[round(-late_s * rate) :]  # before the start, or heard twice
            elif late_s > HOLE_SECONDS or (late_s > 0 and next_s == start_s):
                hole = round(late_s * rate)
                next_s += hole / rate
                for begin in range(0, hole, rate):  # it may be hours long
                    yield _Mono(np.zeros(min(rate, hole - begin), np.float32), rate)
            next_s += len(samples) / rate
            yield _Mono(samples, rate)
        if end_s is not None and next_s > end_s + PREROLL_SECONDS:
            return


def _sort(frame: Any) -> tuple[object, ...]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def _resampled(pieces: Iterator[_Mono]) -> Iterator[Waveform]:
    """The same at 16 kHz; the filter remembers across pieces, so they join without a click."""
    resampler: Any = None
    for piece in pieces:
        if piece.rate == SAMPLE_RATE:
            yield piece.samples
            continue
        if resampler is None:
            resampler = soxr.ResampleStream(piece.rate, SAMPLE_RATE, 1, dtype="float32")
        yield resampler.resample_chunk(piece.samples)
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


# Picture


def _video_frame(frame: Any, time_s: float, track: Any) -> VideoFrame:
    index = frame.pts if frame.pts is not None else frame.dts
    return VideoFrame(_rgb(frame, track), time_s, index)


def _rgb(frame: Any, track: Any) -> RgbImage:
    """(H, W, 3) as it is meant to be seen: square pixels, turned, mirrored."""
    aspect = float(track.sample_aspect_ratio or 1)
    width = round(frame.width * aspect) if 0.5 <= aspect <= 2 else frame.width
    image: RgbImage = frame.to_ndarray(format="rgb24", width=width)
    matrix = frame.side_data.get(SideData.DISPLAYMATRIX)
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
