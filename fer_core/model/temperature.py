"""Temperature scaling: the last step of an answer, after which probabilities mean what they say.

C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. A network that only hears is
wrong in other ways than one that also sees, so each combination has a temperature of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fer_core.config import PerModality, Temperatures


def calibrated_logits(
    logits: Tensor, segment_logits: Tensor, heard: Tensor, seen: Tensor, temperatures: Temperatures
) -> tuple[Tensor, Tensor]:
    """Logits (B, C) and (B, S, C) divided by their temperatures.

    A clip's temperature is that of the modalities of its segments together, ``heard`` and ``seen``
    (B, S) bool; a segment's is that of its own. Nothing present is read as seen.
    """
    clip = _temperature(heard.any(-1), seen.any(-1), temperatures.clip)  # (B,)
    segment = _temperature(heard, seen, temperatures.segment)  # (B, S)
    return logits / clip.unsqueeze(-1), segment_logits / segment.unsqueeze(-1)


def _temperature(heard: Tensor, seen: Tensor, of: PerModality) -> Tensor:
    return torch.where(heard & seen, of.both, torch.where(heard, of.audio, of.video))
