from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fer_core.config import PRESETS, FERConfig, Preset
from fer_core.costs import costs_of
from fer_core.weights import new_model


def millions(preset: Preset) -> dict[str, float]:
    return {part.name: part.parameters / 1e6 for part in costs_of(FERConfig.preset(preset))}


def test_presets_weigh_what_they_say() -> None:
    compact, lightweight, full = map(millions, PRESETS)
    assert sum(compact.values()) <= 14
    assert compact["audio encoder"] == pytest.approx(1.47, abs=0.05)
    assert compact["vision encoder"] == pytest.approx(2.9, abs=0.05)
    fusion = ("gated projections", "joining", "projection")
    assert sum(compact[name] for name in fusion) == pytest.approx(2.03, abs=0.05)
    assert sum(lightweight[name] for name in fusion) == pytest.approx(15, abs=0.3)
    assert full["audio encoder"] == pytest.approx(108.8, abs=0.05)
    assert full["joining"] == pytest.approx(241.5, abs=0.05)


def test_shapes_are_those_of_the_design() -> None:
    shapes = {part.name: part.shape for part in costs_of(FERConfig.preset("full"))}
    assert shapes["audio encoder"] == "(B, 38, 512)"
    assert shapes["vision encoder"] == "(B, 16, 196, 768)"
    assert shapes["ROI token compression"] == "(B, 16, 68, 768)"
    assert shapes["gated projections"] == "(B, 8, 1536)"
    assert shapes["projection"] == "(B, 8, 512)"


def test_every_parameter_is_counted_once(tiny_config: FERConfig) -> None:
    counted = sum(part.parameters for part in costs_of(tiny_config))
    assert counted == sum(p.numel() for p in new_model(tiny_config, 0).parameters())


def test_every_operation_is_counted_once(tiny_config: FERConfig, make_inputs) -> None:
    model = new_model(tiny_config, 0).to("meta").eval()
    clip = make_inputs(clips=1)
    fields = {f.name: getattr(clip, f.name).to("meta") for f in dataclasses.fields(clip)}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(type(clip)(**fields))
    counted = sum(part.clip_operations for part in costs_of(tiny_config))
    assert counted == counter.get_total_flops()


def test_a_hop_encodes_two_frames_of_sixteen(tiny_config: FERConfig) -> None:
    costs = {part.name: part for part in costs_of(tiny_config)}
    vision, audio = costs["vision encoder"], costs["audio encoder"]
    assert vision.hop_operations * 8 == vision.clip_operations
    assert audio.hop_operations == audio.clip_operations


def test_a_vision_transformer_costs_what_its_shapes_say(tiny_config: FERConfig) -> None:
    vision = tiny_config.vision
    width, mlp, tokens = vision.width, vision.mlp, 196
    patches = tokens * 3 * 16 * 16 * width
    layer = tokens * (4 * width * width + 2 * width * mlp) + 2 * tokens * tokens * width
    costs = {part.name: part for part in costs_of(tiny_config)}
    assert costs["vision encoder"].clip_operations == 16 * 2 * (patches + vision.layers * layer)


def test_what_is_frozen_keeps_neither_gradients_nor_anything_for_the_backward_pass(
    tiny_config: FERConfig,
) -> None:
    frozen = dataclasses.replace(tiny_config.vision, frozen=True)
    tuned = {part.name: part for part in costs_of(tiny_config)}["vision encoder"]
    fixed_config = dataclasses.replace(tiny_config, vision=frozen)
    fixed = {part.name: part for part in costs_of(fixed_config)}["vision encoder"]
    assert fixed.parameters == tuned.parameters
    assert fixed.trained == 0
    assert fixed.saved_bytes == 0
    assert fixed.training_bytes(4) == fixed.weight_bytes
    assert tuned.training_bytes(4) == 4 * tuned.weight_bytes + 4 * tuned.saved_bytes


def test_a_wider_feed_forward_takes_more_memory(tiny_config: FERConfig) -> None:
    wider = dataclasses.replace(
        tiny_config, vision=dataclasses.replace(tiny_config.vision, mlp=512)
    )
    for narrow, wide in zip(costs_of(tiny_config), costs_of(wider), strict=True):
        if narrow.name == "vision encoder":
            assert wide.saved_bytes > narrow.saved_bytes
            assert wide.inference_bytes > narrow.inference_bytes
        else:
            assert wide == narrow
