from __future__ import annotations

import torch

from fer_core.model.answer import CLIP_SHARE, combine


def test_of_one_modality_alone_its_own_answer_stands() -> None:
    noise = torch.Generator().manual_seed(0)
    fused, own = torch.randn(2, 8, generator=noise), torch.randn(2, 8, 8, generator=noise)
    none, some = torch.zeros(2, 8, dtype=torch.bool), torch.ones(2, 8, dtype=torch.bool)
    some[0, :3] = False
    for heard, seen in ((some, none), (none, some)):
        logits, segment_logits = combine(fused, own + 1, own, own, heard, seen)
        torch.testing.assert_close(logits[0], own[0, 3:].mean(0))
        expected = own.lerp(logits.unsqueeze(1), CLIP_SHARE)
        torch.testing.assert_close(segment_logits[some], expected[some])


def test_of_both_all_three_answers_are_added() -> None:
    noise = torch.Generator().manual_seed(0)
    fused, (voice, face) = torch.randn(1, 8, generator=noise), torch.randn(2, 1, 8, 8)
    there = torch.ones(1, 8, dtype=torch.bool)
    logits, _ = combine(fused, voice, voice, face, there, there)
    torch.testing.assert_close(logits, fused + voice.mean(1) + face.mean(1))
