"""How a stage is doing on people it does not learn from, by the protocol of the final scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.data.item import Item
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.scores import score


@dataclass(frozen=True, slots=True)
class Said:
    """A stage's answers to one batch of windows, on the CPU."""

    places: Sequence[int]  # (B,), of each window's item
    logits: Tensor  # (B, C)
    segment_logits: Tensor  # (B, S, C)
    heard: Tensor  # (B, S)
    seen: Tensor  # (B, S)


def validation_scores(items: Sequence[Item], said: Sequence[Said]) -> dict[str, float]:
    """UAR, WAR and negative log-likelihood over ``items``."""
    answers = Answers(
        tuple(items),
        torch.tensor([place for one in said for place in one.places]),
        torch.cat([one.logits for one in said]),
        torch.cat([one.segment_logits for one in said]),
        torch.cat([one.heard for one in said]),
        torch.cat([one.seen for one in said]),
    )
    scores = score(answers)
    return {"val_uar": scores.uar, "val_war": scores.war, "val_loss": scores.nll}
