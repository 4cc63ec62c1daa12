"""How quickly each descriptor of a voice swings: (B, 301, D) -> (B, 8 * D).

The modulation spectrum (Greenberg & Kingsbury 1997), from slow changes of tone over syllables to
tremor, as the power in bands of what each descriptor does around its mean.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.model.inputs import MEL_FRAMES

# In which the first and the last frequency of each band lie, of 512 in 100 Hz: 0.4 to 15 Hz.
EDGES = (2, 5, 8, 12, 18, 26, 38, 56, 80)
LENGTH = 512
BANDS = len(EDGES) - 1
FLOOR = 1e-4


class Rhythms(nn.Module):
    """The logarithm of the power of each band, per frame that counts."""

    waves: Tensor  # (2 * 78, 301), cosines and sines

    def __init__(self) -> None:
        super().__init__()
        cycles = np.arange(EDGES[0], EDGES[-1])[:, None] / LENGTH * np.arange(MEL_FRAMES)
        waves = np.concatenate([np.cos(2 * np.pi * cycles), np.sin(2 * np.pi * cycles)])
        values = np.ascontiguousarray(waves, np.float32)  # else the exporter warns of it
        self.register_buffer("waves", torch.tensor(values), persistent=False)

    def forward(self, apart: Tensor, frames: Tensor) -> Tensor:
        """(B, 301, D), zero where it does not count, and (B, 1) how many frames do."""
        cosines, sines = (self.waves @ apart).chunk(2, dim=1)  # (B, 78, D) each
        powers = cosines.square() + sines.square()
        widths = [end - first for first, end in pairwise(EDGES)]
        bands = [(band.sum(1) / frames + FLOOR).log() for band in powers.split(widths, dim=1)]
        return torch.cat(bands, dim=-1)
