from __future__ import annotations

import dataclasses
import typing

import pytest
import torch

from fer_core.config import FERConfig, FusionConfig, FusionKind
from fer_core.model.fusion import Fusion
from fer_core.model.joining import Lfm2Joining, average_present

KINDS = typing.get_args(FusionKind)


def make(config: FERConfig, kind: FusionKind) -> Fusion:
    torch.manual_seed(0)
    return Fusion(16, 24, dataclasses.replace(config.fusion, kind=kind)).eval()


@torch.inference_mode()
@pytest.mark.parametrize("kind", KINDS)
def test_both_modalities_matter(tiny_config: FERConfig, kind: FusionKind) -> None:
    fusion = make(tiny_config, kind)
    audio, video = torch.randn(1, 8, 16), torch.randn(1, 8, 24)
    there = torch.ones(1, 8, dtype=torch.bool)
    fused = fusion(audio, video, there, there)
    assert fused.shape == (1, 8, 16)
    assert (fusion(audio + 1, video, there, there) - fused).abs().max() > 1e-4
    assert (fusion(audio, video + 1, there, there) - fused).abs().max() > 1e-4


@torch.inference_mode()
def test_lfm2_lets_a_segment_see_itself_and_earlier_ones(tiny_config: FERConfig) -> None:
    fusion = make(tiny_config, "lfm2")
    audio, video = torch.randn(1, 8, 16), torch.randn(1, 8, 24)
    there = torch.ones(1, 8, dtype=torch.bool)
    before = fusion(audio, video, there, there)
    audio[0, 5] += 1
    changed = (fusion(audio, video, there, there) != before).any(-1)[0].tolist()
    assert changed == [False] * 5 + [True] * 3


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["attention", "late"])
def test_the_absent_modality_is_not_looked_at(tiny_config: FERConfig, kind: FusionKind) -> None:
    fusion = make(tiny_config, kind)
    audio, video = torch.randn(1, 8, 16), torch.randn(1, 8, 24)
    there = torch.ones(1, 8, dtype=torch.bool)
    audio_only = fusion(audio, video, there, ~there)
    assert torch.equal(fusion(audio, video + 1, there, ~there), audio_only)


def test_the_average_takes_what_is_present() -> None:
    tokens = torch.tensor([[[[1.0], [3.0]], [[1.0], [3.0]], [[1.0], [3.0]], [[1.0], [3.0]]]])
    present = torch.tensor([[[True, True], [True, False], [False, True], [False, False]]])
    assert average_present(tokens, present).flatten().tolist() == [2, 1, 3, 2]


@torch.inference_mode()
@pytest.mark.parametrize("width", [192, 384])
def test_an_untrained_lfm2_passes_on_what_it_heard(width: int) -> None:
    torch.manual_seed(0)
    joining = Lfm2Joining(FusionConfig(width=width)).eval()
    audio, video = torch.randn(2, 1, 8, width).unbind(0)
    there = torch.ones(1, 8, 2, dtype=torch.bool)
    joined = joining(audio, video, there)
    assert 0.3 < joined.std() < 3
    audio[0, 0] = torch.randn(width)
    assert (joining(audio, video, there) - joined)[0, 1].std() > 0.03  # reached a neighbour


@torch.inference_mode()
def test_our_causal_mask_is_the_one_lfm2_would_make(tiny_config: FERConfig) -> None:
    joining = Lfm2Joining(tiny_config.fusion).eval()
    audio, video = torch.randn(2, 1, 8, 16).unbind(0)
    tokens = torch.stack([audio, video], dim=2).flatten(1, 2)
    its_own = joining.lfm2(inputs_embeds=tokens, use_cache=False).last_hidden_state
    ours = joining(audio, video, torch.ones(1, 8, 2, dtype=torch.bool))
    torch.testing.assert_close(ours, its_own.unflatten(1, (8, 2)).mean(2))


def test_the_unused_table_of_words_is_gone(tiny_config: FERConfig) -> None:
    assert not any("embed_tokens" in name for name in make(tiny_config, "lfm2").state_dict())
