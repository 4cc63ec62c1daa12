"""What training minimises, each loss a mean over the clips of the batch.

A clip that has nothing for a loss counts as zero in its mean. So the mean over several machines of
equal batches is the mean over all their clips.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fer_core.data.targets import Targets, cross_entropy, log_probabilities_of_groups

RAREST = 0.01  # share of an emotion that is hardly ever seen
FIRST_SHARE = 0.6  # neutral, where it is neutral or calm: faces at rest are that more often


def clip_loss(logits: Tensor, present: Tensor, targets: Targets, weights: Tensor) -> Tensor:
    """Cross-entropy of clips (B, C), of those that are ``present`` (B,)."""
    return (cross_entropy(logits, targets, weights) * present).mean()


def segment_loss(logits: Tensor, present: Tensor, targets: Targets, weights: Tensor) -> Tensor:
    """Cross-entropy of segments (B, S, C), of those ``present`` (B, S); clips count alike."""
    segments = logits.shape[1]
    repeated = Targets(
        targets.shares.repeat_interleave(segments, 0), targets.groups.repeat_interleave(segments, 0)
    )
    losses = cross_entropy(logits.flatten(0, 1), repeated, weights).view_as(present)  # (B, S)
    return ((losses * present).sum(1) / present.sum(1).clamp(min=1)).mean()


def division_loss(logits: Tensor, present: Tensor, targets: Targets) -> Tensor:
    """How far segments (B, S, C) that are ``present`` divide otherwise what no label divides.

    Where a label means one of several emotions, such as neutral or calm, the cross-entropy leaves
    open which, and the answer would flicker between them. The first shall have ``FIRST_SHARE`` of
    their probability; this is the Kullback-Leibler divergence from that.
    """
    segments = logits.shape[1]
    groups = targets.groups.repeat_interleave(segments, 0)  # (B*S, C, C)
    said = logits.flatten(0, 1).log_softmax(-1)  # (B*S, C)
    of_groups = log_probabilities_of_groups(said, groups)
    within = (said.unsqueeze(1) - of_groups.unsqueeze(-1)) * groups  # (B*S, C, C)
    first = torch.eye(logits.shape[-1], device=logits.device)
    others = (groups - first).clamp(min=0)
    count = others.sum(-1, keepdim=True)
    wanted = torch.where(
        count > 0, FIRST_SHARE * first + (1 - FIRST_SHARE) * others / count.clamp(min=1), groups
    )
    divergence = (torch.xlogy(wanted, wanted) - wanted * within).sum(-1)  # (B*S, C)
    shares = targets.shares.repeat_interleave(segments, 0)
    losses = (shares * divergence).sum(-1).view_as(present)
    return ((losses * present).sum(1) / present.sum(1).clamp(min=1)).mean()


def contrastive_loss(
    voices: Tensor, faces: Tensor, both: Tensor, temperature: float, first: int = 0
) -> Tensor:
    """Pull a clip's voice to its own face and push it from the others' (Radford et al. 2021).

    Args:
        voices: (B, D) of this machine's clips.
        faces: (N, D) of all machines' clips, those of this one from place ``first`` on.
        both: (N,), True for clips that have a voice and a face.
        temperature: the similarities, -1 to 1, are divided by it.
        first: see ``faces``.
    """
    own = torch.arange(len(voices), device=voices.device) + first
    similarity = _normed(voices) @ _normed(faces).T / temperature  # (B, N)
    similarity = similarity.masked_fill(~both, torch.finfo(similarity.dtype).min)
    losses = torch.nn.functional.cross_entropy(similarity, own, reduction="none")
    return (losses * both[own]).mean()


def class_weights(shares: Tensor) -> Tensor:
    """Inverse of how much of the corpus each emotion is, (N, C) -> (C,), mean 1 over the corpus.

    An emotion that never occurs weighs 1. One that is rarer than a fifth of an even share weighs as
    if it were that fifth, so that a handful of clips cannot rule.
    """
    share = shares.mean(0)  # (C,)
    present = share > 0
    weights = (1 / (present.sum() * share)).clamp(max=5.0)
    return torch.where(present, weights / (weights * share).sum(), 1.0)


def seen_prior(targets: Targets, weights: Tensor) -> Tensor:
    """(C,): the logarithm of the share that each emotion has in what a loss of ``weights`` counts.

    Emotions that a label does not tell apart have the share of all of them.
    """
    weighted = targets.shares * weights  # (N, C)
    seen = torch.einsum("ng,nge->e", weighted, targets.groups) / weighted.sum()
    return seen.clamp(min=RAREST).log()


def _normed(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors.float(), dim=-1)
