"""An open media file: its tracks, its clock, and the frames that can be decoded from it.

Times are seconds from the file's own beginning: what a player shows as 0:00. ``media_sound`` and
``media_picture`` read through here.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av

from fer_core.data.damage import OnDamageAt, ignore
from fer_core.data.file_header import CUT_OFF, quick_fault
from fer_core.data.joined_times import JoinedTimes
from fer_core.errors import UserError

# A track that ends this much before its own header says was cut off. Encoders' padding is shorter.
CUT_OFF_SECONDS = 0.25
# Codecs and resampler need a little sound before the first sample that is wanted.
PREROLL_SECONDS = 0.5

# A local file is all that is opened: a playlist could name an address on the internet.
_PROTOCOL = "file:"
_OPTIONS = {"protocol_whitelist": "file"}
# FFmpeg takes any text file for a picture made of letters; and a list of other files may name an
# address on the internet further down, which whoever plays it after us would ask for.
_TEXT_FORMATS = ("tty", "hls", "dash", "concat", "sdp")

# Packets one behind the other, and no header in front that could tell how many.
_WITHOUT_LENGTH = ("aac", "ac3", "eac3", "dts", "mpegvideo")
_MP3_FRAME_BYTES = 1441  # at most; the first tells the length, if any


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An open container with sound or picture in it."""
    try:
        # With its protocol, because FFmpeg takes “12:30.mp4” for one named “12”.
        container = av.open(f"{_PROTOCOL}{path}", options=_OPTIONS, metadata_errors="replace")
    except PermissionError as error:
        raise UserError(f"“{path}” may not be read.", "Allow it in the file's settings.") from error
    except IsADirectoryError as error:
        raise UserError(f"“{path}” is a folder.", "Choose a file in it.") from error
    except (av.error.FFmpegError, OSError) as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            raise UserError(f"There is no file “{path}”.", "Check its name and folder.") from error
        raise not_media(path) from error
    with container:
        tracks = sound_track(container), picture_track(container)
        if container.format.name in _TEXT_FORMATS or tracks == (None, None):
            raise not_media(path)
        yield container


def not_media(path: Path) -> UserError:
    """What is said of a file in which there is nothing to hear or see."""
    return UserError(
        f"“{path}” is not a sound or video file, or it is damaged from its beginning.",
        "Choose another file, or copy it again from where it came.",
    )


def path_of(container: Any) -> Path:
    return Path(container.name.removeprefix(_PROTOCOL))


def sound_track(container: Any, number: int | None = None) -> Any:
    """The track ``number``, from 1, by default the one that the file marks as its main; or None.

    Of several programmes, as television has them, it is that of the picture.

    Raises:
        UserError: the file has sound, but not so many tracks.
    """
    if number is None:
        track = container.streams.best("audio", related=container.streams.best("video"))
        return track if track is not None and track.codec_context is not None else None
    tracks = sound_tracks(container)
    if tracks and not 1 <= number <= len(tracks):
        have = "one sound track" if len(tracks) == 1 else f"{len(tracks)} sound tracks"
        raise UserError(
            f"There is no sound track {number}: the file has {have}.", "Choose another."
        )
    return tracks[number - 1] if tracks else None


def sound_tracks(container: Any) -> list[Any]:
    """All that can be decoded, in their own order."""
    return [track for track in container.streams.audio if track.codec_context is not None]


def picture_track(container: Any) -> Any:
    """The video; a cover picture in a sound file is none."""
    track = container.streams.best("video")
    if track is None or track.codec_context is None:
        return None
    cover = track.disposition & av.stream.Disposition.attached_pic
    return None if cover else track


def origin_of(container: Any) -> float:
    """The time stamp of 0:00; some containers count from elsewhere.

    A negative one belongs to what the encoder put in front of the sound, which is not played.
    """
    return max((container.start_time or 0) / av.time_base, 0.0)


def track_end(container: Any, track: Any) -> float:
    """The time stamp at which its header says that it ends; 0 where that says nothing."""
    if told_duration(container) is None:
        return 0.0
    return float(((track.duration or 0) + (track.start_time or 0)) * track.time_base)


def has_all(track: Any, frames: int) -> bool:
    """Whether ``frames`` of it are as many as its header says; False where that says nothing."""
    return 0 < track.frames <= frames


def seek(container: Any, start_s: float) -> None:
    """Go to a place from which ``start_s`` can be decoded, by default the beginning."""
    # An MP3 knows the time only by counting from its beginning.
    if start_s > PREROLL_SECONDS and container.format.name != "mp3":
        # What cannot seek is read from its beginning as well.
        with suppress(av.error.FFmpegError):
            container.seek(int((start_s - PREROLL_SECONDS + origin_of(container)) * av.time_base))


def duration_of(container: Any) -> float:
    """From 0:00 to its end."""
    told_s = told_duration(container)
    if told_s is not None:
        return told_s
    # No header with the length, as in a raw or a live recording: look at all packets.
    end = 0.0
    with suppress(av.error.FFmpegError):  # what cannot seek is read on from where it is
        container.seek(0)
    for packet in _packets(container, None, ignore):
        if packet.pts is not None and packet.time_base is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return max(end - origin_of(container), 0.0)


def told_duration(container: Any) -> float | None:
    """The same as the header tells it; None where it does not."""
    if container.duration is None or _has_no_length(container):
        return None
    duration_s = float(container.duration / av.time_base)
    # It counts from the first time stamp; only here from 0, whatever the first one is.
    if "matroska" in container.format.name:
        return max(duration_s - origin_of(container), 0.0)
    return duration_s


def _has_no_length(container: Any) -> bool:
    """Whether FFmpeg reckons the length from the first packets' bit rate; it does not tell."""
    if container.format.name != "mp3":
        return container.format.name in _WITHOUT_LENGTH
    with path_of(container).open("rb") as file:
        begins = file.read(10)
        if begins.startswith(b"ID3"):  # its size has seven bits in each byte
            size = 0
            for byte in begins[6:]:
                size = size << 7 | byte
            file.seek(10 + size)
            begins = b""
        begins += file.read(_MP3_FRAME_BYTES)
    return not any(kind in begins for kind in (b"Xing", b"Info", b"VBRI"))


# Decoding


def _packets(container: Any, track: Any, on_damage: OnDamageAt) -> Iterator[Any]:
    """Those of ``track``, or of all."""
    time_s, origin = 0.0, origin_of(container)
    times = JoinedTimes(lambda what, at_s: on_damage(what, at_s - origin))
    try:
        for packet in container.demux(sound_tracks(container), list(container.streams.video)):
            times.move(packet)
            if track is None or packet.stream.index == track.index:
                time_s = _packet_time(packet, time_s)
                yield packet
    except (av.error.FFmpegError, OSError):
        on_damage("cannot be read to its end", time_s - origin)


def _packet_time(packet: Any, before_s: float) -> float:
    known = packet.pts is not None and packet.time_base is not None
    return float(packet.pts * packet.time_base) if known else before_s


def decoded_frames(
    path: Path, container: Any, track: Any, on_damage: OnDamageAt, wanted_s: float = 0.0
) -> Iterator[Any]:
    """All frames of ``track`` that can be decoded, of sound or picture.

    Damage before ``wanted_s`` is not told: after a jump into the file the first frames may lack
    those they were coded from.
    """
    broken, frames, end_s, origin = False, 0, 0.0, origin_of(container)
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
            frames += 1
            yield frame
    # Reached only when read to the end. Where the last picture is held, the frames are all there.
    short = max(end_s, wanted_s) + CUT_OFF_SECONDS < track_end(container, track) and not has_all(
        track, frames
    )
    # FFmpeg believes a RIFF file's size more than its header.
    if not broken and (short or quick_fault(path) == CUT_OFF):
        on_damage(f"its {_KINDS[track.type]} ends before it should", end_s - origin)


_KINDS = {"audio": "sound", "video": "picture"}


def _end(frame: Any) -> float:
    if isinstance(frame, av.AudioFrame):
        return float(frame.time + frame.samples / frame.sample_rate)
    return float(frame.time + (frame.duration or 0) * frame.time_base)
