"""From a waveform (48000,) to log-mel (301, 80), and how loud it is."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from fer_core.media import SAMPLE_RATE, SEGMENTS, BoolArray, Waveform
from fer_core.model.inputs import MEL_BINS, MEL_FLOOR, MEL_HOP_MS

# The analysis FastConformer was designed for: windows of 25 ms, one every 10 ms.
WINDOW = SAMPLE_RATE * 25 // 1000  # 400 samples
HOP = SAMPLE_RATE * MEL_HOP_MS // 1000  # 160 samples; centred, so 3 s give 1 + 300 mel frames
N_FFT = 512  # the power of two above the window; 257 bins of 31.25 Hz

LOWEST_DBFS = -120.0  # digital silence: a level stays a number that JSON can hold


class LogMel(nn.Module):
    """Natural-log mel spectrogram, not normalised: the network holds constants for that.

    80 bins from 0 to 8 kHz on FastConformer's scale, even up to 1 kHz and logarithmic above
    (Slaney, Auditory Toolbox, 1998). The triangles have equal heights: equal areas would only move
    each bin by a constant, which the network takes off again, and quiet speech under the floor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spectrogram = MelSpectrogram(
            SAMPLE_RATE,
            n_fft=N_FFT,
            win_length=WINDOW,
            hop_length=HOP,
            n_mels=MEL_BINS,
            mel_scale="slaney",
        )

    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n) at 16 kHz, -1 to 1 -> (..., 1 + n // 160, 80)."""
        power: Tensor = self.spectrogram(waveform)  # (..., n) -> (..., 80, F)
        return power.clamp(min=MEL_FLOOR).log().transpose(-1, -2)


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
