"""Low-level descriptors of a voice: how each 10 ms of its spectra sounds, in 144 numbers.

Those of openSMILE's feature sets (Eyben et al. 2010; Eyben et al. 2016, "GeMAPS") that two
spectrograms can tell: spectra, cepstra, loudness, where the voice's pitch and formants lie, and how
its energy is divided. Their formulas are for logarithms of power. They are given what ears make of
it (``functionals.py``), by which strangers' emotions are told better, and which equals a logarithm
near the clip's mean level alone: what sums up power is an approximation of what its name says.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fer_core.model.inputs import MEL_BINS, PITCH_BINS, PITCH_BINS_PER_OCTAVE

CEPSTRA = 20  # of each spectrogram
HARMONICS = 6  # that tell a pitch from its overtones (subharmonic summation, Hermes 1988)
HARMONIC_DECAY = 0.8
HIGHEST_PITCH_BIN = 60  # 605 Hz
LOUDNESS_POWER = 0.23  # Zwicker's law, of logarithms: what is heard of a band's power
ROLL_OFF = (0.25, 0.5, 0.75, 0.9)  # shares of the energy
FORMANTS = ((5, 22), (18, 45), (40, 60))  # mel bins in which the first three lie
LOWEST, LOW, MIDDLE = 6, 24, 45  # mel bins at 0.24, 0.95 and 2.1 kHz
OF_ENERGY, OF_PITCH = 18, 6
DESCRIPTORS = MEL_BINS // 2 + PITCH_BINS // 2 + 2 * CEPSTRA + OF_ENERGY + OF_PITCH


class Descriptors(nn.Module):
    """(..., 160) natural logarithms of power, or compressed alike -> (..., 144)."""

    cosines: Tensor  # (80, 20)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cosines", torch.tensor(_cosines(MEL_BINS)), persistent=False)

    def forward(self, spectra: Tensor) -> Tensor:
        mel, pitch = spectra.split([MEL_BINS, PITCH_BINS], dim=-1)
        of_all = [
            _halved(mel),
            _halved(pitch),
            mel @ self.cosines,
            pitch @ self.cosines,
            _of_energy(mel),
            _of_pitch(pitch),
        ]
        return torch.cat(of_all, dim=-1)


def energy(spectra: Tensor) -> Tensor:
    """(..., 160) -> (...): the logarithm of all power, where those of each band are given."""
    return spectra[..., :MEL_BINS].logsumexp(-1)


def _halved(spectrogram: Tensor) -> Tensor:
    return spectrogram.unflatten(-1, (-1, 2)).mean(-1)


def _of_energy(mel: Tensor) -> Tensor:
    """(..., 80) -> (..., 18): how much there is, and where along the axis of frequency."""
    bins = torch.arange(MEL_BINS, device=mel.device, dtype=mel.dtype)
    shares = mel.softmax(-1)
    centroid = shares @ bins
    spread = (shares * (bins - centroid.unsqueeze(-1)).square()).sum(-1).clamp(min=0).sqrt()
    flux = (mel[..., 1:, :] - mel[..., :-1, :]).square().mean(-1).sqrt()
    middle = bins - MEL_BINS / 2
    below = shares.cumsum(-1)
    limits = torch.tensor(ROLL_OFF, device=mel.device, dtype=mel.dtype).unsqueeze(-1)
    rolled = (below.unsqueeze(-2) < limits).to(mel.dtype).sum(-1)  # (..., 4)
    parts = [LOWEST, LOW - LOWEST, MIDDLE - LOW, MEL_BINS - MIDDLE]
    one, two, three, four = (part.sum(-1) for part in shares.split(parts, dim=-1))
    of_all = [
        energy(mel),
        (LOUDNESS_POWER * mel).exp().sum(-1).log(),
        centroid,
        spread,
        _entropy(shares),
        nn.functional.pad(flux, (1, 0)),
        (mel * middle).sum(-1) / middle.square().sum(),  # the spectrum's slope
        *rolled.unbind(-1),
        (one / (two + three + four)).log(),
        ((one + two) / (three + four)).log(),  # alpha ratio
        (three / four).log(),
        mel[..., :MIDDLE].amax(-1) - mel[..., MIDDLE:].amax(-1),  # Hammarberg index
        *(mel[..., first:end].argmax(-1).to(mel.dtype) for first, end in FORMANTS),
    ]
    return torch.stack(of_all, dim=-1)


def _of_pitch(pitch: Tensor) -> Tensor:
    """(..., 80) -> (..., 6): how high the voice is, and how clearly that is heard."""
    raised = pitch - pitch.mean(-1, keepdim=True)
    above = nn.functional.pad(raised, (0, PITCH_BINS))
    salience = torch.zeros_like(pitch[..., :HIGHEST_PITCH_BIN])
    for harmonic in range(HARMONICS):
        first = round(PITCH_BINS_PER_OCTAVE * float(np.log2(harmonic + 1)))
        own = above[..., first : first + HIGHEST_PITCH_BIN]
        salience = salience + HARMONIC_DECAY**harmonic * own
    strength, height = salience.max(-1)
    shares = pitch.softmax(-1)
    bins = torch.arange(PITCH_BINS, device=pitch.device, dtype=pitch.dtype)
    of_all = [
        height.to(pitch.dtype),
        strength,
        shares @ bins,
        _entropy(shares),
        raised.amax(-1),
        raised.argmax(-1).to(pitch.dtype),
    ]
    return torch.stack(of_all, dim=-1)


def _entropy(shares: Tensor) -> Tensor:
    return -(shares * (shares + 1e-9).log()).sum(-1)


def _cosines(bins: int) -> NDArray[np.float32]:
    """(bins, 20), the first of the discrete cosine transform (type II)."""
    places = (np.arange(bins)[:, None] + 0.5) * np.arange(CEPSTRA)
    return (np.cos(np.pi * places / bins) * np.sqrt(2 / bins)).astype(np.float32)
