"""How three answers become one: fusion's, the voice's and the face's.

Logits are added, which multiplies probabilities: a product of experts (Hinton 2002), in which the
surer one weighs more. But a sad voice may come from a face at rest, and a smile from somebody who
says an everyday thing: what shows nothing does not speak against what the other shows. Fusion
corrects what two say of each other; where one modality is alone, its own answer stands as its
branch learnt it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fer_core.labels import EMOTIONS

# How much of a segment's answer is that of its clip: a syllable alone tells little of an emotion,
# which within 3 s seldom changes.
CLIP_SHARE = 0.7

# How often a face, or a voice, is at rest while the other one shows an emotion.
AT_REST = 0.05
REST = EMOTIONS.index("calm") + 1  # neutral and calm, the first of them

# Faces are learnt from pictures as the world has them, most of them neutral or happy, and voices
# from actors who show everything alike: so much of the logarithm of how often faces showed an
# emotion is taken back beside a voice (logit adjustment, Menon et al. 2021).
PRIOR_SHARE = 0.5


def combine(
    logits: Tensor,
    segment_logits: Tensor,
    audio_logits: Tensor,
    video_logits: Tensor,
    heard: Tensor,
    seen: Tensor,
    face_prior: Tensor,
) -> tuple[Tensor, Tensor]:
    """The answers for the clip (B, C) and for its segments (B, S, C).

    Args:
        logits: (B, C), fusion's for the clip.
        segment_logits: (B, S, C), fusion's for each segment.
        audio_logits: (B, S, C), the audio branch's own.
        video_logits: (B, S, C), the visual branch's own.
        heard: (B, S), where there is sound.
        seen: (B, S), where there is a face.
        face_prior: (C,), the logarithm of how often each emotion was seen in training.
    """
    both = (heard.any(1) & seen.any(1)).unsqueeze(-1)  # (B, 1)
    logits = torch.where(both, logits, 0.0)
    segment_logits = torch.where(both.unsqueeze(-1), segment_logits, 0.0)
    prior = PRIOR_SHARE * face_prior
    for says, present, known in ((audio_logits, heard, 0.0), (video_logits, seen, prior)):
        of_clip = mean_of_present(says, present)
        logits = logits + torch.where(both, or_at_rest(of_clip - known), of_clip)
        of_segments = torch.where(both.unsqueeze(-1), or_at_rest(says - known), says)
        segment_logits = segment_logits + of_segments * present.unsqueeze(-1)
    leaning = (1 - CLIP_SHARE) * segment_logits + CLIP_SHARE * logits.unsqueeze(1)
    present = (heard | seen).unsqueeze(-1)
    return logits, torch.where(present, leaning, segment_logits)


def or_at_rest(logits: Tensor) -> Tensor:
    """(..., C) -> log-probabilities (..., C): who feels an emotion shows it, or is at rest."""
    says = logits.log_softmax(-1)
    rest, shows = says[..., :REST], says[..., REST:]
    at_rest = rest.logsumexp(-1, keepdim=True).expand_as(shows) + math.log(AT_REST)
    shows = torch.stack([shows + math.log(1 - AT_REST), at_rest]).logsumexp(0)
    return torch.cat([rest, shows], dim=-1)


def mean_of_present(segments: Tensor, present: Tensor) -> Tensor:
    """(B, S, D), (B, S) -> (B, D): the mean of the present ones, zeros without any."""
    share = present / present.sum(1, keepdim=True).clamp(min=1)
    return (segments * share.unsqueeze(-1)).sum(1)
