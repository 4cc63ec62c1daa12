"""A voice's functionals: what its descriptors and modulations are over a clip, in 4,368 numbers.

Means, spreads, shapes, percentiles, slopes, changes and rhythms over the part of a clip in which
somebody speaks, as openSMILE calls and computes most of them (Eyben et al. 2010). How loud the
voice is on the whole does not count: a microphone's gain decides that. Spectra are heard as ears
compress them (Stevens 1957), between power and its logarithm: in a logarithm, what is too quiet to
be heard varies the most. Nothing here is learnt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.model.descriptors import DESCRIPTORS, OF_PITCH, Descriptors, energy
from fer_core.model.inputs import LOG_FLOOR
from fer_core.model.modulations import MODULATIONS, Modulations
from fer_core.model.rhythms import BANDS, Rhythms

AUDIBLE = 8.0  # natural logarithm of power: what is 35 dB under the loudest is a pause
PERCENTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
OF_CHANGES = (0.05, 0.25, 0.75, 0.95)
SMALLEST_SPREAD = 1e-3
COMPRESSION = 0.15  # power of power; the logarithm would be 0
OF_EACH = 4 + len(PERCENTILES) + 2 + 2 + len(OF_CHANGES) + BANDS  # descriptor
FUNCTIONALS = DESCRIPTORS * OF_EACH + MODULATIONS


def melody() -> Tensor:
    """The places of those (M,) on which words leave the least: of pitch, and the modulations."""
    places = torch.arange(FUNCTIONALS)
    of_pitch = places % DESCRIPTORS >= DESCRIPTORS - OF_PITCH
    return places[of_pitch | (places >= DESCRIPTORS * OF_EACH)]


class Functionals(nn.Module):
    """(B, 301, 160) natural logarithms of power, (B, 301) True where heard -> (B, 4368)."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = Descriptors()
        self.modulations = Modulations()
        self.rhythms = Rhythms()

    def forward(self, spectra: Tensor, heard: Tensor) -> Tensor:
        level = energy(spectra)  # (B, 301)
        spoken = _spoken(level, heard)  # (B, 301)
        kept = spoken.unsqueeze(-1)
        weights = kept.to(spectra.dtype)
        frames = weights.sum(1).clamp(min=1)  # (B, 1)
        usual = (level * spoken).sum(1, keepdim=True) / frames  # (B, 1)
        spectra = _compressed((spectra - usual.unsqueeze(-1)).clamp(min=LOG_FLOOR))
        described = self.descriptors(spectra)  # (B, 301, D)
        mean = (described * weights).sum(1) / frames
        apart = (described - mean.unsqueeze(1)) * weights
        spread = _spread(apart, frames)
        scaled = apart / spread.unsqueeze(1)
        squared = scaled.square()
        change, changes = _differences(described, spoken)
        place = _place(spoken).unsqueeze(-1)  # (B, 301, 1)
        of_all = [
            mean,
            spread,
            (squared * scaled).sum(1) / frames,
            squared.square().sum(1) / frames,
            _percentiles(described, spoken, PERCENTILES),
            3 * (described * place).sum(1) / frames,  # the slope
            (apart * (place.square() - 1 / 3)).sum(1) / frames,  # the bend
            *_sizes(change, changes),
            _percentiles(change, changes, OF_CHANGES),
            self.rhythms(apart, frames),
            self.modulations(torch.where(kept, spectra, 0.0), weights.squeeze(-1)),
        ]
        return torch.cat(of_all, dim=-1)


def _compressed(spectra: Tensor) -> Tensor:
    """Logarithms of power -> a power of it, 0 and rising by 1 where the logarithm is 0."""
    return (COMPRESSION * spectra).expm1() / COMPRESSION


def _spoken(level: Tensor, heard: Tensor) -> Tensor:
    """(B, F), (B, F) -> (B, F): from the first loud frame to the last, of those heard."""
    level = level.masked_fill(~heard, -torch.inf)
    loud = heard & (level >= level.amax(-1, keepdim=True) - AUDIBLE)
    since = loud.int().cumsum(-1) > 0
    until = loud.flip(-1).int().cumsum(-1).flip(-1) > 0
    return since & until & heard


def _place(spoken: Tensor) -> Tensor:
    """(B, F) -> (B, F): -1 at the first frame spoken to 1 at the last; zeros where none is."""
    count = spoken.sum(-1, keepdim=True)
    share = (spoken.int().cumsum(-1) - 1) / (count - 1).clamp(min=1)
    return (2 * share - 1) * spoken


def _spread(apart: Tensor, frames: Tensor) -> Tensor:
    return (apart.square().sum(1) / frames).sqrt() + SMALLEST_SPREAD


def _differences(values: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """(B, F, D), (B, F) -> (B, F - 2, D), (B, F - 2): over 20 ms, and which count."""
    counts = counts[:, 2:] & counts[:, :-2]
    return values[:, 2:] - values[:, :-2], counts


def _sizes(changes: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """(B, F, D), (B, F) -> 2 x (B, D): how large they are on average."""
    weights = counts.unsqueeze(-1).to(changes.dtype)
    changes, frames = changes * weights, weights.sum(1).clamp(min=1)
    return changes.abs().sum(1) / frames, (changes.square().sum(1) / frames).sqrt()


def _percentiles(values: Tensor, counts: Tensor, shares: tuple[float, ...]) -> Tensor:
    """(B, F, D), (B, F) -> (B, len(shares) * D): the nearest of what counts; zeros of nothing."""
    # What is sorted lies side by side in memory: that takes half the time.
    values = values.transpose(1, 2).masked_fill(~counts.unsqueeze(1), torch.inf).contiguous()
    ascending = values.sort(dim=-1).values  # (B, D, F)
    last = (counts.sum(-1) - 1).clamp(min=0)
    ranks = torch.stack([(share * last).round().long() for share in shares], dim=-1)
    found = ascending.gather(2, ranks.unsqueeze(1).expand(-1, values.shape[1], -1))
    found = torch.where(counts.any(-1)[:, None, None], found, 0.0)
    return found.transpose(1, 2).flatten(1)
