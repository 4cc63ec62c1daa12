"""A network small enough for tests, with every part of the real one, and clips of noise for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fer_core.config import (
    AudioConfig,
    ClassifierConfig,
    FERConfig,
    FusionConfig,
    TemporalConfig,
    VisionConfig,
)
from fer_core.model.inputs import ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.roi_compression import central_roi


@pytest.fixture(scope="session")
def corrected() -> Callable[[MultimodalFER], MultimodalFER]:
    """Lets fusion have its say, as after training: a fresh one adds nothing to the branches."""

    def correct(model: MultimodalFER) -> MultimodalFER:
        last = model.classifier.mlp[-1]
        assert isinstance(last, nn.Linear)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nn.init.normal_(last.weight)
        return model

    return correct


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """More cost more than they gain at these sizes."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_config() -> FERConfig:
    """Without dropout, so that its training can be repeated."""
    return FERConfig(
        name="tiny",
        audio=AudioConfig(width=16, layers=1, heads=2, subsampling_channels=8, dropout=0.0),
        vision=VisionConfig(width=16, layers=1, heads=2, mlp=32),
        temporal=TemporalConfig(conv_layers=1, attention_layers=1, heads=2, dropout=0.0),
        fusion=FusionConfig(
            width=16,
            layers=3,
            heads=2,
            key_value_heads=1,
            feed_forward=48,
            out=16,
            dropout=0.0,
        ),
        classifier=ClassifierConfig(hidden=(16, 8), dropout=0.0),
    )


@pytest.fixture
def make_inputs() -> Callable[..., ModelInputs]:
    """Clips of noise, the same for the same seed; everything is present.

    Every second clip is darker and quieter.
    """

    def make(clips: int = 2, seed: int = 0) -> ModelInputs:
        noise = torch.Generator().manual_seed(seed)
        every_second = torch.arange(clips) % 2
        return ModelInputs(
            pixels=torch.rand(clips, 16, 3, 224, 224, generator=noise)
            - every_second[:, None, None, None, None],
            frame_mask=torch.ones(clips, 16, dtype=torch.bool),
            roi=central_roi().expand(clips, 16, 196),
            mel=torch.randn(clips, 301, 80, generator=noise) - 5 - 4 * every_second[:, None, None],
            audio_mask=torch.ones(clips, 8, dtype=torch.bool),
        )

    return make
