"""How loud a waveform is, and in which of its segments anything is heard."""

from __future__ import annotations

import math

import numpy as np

from fer_core.media import SEGMENTS, BoolArray, Waveform

LOWEST_DBFS = -120.0  # digital silence: a level stays a number that JSON can hold


def level_dbfs(samples: Waveform) -> float | None:
    """Root mean square of ``samples`` (n,) in decibels of full scale; None without any.

    A square wave at full scale is 0 dBFS, a sine -3.01; never less than ``LOWEST_DBFS``.
    """
    if not samples.size:
        return None
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(10 * math.log10(power), LOWEST_DBFS) if power > 0 else LOWEST_DBFS


def heard_segments(waveform: Waveform, mask: BoolArray, silence_dbfs: float) -> BoolArray:
    """Which of the eight segments of (48000,) hold sound, (8,).

    One does if at least half of its samples are real and these are not under ``silence_dbfs``.
    """
    heard = np.zeros(SEGMENTS, dtype=np.bool_)
    parts = zip(np.split(waveform, SEGMENTS), np.split(mask, SEGMENTS), strict=True)
    for segment, (samples, real) in enumerate(parts):
        level = level_dbfs(samples[real])
        heard[segment] = level is not None and real.mean() >= 0.5 and level >= silence_dbfs
    return heard
