from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from fer_core.config import FERConfig, RoiConfig
from fer_core.model.folding import folded
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.weights import new_model


def network(tiny_config: FERConfig) -> MultimodalFER:
    """With stems whose norms have seen something, in training mode."""
    config = replace(
        tiny_config,
        audio=replace(tiny_config.audio, encoders=("stemmed", "convolutional")),
        vision=replace(tiny_config.vision, stem="conv", stem_blocks=1),
        roi=RoiConfig("early"),
    )
    model = new_model(config, seed=1)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 2)
            nn.init.normal_(part.bias)
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return model


def assert_close(one: torch.Tensor, other: torch.Tensor) -> None:
    assert (one - other).abs().max() < 1e-4 * other.std()


@torch.inference_mode()
def test_a_folded_network_has_no_norms_of_batches_and_answers_the_same(
    tiny_config: FERConfig,
) -> None:
    model = network(tiny_config).eval()
    quick = folded(model)
    assert any(isinstance(part, nn.BatchNorm2d) for part in model.modules())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in quick.modules())
    pictures = torch.rand(2, 3, 224, 224) * 2 - 1
    seen = model.encode_frames(pictures, None).vectors
    assert_close(quick.encode_frames(pictures, None).vectors, seen)
    sound, mask = torch.randn(1, 301, 160) - 7, torch.ones(1, 8, dtype=torch.bool)
    heard = model.encode_audio(sound, mask)
    assert_close(quick.encode_audio(sound, mask), heard)


def test_folding_leaves_the_network_as_it_was_and_copies_no_other_weights(
    tiny_config: FERConfig,
) -> None:
    model = network(tiny_config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    quick = folded(model)
    assert model.training
    assert not quick.training
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(model.state_dict()[name], own) for name, own in before.items())
    own = {id(part) for part in model.parameters()}
    others = [part for part in quick.modules() if not isinstance(part, nn.Conv2d)]
    assert all(id(one) in own for part in others for one in part.parameters(recurse=False))
