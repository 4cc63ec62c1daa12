"""How strongly a voice's spectra ripple along time and along frequency: (B, 301, 160) -> (B, 480).

A bank of two-dimensional Gabor filters (Schädler et al. 2012, "Spectro-temporal modulation
subspace-spanning filter bank features"): each is a slow or quick ripple in
time times a wide or narrow one along frequency, moving up or down. What they find is averaged over
zones of frequency.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fer_core.model.inputs import MEL_BINS, MEL_FRAMES, SPECTRA_BINS

RATES = (0.0, 0.02, 0.05, 0.12)  # ripples along time, in cycles per 10 ms: up to 12 Hz
SCALES = (0.0, 0.05, 0.12, 0.25)  # and along frequency, in cycles per bin
FRAME_STEP, BIN_STEP = 4, 2  # where the filters are put
ZONES = 5
REACH_FRAMES, REACH_BINS = 30, 15  # of a filter, to either side
FLOOR = 1e-3
# All but the one that does not ripple; those that ripple both ways go up, and down.
FILTERS = len(RATES) + len(SCALES) - 2 + 2 * (len(RATES) - 1) * (len(SCALES) - 1)
MODULATIONS = SPECTRA_BINS // MEL_BINS * FILTERS * ZONES * 2


class Modulations(nn.Module):
    """Mean and standard deviation over the frames that count of each filter's logarithmic power."""

    along_time: Tensor  # (2 * R, 76, 301), real parts and imaginary ones
    along_bins: Tensor  # (80, 2 * S * 40), likewise

    def __init__(self) -> None:
        super().__init__()
        frames = _ripples(MEL_FRAMES, FRAME_STEP, RATES, REACH_FRAMES, (20.0, 10.0), 1.5)
        bins = _ripples(MEL_BINS, BIN_STEP, SCALES, REACH_BINS, (11.0, 5.0), 1.2)
        along_bins = np.concatenate([bins.real, bins.imag]).reshape(-1, MEL_BINS).T
        along_time = np.concatenate([frames.real, frames.imag])
        for name, bank in (("along_time", along_time), ("along_bins", along_bins)):
            values = np.ascontiguousarray(bank, np.float32)  # else the exporter warns of it
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, spectra: Tensor, counts: Tensor) -> Tensor:
        """(B, 301, 160) of which (B, 301) counts -> (B, 480)."""
        counts = counts[:, None, ::FRAME_STEP, None]  # (B, 1, 76, 1)
        frames = counts.sum(2).clamp(min=1)
        both = spectra.unflatten(-1, (-1, MEL_BINS)).transpose(1, 2)  # (B, 2, 301, 80)
        power = self._powers(both.flatten(0, 1))  # (B * 2, 76, filters, 40)
        level = (power + FLOOR).log().unflatten(-1, (ZONES, -1)).mean(-1)
        level = level.flatten(2).unflatten(0, both.shape[:2])  # (B, 2, 76, filters * Z)
        mean = (level * counts).sum(2) / frames
        apart = (level - mean.unsqueeze(2)) * counts
        spread = (apart.square().sum(2) / frames).sqrt()
        return torch.cat([mean, spread], dim=-1).flatten(1)

    def _powers(self, spectrogram: Tensor) -> Tensor:
        """(B, 301, 80) -> (B, 76, 22, 40): along time, along frequency, up, and down."""
        rippled = torch.einsum("rot,btf->borf", self.along_time, spectrogram)  # (B, 76, 2R, 80)
        both = (rippled @ self.along_bins).unflatten(-1, (2, len(SCALES), -1))
        # Real and imaginary parts along time (first) and along frequency (second).
        of_real, of_imaginary = both.chunk(2, dim=2)  # (B, 76, R, 2, S, 40) each
        rr, ri = of_real.unbind(3)  # (B, 76, R, S, 40) each
        ir, ii = of_imaginary.unbind(3)
        up = (rr - ii).square() + (ri + ir).square()
        down = (rr + ii)[:, :, 1:, 1:].square() + (ir - ri)[:, :, 1:, 1:].square()
        # What ripples one way only goes neither up nor down; the first does not ripple at all.
        return torch.cat([up.flatten(2, 3)[:, :, 1:], down.flatten(2, 3)], dim=2)


def _ripples(
    length: int,
    step: int,
    cycles: tuple[float, ...],
    reach: int,
    widest: tuple[float, float],
    waves: float,
) -> NDArray[np.complex128]:
    """(len(cycles), length / step, length): a Gabor filter at every ``step``-th place.

    Args:
        reach: places to either side at which it is cut off.
        widest: of the Gaussian, in places: at most, times ``waves``, where it ripples, and where
            it does not.
        waves: half a cycle is that many standard deviations of the Gaussian.
    """
    apart = np.arange(length) - np.arange(0, length, step)[:, None]
    banks = []
    for cycle in cycles:
        width = min(0.5 / cycle, widest[0]) / waves if cycle else widest[1]
        window = np.exp(-0.5 * (apart / width) ** 2) * (np.abs(apart) <= reach)
        filters = window * np.exp(2j * np.pi * cycle * apart)
        if cycle:  # what does not ripple leaves no trace, not at the ends either
            filters -= window * (filters.sum(1) / window.sum(1))[:, None]
        banks.append(filters / np.sqrt(np.square(np.abs(filters)).sum(1))[:, None])
    return np.stack(banks)
