from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.costs import costs_of
from fer_core.errors import UserError
from fer_core.export.prune import prune
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def model(tiny_config: FERConfig) -> MultimodalFER:
    """Two layers of vision and three blocks of LFM2's feed-forward, so that a third is one."""
    config = dataclasses.replace(
        tiny_config,
        vision=dataclasses.replace(tiny_config.vision, layers=2),
        fusion=dataclasses.replace(tiny_config.fusion, feed_forward=1152),
    )
    return new_model(config, seed=0).eval()


def silence(model: MultimodalFER, channels: torch.Tensor) -> None:
    """Let these channels of the first vision layer's feed-forward add nothing."""
    mlp = model.visual_branch.encoder.encoder.layers[0].mlp
    with torch.no_grad():
        mlp.fc1.weight[channels] = 0
        mlp.fc1.bias[channels] = 0
        mlp.fc2.weight[:, channels] = 0


def test_it_is_really_smaller_and_its_configuration_says_so(model: MultimodalFER) -> None:
    smaller, report = prune(model, 1 / 3)
    assert smaller.config.vision.mlp == 21
    assert smaller.config.classifier.hidden == (11, 5)
    assert smaller.config.fusion.feed_forward == 768
    assert smaller.fusion.joining.lfm2.layers[0].feed_forward.w1.out_features == 512
    counted = sum(p.numel() for p in smaller.parameters())
    assert report.parameters.after == counted < report.parameters.before
    assert report.parameters.before == sum(p.numel() for p in model.parameters())
    assert report.hop_operations.after == sum(p.hop_operations for p in costs_of(smaller.config))
    assert report.hop_operations.after < report.hop_operations.before


def test_the_weakest_channels_go_and_the_answers_stay(model: MultimodalFER) -> None:
    only_first = dataclasses.replace(model.config.vision, layers=1)
    config = dataclasses.replace(
        model.config,
        vision=only_first,
        fusion=dataclasses.replace(model.config.fusion, kind="late"),
        classifier=dataclasses.replace(model.config.classifier, hidden=()),
    )
    model = new_model(config, seed=0).eval()
    silence(model, torch.arange(0, 32, 4))
    smaller, report = prune(model, 0.25)
    assert smaller.config.vision.mlp == 24
    assert report.largest < 1e-6
    stronger, report = prune(model, 0.5)  # now some go that mattered
    assert stronger.config.vision.mlp == 16
    assert report.largest > 1e-6


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
    pixels = torch.rand(1, 3, 224, 224)
    seen, wanted = (m.encode_frames(pixels, None).vectors for m in (loaded, smaller))
    assert torch.equal(seen, wanted)


def test_the_report_tells_the_score_before_and_after(model: MultimodalFER) -> None:
    scores = {32: 0.8, 16: 0.7}
    _, report = prune(model, 0.5, evaluate=lambda network: scores[network.config.vision.mlp])
    assert "UAR 0.8000 -> 0.7000" in report.as_text()
    assert report.mean <= report.largest
    _, unscored = prune(model, 0.5)
    assert "UAR not measured" in unscored.as_text()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan"), 1e-6])
def test_a_share_that_takes_out_nothing_or_all_is_a_users_error(
    model: MultimodalFER, share: float
) -> None:
    with pytest.raises(UserError):
        prune(model, share)
