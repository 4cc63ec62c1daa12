"""How three answers become one: fusion's, the voice's and the face's.

Logits are added, which multiplies probabilities: a product of experts (Hinton 2002), in which the
surer one weighs more. Fusion corrects what two say of each other; where one modality is alone, its
own answer stands as its branch learnt it.
"""

from __future__ import annotations

import torch
from torch import Tensor

# How much of a segment's answer is that of its clip: a syllable alone tells little of an emotion,
# which within 3 s seldom changes.
CLIP_SHARE = 0.7


def combine(
    logits: Tensor,
    segment_logits: Tensor,
    audio_logits: Tensor,
    video_logits: Tensor,
    heard: Tensor,
    seen: Tensor,
) -> tuple[Tensor, Tensor]:
    """The answers for the clip (B, C) and for its segments (B, S, C).

    Args:
        logits: (B, C), fusion's for the clip.
        segment_logits: (B, S, C), fusion's for each segment.
        audio_logits: (B, S, C), the audio branch's own.
        video_logits: (B, S, C), the visual branch's own.
        heard: (B, S), where there is sound.
        seen: (B, S), where there is a face.
    """
    both = (heard.any(1) & seen.any(1)).to(logits.dtype).unsqueeze(-1)  # (B, 1)
    logits, segment_logits = both * logits, both.unsqueeze(-1) * segment_logits
    logits = logits + mean_of_present(audio_logits, heard) + mean_of_present(video_logits, seen)
    segment_logits = segment_logits + audio_logits * heard.unsqueeze(-1)
    segment_logits = segment_logits + video_logits * seen.unsqueeze(-1)
    leaning = (1 - CLIP_SHARE) * segment_logits + CLIP_SHARE * logits.unsqueeze(1)
    present = (heard | seen).unsqueeze(-1)
    return logits, torch.where(present, leaning, segment_logits)


def mean_of_present(segments: Tensor, present: Tensor) -> Tensor:
    """(B, S, D), (B, S) -> (B, D): the mean of the present ones, zeros without any."""
    share = present / present.sum(1, keepdim=True).clamp(min=1)
    return (segments * share.unsqueeze(-1)).sum(1)
