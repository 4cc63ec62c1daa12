"""The sound of a media file: a waveform (n,) at 16 kHz, whole or in blocks.

Sample k is heard k / 16,000 s after the file's own beginning: sound that starts late begins with
zeros, and a hole in it is filled with zeros. A damaged file gives what can be decoded; what is
missing is told to ``on_damage``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr

from fer_core.data.container import (
    PREROLL_SECONDS,
    decoded_frames,
    opened,
    origin_of,
    seek,
    sound_track,
    told_duration,
)
from fer_core.data.damage import OnDamage, OnDamageAt, each_once, without_time
from fer_core.errors import UserError
from fer_core.media import SAMPLE_RATE, Waveform

# Containers round times to 1 ms and codecs to a block: less is no hole in the sound.
HOLE_SECONDS = 0.05
# A hole behind the end that the header names, which may be too early, is believed up to here: a
# broken time would ask for hours of silence.
BELIEVED_SECONDS = 1.0


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
    blocks = list(sound_blocks(path, start_s, end_s, without_time(path, on_damage)))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def sound_blocks(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    on_damage: OnDamageAt | None = None,
    track_number: int | None = None,
) -> Iterator[Waveform]:
    """The same, block after block, so that a long file needs no more memory than a short one.

    ``track_number``: which of several sound tracks, from 1; by default the file's main one.

    Raises:
        UserError: as in :func:`read_sound`, or there are not so many tracks.
    """
    tell = each_once(on_damage or without_time(path, None))
    with opened(path) as container:
        track = sound_track(container, track_number)
        if track is None:
            raise UserError(
                f"“{path}” has no sound track.", "Choose a file with sound, or leave sound out."
            )
        # From a whole second, where both sample rates have a sample: the same time then becomes
        # the same samples wherever reading began.
        begin_s = float(max(math.floor(start_s - PREROLL_SECONDS), 0))
        seek(container, begin_s)
        early = round((start_s - begin_s) * SAMPLE_RATE)  # samples before the first that is wanted
        wanted = math.inf if end_s is None else round((end_s - start_s) * SAMPLE_RATE)
        for block in _resampled(_mono(path, container, track, begin_s, end_s, tell)):
            samples = block[early : early + int(min(wanted, len(block)))]
            early, wanted = max(early - len(block), 0), wanted - len(samples)
            if len(samples):
                yield np.clip(samples, -1, 1)  # mixing and resampling overshoot a little


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
    origin = origin_of(container)
    to_float: Any = None
    sort: tuple[object, ...] = ()
    gain = np.float32(1)
    next_s = start_s  # when the next sample is due
    told_s = told_duration(container)
    longest_s = math.inf if told_s is None else told_s + HOLE_SECONDS
    for frame in decoded_frames(path, container, track, on_damage, start_s):
        if sort != (sort := _sort(frame)):  # television goes from one channel to two
            to_float, gain = _to_float(frame), _gain(frame)
        time_s = next_s if frame.time is None else frame.time - origin
        if time_s > max(longest_s, next_s + BELIEVED_SECONDS):
            on_damage("some of its times lie after its end", next_s)
            time_s = next_s
        for part in to_float.resample(frame):
            rate = part.sample_rate
            samples = _averaged(part) * gain
            if not np.isfinite(samples).all():
                on_damage("some of its samples are no numbers, and taken as silence", next_s)
                samples = np.nan_to_num(samples, nan=0, posinf=0, neginf=0)
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


def _to_float(frame: Any) -> Any:
    """A resampler to floats, whose channels are averaged behind it."""
    if _is_surround(frame):
        return av.AudioResampler("fltp", "stereo")
    # PyAV reads no more than 8 channels that lie one behind the other.
    together = "flt" if frame.layout.nb_channels > 2 else "fltp"
    return av.AudioResampler(together, frame.layout.name)


def placed(frame: Any) -> Any:
    """``frame``; where nobody knows where its channels lie, the mean of them as one channel."""
    if frame.layout.nb_channels <= 2 or _is_surround(frame):
        return frame
    (floats,) = _to_float(frame).resample(frame)
    mean = av.AudioFrame.from_ndarray(_averaged(floats)[None], "fltp", "mono")
    mean.sample_rate, mean.pts, mean.time_base = frame.sample_rate, frame.pts, frame.time_base
    return mean


def _is_surround(frame: Any) -> bool:
    """FFmpeg knows how loud its centre is; of channels without a place it only has the number."""
    return frame.layout.nb_channels > 2 and not frame.layout.name.endswith(" channels")


def _averaged(frame: Any) -> Waveform:
    """All channels of floats -> (n,)."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:  # (1, n * channels)
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    averaged: Waveform = samples.mean(axis=0, dtype=np.float32)
    return averaged


def _gain(frame: Any) -> np.float32:
    """What keeps a voice as loud that is equal in all channels: FFmpeg adds them in floats."""
    if not _is_surround(frame):
        return np.float32(1)
    ones = np.ones((1, 64 * frame.layout.nb_channels), np.float32)
    equal = av.AudioFrame.from_ndarray(ones, "flt", frame.layout.name)
    equal.sample_rate = frame.sample_rate
    (mixed,) = _to_float(equal).resample(equal)
    return np.float32(1 / _averaged(mixed).mean())


def _sort(frame: Any) -> tuple[object, ...]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def _resampled(pieces: Iterator[_Mono]) -> Iterator[Waveform]:
    """The same at 16 kHz; the filter remembers across pieces, so they join without a click."""
    for rate, equal in groupby(pieces, key=lambda piece: piece.rate):
        if rate == SAMPLE_RATE:
            yield from (piece.samples for piece in equal)
            continue
        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        yield from (resampler.resample_chunk(piece.samples) for piece in equal)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
