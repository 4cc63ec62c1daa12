from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from fer_core.config import FERConfig, FusionKind
from fer_core.costs import costs_of
from fer_core.errors import UserError
from fer_core.export.folder import export_model
from fer_core.export.onnx_export import onnx_runner, save_onnx
from fer_core.export.parity import random_clips
from fer_core.export.parts import parts_of, traceable
from fer_core.export.prunable import PrunableGroup, prunable_groups
from fer_core.export.prune import prune, without
from fer_core.export.torch_export import trace
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def config(tiny_config: FERConfig) -> FERConfig:
    """Four heads everywhere, and three blocks of LFM2's feed-forward, so that a third is one."""
    replace = dataclasses.replace
    return replace(
        tiny_config,
        audio=replace(tiny_config.audio, heads=4),
        vision=replace(tiny_config.vision, heads=4, layers=2),
        temporal=replace(tiny_config.temporal, heads=4),
        fusion=replace(tiny_config.fusion, heads=4, key_value_heads=2, feed_forward=1152),
    )


@pytest.fixture
def model(config: FERConfig) -> MultimodalFER:
    return lively(config)


@torch.no_grad()
def lively(config: FERConfig) -> MultimodalFER:
    """Biases too are other than zero, so that it matters which of them stay."""
    model = new_model(config, seed=0).eval()
    noise = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter += 0.1 * torch.randn(parameter.shape, generator=noise)
    return model


@torch.no_grad()
def silence(model: MultimodalFER, groups: list[PrunableGroup]) -> None:
    """Let as many units of each layer as ``groups`` take out add nothing, each layer's others."""
    noise = torch.Generator().manual_seed(1)
    weights = model.state_dict()  # the weights themselves, not copies
    for group in groups:
        for layer in group.layers:
            silent = torch.randperm(group.units, generator=noise)[group.kept :]
            weights[f"{layer.out_of}.weight"].unflatten(1, (group.units, -1))[:, silent] = 0
            for name in layer.content:
                shape = (layer.packed, group.units, -1)
                weights[f"{name}.weight"].unflatten(0, shape)[-1, silent] = 0


def answers(model: MultimodalFER) -> torch.Tensor:
    with torch.inference_mode():
        return model(random_clips(3, seed=0)).segment_logits


def test_it_is_really_smaller_and_its_configuration_says_so(model: MultimodalFER) -> None:
    smaller, report = prune(model, 1 / 3)
    assert smaller.config.vision.mlp == 21
    assert smaller.config.audio.feed_forward == 43
    assert smaller.config.classifier.hidden == (11, 5)
    assert smaller.config.fusion.feed_forward == 768
    assert smaller.fusion.joining.lfm2.layers[0].feed_forward.w1.out_features == 512
    counted = sum(p.numel() for p in smaller.parameters())
    assert report.parameters.after == counted < report.parameters.before
    assert report.parameters.before == sum(p.numel() for p in model.parameters())
    assert report.hop_operations.after == sum(p.hop_operations for p in costs_of(smaller.config))
    assert report.hop_operations.after < report.hop_operations.before


@pytest.mark.parametrize("kind", ["lfm2", "attention"])
def test_what_added_nothing_goes_first_and_the_answers_stay(
    config: FERConfig, kind: FusionKind
) -> None:
    model = lively(
        dataclasses.replace(config, fusion=dataclasses.replace(config.fusion, kind=kind))
    )
    wanted = answers(model)
    groups = prunable_groups(model, 0.5)
    silence(model, groups)
    silenced = answers(model)
    assert (silenced - wanted).abs().max() > 1e-3  # they did add something
    smaller = without(model, groups)
    torch.testing.assert_close(answers(smaller), silenced, atol=1e-5, rtol=0)
    assert sum(p.numel() for p in smaller.parameters()) < sum(p.numel() for p in model.parameters())


def test_heads_go_from_every_attention_with_the_same_number_in_each_layer(
    model: MultimodalFER,
) -> None:
    smaller, report = prune(model, 0.5)
    config = smaller.config
    for part in (config.audio, config.vision, config.temporal, config.fusion):
        assert (part.heads, part.head_width) == (2, 4)
    assert config.fusion.key_value_heads == 1
    removed = {change.name: (change.before, change.after) for change in report.removed}
    assert removed["vision.heads"] == removed["audio.heads"] == removed["temporal.heads"] == (4, 2)
    assert removed["fusion.key_value_heads"] == (2, 1)
    for layer in smaller.visual_branch.encoder.encoder.layers:
        assert layer.self_attn.q_proj.out_features == 8
    assert "vision.heads" in report.as_text()


def test_the_poolings_keep_their_heads(model: MultimodalFER) -> None:
    smaller, _ = prune(model, 0.5)
    assert smaller.audio_pooling.poolings[0].heads == 4
    assert smaller.visual_branch.pooling.heads == 4


def test_query_heads_go_with_the_key_value_head_that_serves_them(model: MultimodalFER) -> None:
    joined = "fusion.joining.lfm2.layers.2.self_attn"
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        model.get_parameter(f"{joined}.out_proj.weight")[:, :8] *= 0.1  # of the first two of four
    after = prune(model, 0.5)[0].state_dict()
    for projection, first in (("q_proj", 8), ("k_proj", 4), ("v_proj", 4)):
        name = f"{joined}.{projection}.weight"
        assert torch.equal(after[name], before[name][first:])
    name = f"{joined}.out_proj.weight"
    assert torch.equal(after[name], before[name][:, 8:])


def test_where_a_head_looks_does_not_save_it(model: MultimodalFER) -> None:
    attention = "temporal_encoder.attentions.0"
    projected = model.get_parameter(f"{attention}.query_key_value.weight")  # (3 * 16, 16)
    by_head = projected.detach().unflatten(0, (3, 4, 4))  # of query, key and value
    by_head[:2, 0] *= 100
    by_head[2, 0] *= 0.1
    left = prune(model, 0.25)[0].state_dict()[f"{attention}.query_key_value.weight"]
    assert torch.equal(left, by_head[:, 1:].flatten(0, 2))


def test_a_pruned_network_can_be_pruned_again(model: MultimodalFER) -> None:
    half, _ = prune(model, 0.5)
    quarter, _ = prune(half, 0.5)
    assert (quarter.config.vision.heads, quarter.config.vision.head_width) == (1, 4)
    assert quarter.audio_pooling.poolings[0].heads == 4
    assert torch.isfinite(answers(quarter)).all()


def test_a_pruned_network_is_traced_like_any_other(model: MultimodalFER, tmp_path: Path) -> None:
    smaller, _ = prune(model, 0.5)
    (report,) = export_model(smaller, tmp_path, formats=["pt2"])
    assert report.largest < 1e-5


def test_fewer_heads_are_exported_to_onnx(model: MultimodalFER, tmp_path: Path) -> None:
    """Of the vision encoder, whose projections transformers did not make."""
    smaller, _ = prune(model, 0.5)
    encoder, *_ = parts_of(smaller)
    with traceable(smaller):
        save_onnx(encoder, trace(encoder), smaller.config, tmp_path / "frames.onnx")
    pixels, roi = torch.rand(3, 3, 224, 224), torch.rand(3, 196) < 0.3
    vectors, _ = onnx_runner(tmp_path / "frames.onnx")(pixels, roi)
    wanted = smaller.encode_frames(pixels, roi).vectors
    torch.testing.assert_close(vectors, wanted, atol=1e-5, rtol=0)


def test_the_network_given_stays_as_it_is(model: MultimodalFER) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random = torch.get_rng_state()
    prune(model, 0.5)
    assert torch.equal(random, torch.get_rng_state())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_pruned_network_is_saved_and_loaded_like_any_other(
    model: MultimodalFER, tmp_path: Path
) -> None:
    smaller, _ = prune(model, 0.5)
    save_checkpoint(smaller, tmp_path)
    loaded = load_checkpoint(tmp_path)
    assert loaded.config == smaller.config
    assert torch.equal(answers(loaded), answers(smaller))


def test_the_report_tells_what_was_not_measured(model: MultimodalFER) -> None:
    _, report = prune(model, 0.5)
    assert report.mean <= report.largest
    assert "not measured" in report.as_text()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan"), 1e-6])
def test_a_share_that_takes_out_nothing_or_all_is_a_users_error(
    model: MultimodalFER, share: float
) -> None:
    with pytest.raises(UserError):
        prune(model, share)
