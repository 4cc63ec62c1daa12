"""Somebody's trained model must not answer otherwise because the network was changed.

What the numbers below are does not matter, only that they stay. Where the network is meant to
compute something else, models saved before have lost their meaning: that is a decision, and these
numbers are then taken anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.model.inputs import ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER


def wave(*shape: int, phase: float = 0.0) -> torch.Tensor:
    """Numbers between -1 and 1 that no generator of random numbers can change."""
    count = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (0.7 * count + phase + (0.013 * count).sin()).sin().float().view(shape)


def with_given_weights(config: FERConfig) -> MultimodalFER:
    model = MultimodalFER(config).eval()
    for number, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        if not tensor.is_floating_point() or name.startswith("audio_branch.spectra"):
            continue
        values = wave(*tensor.shape, phase=number)
        if "var" in name or (tensor.ndim == 1 and name.endswith("weight")):  # of a norm
            tensor.copy_(1 + values / 4)
        else:
            tensor.copy_(values * (2 / tensor[0].numel()) ** 0.5 if tensor.ndim > 1 else values / 4)
    return model


@pytest.fixture(scope="module")
def partly_hidden() -> ModelInputs:
    frame_mask, audio_mask = torch.ones(1, 16, dtype=torch.bool), torch.ones(1, 8, dtype=torch.bool)
    frame_mask[0, [0, 1, 7, 10, 11]] = False
    audio_mask[0, [0, 3]] = False
    roi = torch.zeros(14, 14, dtype=torch.bool)
    roi[2:9, 4:13] = True
    return ModelInputs(
        pixels=wave(1, 16, 3, 224, 224),
        frame_mask=frame_mask,
        roi=roi.flatten().expand(1, 16, 196),
        spectra=4 * wave(1, 301, 160) - 7,
        audio_mask=audio_mask,
    )


def usual(config: FERConfig) -> FERConfig:
    return dataclasses.replace(
        config, temporal=dataclasses.replace(config.temporal, attention_layers=2)
    )


def other(config: FERConfig) -> FERConfig:
    """Other parts wherever there is a choice."""
    return dataclasses.replace(
        config,
        audio=dataclasses.replace(
            config.audio, encoders=("stemmed", "convolutional"), stem_blocks=1, stem_width=16
        ),
        vision=dataclasses.replace(config.vision, stem="conv", stem_blocks=1),
        roi=dataclasses.replace(config.roi, place="early", keep=40),
        fusion=dataclasses.replace(config.fusion, kind="attention", layers=2),
        classifier=dataclasses.replace(config.classifier, pooling="max"),
    )


Variant = Callable[[FERConfig], FERConfig]


@torch.inference_mode()
@pytest.mark.parametrize(
    ("variant", "clip", "segment_2", "weights"),
    [
        (
            usual,
            [-4.422, -5.355, -5.375, -5.421, -4.652, -3.555, -3.881, -4.563],
            [-4.587, -5.284, -5.268, -5.21, -4.647, -3.744, -3.867, -4.408],
            [0.0, 0.141, 0.142, 0.14, 0.142, 0.152, 0.141, 0.142],
        ),
        (
            other,
            [-5.106, -4.75, -3.943, -3.596, -3.91, -4.442, -4.707, -4.422],
            [-4.952, -4.566, -3.996, -3.852, -4.013, -4.244, -4.442, -4.471],
            [0.0, 0.25, 0.0, 0.25, 0.0, 0.25, 0.125, 0.125],
        ),
    ],
)
def test_given_weights_answer_as_they_always_did(
    tiny_config: FERConfig,
    partly_hidden: ModelInputs,
    variant: Variant,
    clip: list[float],
    segment_2: list[float],
    weights: list[float],
) -> None:
    output = with_given_weights(variant(tiny_config))(partly_hidden)
    assert output.logits[0].tolist() == pytest.approx(clip, abs=1e-3)
    assert output.segment_logits[0, 2].tolist() == pytest.approx(segment_2, abs=1e-3)
    assert output.segment_weights[0].tolist() == pytest.approx(weights, abs=1e-3)
