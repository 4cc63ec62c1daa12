from __future__ import annotations

import torch

from fer_core.model.attention_pooling import AttentionPooling
from fer_core.model.segment_pooling import (
    SegmentAttentionPooling,
    SegmentMeanPooling,
    seen_segments,
)


@torch.inference_mode()
def test_a_segment_hears_its_own_steps_only() -> None:
    pooling = SegmentAttentionPooling(width=8, heads=2)
    steps, mask = torch.randn(1, 38, 8), torch.ones(1, 8, dtype=torch.bool)
    before = pooling(steps, mask)
    steps[0, 19] += 1  # 1.52 s, in segment 4 (1.5 s to 1.875 s)
    changed = (pooling(steps, mask) != before).any(-1)[0]
    assert changed.tolist() == [False] * 4 + [True] + [False] * 3


@torch.inference_mode()
def test_an_unheard_segment_is_the_absent_vector_at_its_place() -> None:
    pooling = SegmentAttentionPooling(width=8, heads=1)
    mask = torch.ones(1, 8, dtype=torch.bool)
    mask[0, 5] = False
    pooled = pooling(torch.randn(1, 38, 8), mask)
    assert torch.equal(pooled[0, 5], pooling.absent + pooling.temporal_encoding[5])


@torch.inference_mode()
def test_a_seen_segment_is_the_mean_of_its_real_frames() -> None:
    pooling = SegmentMeanPooling(width=4)
    mask = torch.ones(1, 16, dtype=torch.bool)
    mask[0, [2, 3, 5]] = False
    frames = torch.where(mask.unsqueeze(-1), torch.randn(1, 16, 4), 0.0)
    pooled = pooling(frames, mask)[0]
    torch.testing.assert_close(pooled[0], (frames[0, 0] + frames[0, 1]) / 2)
    assert torch.equal(pooled[1], pooling.absent)
    torch.testing.assert_close(pooled[2], frames[0, 4])
    assert seen_segments(mask)[0].tolist() == [True, False, *[True] * 6]


@torch.inference_mode()
def test_a_query_that_may_look_nowhere_gets_the_plain_mean() -> None:
    tokens = torch.randn(2, 5, 8)
    mask = torch.ones(2, 1, 5, dtype=torch.bool)
    mask[1] = False
    pooled, weights = AttentionPooling(8, heads=2)(tokens, mask)
    torch.testing.assert_close(pooled[1, 0], tokens[1].mean(0))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 1))
