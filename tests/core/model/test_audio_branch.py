from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from fer_core.config import AudioConfig, AudioEncoder, FERConfig
from fer_core.model.audio_branch import AudioBranch
from fer_core.model.inputs import LOG_FLOOR

ALL = torch.ones(1, 8, dtype=torch.bool)


@torch.inference_mode()
@pytest.mark.parametrize("preset", ["compact", "lightweight"])
def test_an_untrained_encoder_is_alive(preset: str) -> None:
    torch.manual_seed(0)
    config = FERConfig.preset(preset).audio  # type: ignore[arg-type]
    branch = AudioBranch(config).eval()
    spectra = torch.randn(1, 301, 160) * 4 - 7
    first = branch.encoders[0]
    bins = 160 if preset == "compact" else 80
    subsampled = first.subsampling((spectra[..., :bins] + 7) / 4)
    assert 0.3 < subsampled.std() < 5
    steps = branch(spectra, ALL)
    assert steps.shape == (1, 38, config.step_width)
    steps = steps[..., : config.encoded_width]  # functionals say nothing until they are fitted
    assert 0.3 < steps.std() < 3
    other = branch(torch.randn(1, 301, 160) * 4 - 7, ALL)[..., : config.encoded_width]
    assert (other - steps).std() > 0.1


@torch.inference_mode()
def test_transformers_own_start_is_dead_which_is_why_we_have_ours() -> None:
    from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

    from fer_core.model.audio_branch import encoder_config

    encoder = ParakeetEncoder(encoder_config(AudioConfig())).eval()
    assert encoder.subsampling(torch.randn(1, 301, 80)).std() < 1e-2


@torch.inference_mode()
def test_a_hidden_segment_sounds_like_digital_silence(tiny_config: FERConfig) -> None:
    branch = AudioBranch(tiny_config.audio).eval()
    spectra = torch.randn(1, 301, 160)
    mask = ALL.clone()
    mask[0, 2] = False  # 0.75 s to 1.125 s: frames 75 to 112
    silent = spectra.clone()
    silent[:, 75:113] = LOG_FLOOR
    assert torch.equal(branch(spectra, mask), branch(silent, ALL))
    louder = spectra.clone()
    louder[:, [74, 113]] = LOG_FLOOR  # its neighbours are heard
    assert not torch.equal(branch(louder, mask), branch(spectra, mask))


@torch.inference_mode()
def test_normalisation_lies_in_the_weights_and_ignores_the_clip(tiny_config: FERConfig) -> None:
    branch = AudioBranch(tiny_config.audio).eval()
    assert {"spectra_mean", "spectra_std"} <= branch.state_dict().keys()
    spectra = torch.randn(1, 301, 160)
    before = branch(spectra, ALL)
    branch.spectra_mean += 3
    torch.testing.assert_close(branch(spectra + 3, ALL), before)


def test_from_scratch_there_is_no_batch_norm(tiny_config: FERConfig) -> None:
    branch = AudioBranch(tiny_config.audio)
    assert not any(isinstance(part, nn.BatchNorm1d) for part in branch.modules())
    assert branch.encoders[0].layerdrop == 0


def test_batch_norm_of_pretrained_weights_is_frozen_even_in_training(
    tiny_config: FERConfig,
) -> None:
    config = dataclasses.replace(tiny_config.audio, batch_norm=True, dropout=0.0)
    branch = AudioBranch(config).train()
    norm = branch.encoders[0].layers[0].conv.norm
    assert isinstance(norm, nn.BatchNorm1d)
    assert not norm.weight.requires_grad
    before = norm.running_mean.clone()
    trained = branch(torch.randn(2, 301, 160), ALL.expand(2, 8))
    assert torch.equal(norm.running_mean, before)
    assert trained.requires_grad


@torch.inference_mode()
def test_several_encoders_hear_side_by_side(tiny_config: FERConfig) -> None:
    config = dataclasses.replace(tiny_config.audio, encoders=("fastconformer", "fastconformer"))
    branch = AudioBranch(config).eval()
    spectra = torch.randn(1, 301, 160)
    first, second = branch(spectra, ALL).chunk(2, dim=-1)
    assert not torch.equal(first, second)
    before = first.clone()
    for parameter in branch.encoders[1].parameters():
        parameter.zero_()
    assert torch.equal(branch(spectra, ALL).chunk(2, dim=-1)[0], before)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("kind", "heard"), [("stemmed", True), ("convolutional", True), ("fastconformer", False)]
)
def test_only_a_convolutional_stem_hears_pitch(
    tiny_config: FERConfig, kind: AudioEncoder, heard: bool
) -> None:
    config = dataclasses.replace(tiny_config.audio, encoders=(kind,), stem_width=16, stem_blocks=1)
    branch = AudioBranch(config).eval()
    spectra = torch.randn(1, 301, 160)
    higher = spectra.clone()
    higher[..., 80:] = spectra[..., 80:].roll(5, dims=-1)
    assert torch.equal(branch(spectra, ALL), branch(higher, ALL)) != heard


@torch.inference_mode()
def test_a_convolutional_stem_hears_a_step_where_it_is(tiny_config: FERConfig) -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(
        tiny_config.audio, encoders=("stemmed",), stem_width=16, stem_blocks=1
    )
    stem = AudioBranch(config).eval().encoders[0].subsampling
    spectra = torch.zeros(1, 301, 160)
    louder = spectra.clone()
    louder[:, 160:168] = 1.0  # step 20
    steps = (stem(louder) - stem(spectra)).abs().sum(-1)[0]
    assert steps.shape == (38,)
    assert 19 <= int(steps.argmax()) <= 22
    assert not steps[:10].any()
    assert not steps[31:].any()


@torch.inference_mode()
def test_convolutions_alone_hear_no_further_than_they_reach(tiny_config: FERConfig) -> None:
    config = dataclasses.replace(
        tiny_config.audio, encoders=("stemmed", "convolutional"), stem_width=16, stem_blocks=1
    )
    branch = AudioBranch(config).eval()
    spectra = torch.randn(1, 301, 160)
    other_end = spectra.clone()
    other_end[:, 250:] = 0.0
    changed = (branch(spectra, ALL) - branch(other_end, ALL)).abs().chunk(2, dim=-1)
    assert changed[0][0, 0].any()  # FastConformer attends to the whole clip
    assert not changed[1][0, :20].any()
    assert changed[1][0, -1].any()


def test_the_batch_norms_of_a_convolutional_stem_learn(tiny_config: FERConfig) -> None:
    config = dataclasses.replace(
        tiny_config.audio, encoders=("stemmed",), stem_width=16, stem_blocks=1
    )
    branch = AudioBranch(config).train()
    norms = [part for part in branch.modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms
    assert all(norm.training and norm.weight.requires_grad for norm in norms)
