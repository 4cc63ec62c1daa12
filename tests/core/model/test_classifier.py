from __future__ import annotations

import pytest
import torch

from fer_core.config import ClassifierConfig, Pooling
from fer_core.model.classifier import Classifier, TemporalPooling

PRESENT = torch.tensor([[True, True, False, True, False]])
SEGMENTS = torch.tensor([[[1.0, 8.0], [3.0, 4.0], [99.0, 99.0], [2.0, 9.0], [99.0, 99.0]]])


@pytest.mark.parametrize(
    ("kind", "pooled", "weights"),
    [
        ("mean", [2, 7], [1 / 3, 1 / 3, 0, 1 / 3, 0]),
        ("max", [3, 9], [0, 0.5, 0, 0.5, 0]),
        ("last", [2, 9], [0, 0, 0, 1, 0]),
    ],
)
def test_pooling_takes_present_segments_and_says_their_share(
    kind: Pooling, pooled: list[float], weights: list[float]
) -> None:
    vector, share = TemporalPooling(2, kind)(SEGMENTS, PRESENT)
    torch.testing.assert_close(vector[0], torch.tensor(pooled, dtype=torch.float32))
    torch.testing.assert_close(share[0], torch.tensor(weights, dtype=torch.float32))


@torch.inference_mode()
def test_attention_weights_are_the_shares_of_the_segments() -> None:
    vector, share = TemporalPooling(2, "attention")(SEGMENTS, PRESENT)
    assert share[0, [2, 4]].eq(0).all()
    torch.testing.assert_close(vector, (share.unsqueeze(-1) * SEGMENTS).sum(1))


@torch.inference_mode()
def test_one_mlp_answers_for_the_clip_and_for_each_segment() -> None:
    classifier = Classifier(16, ClassifierConfig(pooling="last", hidden=(16, 8))).eval()
    segments = torch.randn(2, 8, 16)
    logits, segment_logits, _ = classifier(segments, torch.ones(2, 8, dtype=torch.bool))
    torch.testing.assert_close(logits, segment_logits[:, -1])
