"""From a waveform (48000,) to two spectrograms side by side (301, 160).

Log-mel shows what is said and how hard: windows of 25 ms follow the mouth, but blur a deep voice's
harmonics into each other. How high a voice is and how it glides tells of its emotion too, so a
second one looks longer and closer at the lowest 1.3 kHz.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram, Resample, Spectrogram

from fer_core.media import SAMPLE_RATE
from fer_core.model.inputs import (
    LOWEST_PITCH_HZ,
    MEL_BINS,
    MEL_HOP_MS,
    PITCH_BINS,
    PITCH_BINS_PER_OCTAVE,
    POWER_FLOOR,
)

# The analysis FastConformer was designed for: windows of 25 ms, one every 10 ms.
WINDOW = SAMPLE_RATE * 25 // 1000  # 400 samples
HOP = SAMPLE_RATE * MEL_HOP_MS // 1000  # 160 samples; centred, so 3 s give 1 + 300 mel frames
N_FFT = 512  # the power of two above the window; 257 bins of 31.25 Hz

# Of the pitch spectrogram: a quarter of the samples hold all it shows, in an eighth of the time.
LOW_RATE = SAMPLE_RATE // 4
LOW_WINDOW = LOW_RATE * 64 // 1000  # 256 samples: harmonics 31 Hz apart can be told apart
LOW_HOP = LOW_RATE * MEL_HOP_MS // 1000
LOW_N_FFT = 2 * LOW_WINDOW  # as much again of zeros: 257 bins of 7.8 Hz
SHORTEST = 4 * LOW_WINDOW + 1  # samples: the ends are mirrored, so the window must be surpassed


class Spectra(nn.Module):
    """Natural logarithms of power, not normalised: the network holds constants for that."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = LogMel()
        self.pitch = LogPitch()

    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n) at 16 kHz, -1 to 1 -> (..., 1 + n // 160, 160)."""
        mel, pitch = self.mel(waveform), self.pitch(waveform)
        return torch.cat([mel, pitch[..., : mel.shape[-2], :]], dim=-1)


class LogMel(nn.Module):
    """80 bins from 0 to 8 kHz on FastConformer's scale, even up to 1 kHz and logarithmic above.

    Slaney, Auditory Toolbox, 1998. The triangles have equal heights: equal areas would only move
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
        return power.clamp(min=POWER_FLOOR).log().transpose(-1, -2)


class LogPitch(nn.Module):
    """80 bins from 60 Hz to 1.26 kHz, 18 to the octave, in windows of 64 ms.

    On a logarithmic axis a voice that is higher is the same picture moved up (Brown 1991,
    "Calculation of a constant Q spectral transform"); here all bins share one window.
    """

    bank: Tensor  # (257, 80)

    def __init__(self) -> None:
        super().__init__()
        self.resample = Resample(SAMPLE_RATE, LOW_RATE)
        self.spectrogram = Spectrogram(LOW_N_FFT, LOW_WINDOW, LOW_HOP)
        # A tone is as loud as it would be in a window of 64 ms at 16 kHz.
        louder = (SAMPLE_RATE / LOW_RATE) ** 2
        self.register_buffer("bank", louder * torch.from_numpy(_triangles()).T, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n) at 16 kHz, -1 to 1 -> (..., F, 80), with F at least 1 + n // 160."""
        power: Tensor = self.spectrogram(self.resample(waveform))  # (..., n) -> (..., 257, F)
        return (power.transpose(-1, -2) @ self.bank).clamp(min=POWER_FLOOR).log()


def pitch_frequencies() -> NDArray[np.float64]:
    """The middle of each bin of the pitch spectrogram in hertz, (80,)."""
    return LOWEST_PITCH_HZ * 2 ** (np.arange(PITCH_BINS) / PITCH_BINS_PER_OCTAVE)


def _triangles() -> NDArray[np.float32]:
    """Each bin's weights of the frequencies around it, (80, 257), sum 1."""
    frequency = np.arange(LOW_N_FFT // 2 + 1) * LOW_RATE / LOW_N_FFT
    middle = pitch_frequencies()[:, None]
    # To the next bin, but low ones, which lie closer than frequencies do, between two of these.
    reach = np.maximum(middle * (2 ** (1 / PITCH_BINS_PER_OCTAVE) - 1), LOW_RATE / LOW_N_FFT)
    weights = np.maximum(1 - np.abs(frequency - middle) / reach, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
