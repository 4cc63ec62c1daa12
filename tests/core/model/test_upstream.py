from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import (
    Lfm2Config,
    Lfm2ForCausalLM,
    SiglipConfig,
    SiglipModel,
    SiglipTextConfig,
    SiglipVisionConfig,
    SiglipVisionModel,
)
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.model import audio_branch
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def siglip(tmp_path: Path) -> Path:
    """A whole SigLIP with text tower and pooling head, as google/siglip2-base-patch16-224 is."""
    torch.manual_seed(1)
    shape = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    vision = SiglipVisionConfig(image_size=224, patch_size=16, **shape)
    text = SiglipTextConfig(vocab_size=8, **shape)
    config = SiglipConfig(text_config=text.to_dict(), vision_config=vision.to_dict())
    SiglipModel(config).save_pretrained(tmp_path / "siglip")
    return tmp_path / "siglip"


@pytest.fixture
def lfm2(tmp_path: Path) -> Path:
    """A language model of ten layers in half precision, as LiquidAI/LFM2-700M is of sixteen."""
    torch.manual_seed(1)
    config = Lfm2Config(
        vocab_size=32,
        hidden_size=16,
        num_hidden_layers=10,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=48,
        layer_types=["full_attention" if i in (2, 5, 8) else "conv" for i in range(10)],
    )
    Lfm2ForCausalLM(config).to(torch.bfloat16).save_pretrained(tmp_path / "lfm2")
    return tmp_path / "lfm2"


def with_upstream(config: FERConfig, part: str, source: Path | str, **changes: object) -> FERConfig:
    section = dataclasses.replace(getattr(config, part), upstream=str(source), **changes)
    return dataclasses.replace(config, **{part: section})


@torch.inference_mode()
def test_siglips_vision_tower_is_taken_out_of_the_whole(
    tiny_config: FERConfig, siglip: Path
) -> None:
    model = new_model(with_upstream(tiny_config, "vision", siglip), seed=0).eval()
    pixels = torch.rand(1, 3, 224, 224)
    its_own = SiglipModel.from_pretrained(siglip).vision_model(pixels).last_hidden_state
    torch.testing.assert_close(model.visual_branch.encoder(pixels), its_own)


def test_a_vision_tower_saved_alone_is_as_good(tiny_config: FERConfig, siglip: Path) -> None:
    alone = SiglipVisionModel.from_pretrained(siglip)
    alone.save_pretrained(siglip.parent / "alone")
    model = new_model(with_upstream(tiny_config, "vision", siglip.parent / "alone"), seed=0)
    for name, tensor in model.visual_branch.encoder.state_dict().items():
        assert torch.equal(tensor, alone.state_dict()[name]), name


def test_the_first_layers_of_lfm2_are_taken_and_its_words_left(
    tiny_config: FERConfig, lfm2: Path
) -> None:
    model = new_model(with_upstream(tiny_config, "fusion", lfm2, layers=6), seed=0)
    ours = model.fusion.joining.lfm2
    theirs = Lfm2ForCausalLM.from_pretrained(lfm2, dtype=torch.float32).model.state_dict()
    assert len(ours.layers) == 6
    assert not any("embed_tokens" in name for name in ours.state_dict())
    for name, tensor in ours.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, theirs[name]), name


def test_a_fastconformer_comes_with_its_batch_norm(tiny_config: FERConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(tiny_config.audio, batch_norm=True, scale_input=True)
    saved = ParakeetEncoder(audio_branch.encoder_config(config))
    saved.layers[0].conv.norm.running_mean += 3
    saved.save_pretrained(tmp_path)
    wanted = with_upstream(tiny_config, "audio", tmp_path, batch_norm=True, scale_input=True)
    encoder = new_model(wanted, seed=0).audio_branch.encoders[0]
    for name, tensor in saved.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    ("changes", "named"),
    [({}, "Set model.audio.batch_norm to true"), ({"batch_norm": True}, "scale_input")],
)
def test_an_audio_encoder_that_does_not_fit_names_the_field(
    tiny_config: FERConfig, tmp_path: Path, changes: dict[str, bool], named: str
) -> None:
    config = dataclasses.replace(tiny_config.audio, batch_norm=True, scale_input=True)
    ParakeetEncoder(audio_branch.encoder_config(config)).save_pretrained(tmp_path)
    with pytest.raises(UserError) as problem:
        new_model(with_upstream(tiny_config, "audio", tmp_path, **changes), seed=0)
    assert named in str(problem.value)


def test_another_width_is_refused_by_name(tiny_config: FERConfig, siglip: Path) -> None:
    config = with_upstream(tiny_config, "vision", siglip, mlp=64)
    with pytest.raises(UserError, match="intermediate_size is 32, ours 64"):
        new_model(config, seed=0)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"heads": 1, "head_width": 8}, "num_attention_heads is 2, ours 1"),
        ({"head_width": 4}, "head_dim is 8, ours 4"),
    ],
)
@pytest.mark.parametrize("part", ["vision", "fusion"])
def test_fewer_or_narrower_heads_are_refused_by_name(
    tiny_config: FERConfig,
    siglip: Path,
    lfm2: Path,
    part: str,
    changes: dict[str, int],
    complaint: str,
) -> None:
    source = {"vision": siglip, "fusion": lfm2}[part]
    with pytest.raises(UserError, match=complaint):
        new_model(with_upstream(tiny_config, part, source, **changes), seed=0)


def test_a_fastconformer_may_have_feed_forwards_of_any_width(
    tiny_config: FERConfig, tmp_path: Path
) -> None:
    config = dataclasses.replace(tiny_config.audio, batch_norm=True, feed_forward=24)
    ParakeetEncoder(audio_branch.encoder_config(config)).save_pretrained(tmp_path)
    fitting = with_upstream(tiny_config, "audio", tmp_path, batch_norm=True, feed_forward=24)
    encoder = new_model(fitting, seed=0).audio_branch.encoders[0]
    assert encoder.layers[0].feed_forward1.linear1.out_features == 24
    other = with_upstream(tiny_config, "audio", tmp_path, batch_norm=True)
    with pytest.raises(UserError, match="intermediate_size is 24, ours 64"):
        new_model(other, seed=0)


def test_too_few_layers_are_refused(tiny_config: FERConfig, lfm2: Path) -> None:
    with pytest.raises(UserError, match="num_hidden_layers is 10, ours 12"):
        new_model(with_upstream(tiny_config, "fusion", lfm2, layers=12), seed=0)


def test_a_folder_that_is_not_there_is_said_so(tiny_config: FERConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder") as problem:
        new_model(with_upstream(tiny_config, "vision", tmp_path / "none"), seed=0)
    assert "model.safetensors" in problem.value.hint


def test_damaged_missing_or_pickled_weights_are_refused(
    tiny_config: FERConfig, siglip: Path
) -> None:
    config = with_upstream(tiny_config, "vision", siglip)
    weights = siglip / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be read"):
        new_model(config, seed=0)
    weights.unlink()
    torch.save({}, siglip / "pytorch_model.bin")
    with pytest.raises(UserError, match="not complete"):
        new_model(config, seed=0)


def test_a_broken_configuration_is_refused(tiny_config: FERConfig, siglip: Path) -> None:
    (siglip / "config.json").write_text('{"vision_config": {"hidden_size": "wide"}}')
    with pytest.raises(UserError, match="cannot be read"):
        new_model(with_upstream(tiny_config, "vision", siglip), seed=0)


def test_weights_that_lack_a_part_are_refused(tiny_config: FERConfig, siglip: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(siglip / "model.safetensors")
    del weights["vision_model.post_layernorm.weight"]
    save_file(weights, siglip / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack .*post_layernorm"):
        new_model(with_upstream(tiny_config, "vision", siglip), seed=0)


def test_a_saved_model_needs_its_upstream_no_more(
    tiny_config: FERConfig, siglip: Path, tmp_path: Path
) -> None:
    model = new_model(with_upstream(tiny_config, "vision", siglip), seed=0)
    save_checkpoint(model, tmp_path / "saved")
    siglip.rename(tmp_path / "gone")
    loaded = load_checkpoint(tmp_path / "saved")
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_offline_says_how_to_place_the_files_by_hand(tmp_path: Path) -> None:
    program = """
import dataclasses
from fer_core.config import FERConfig, VisionConfig
from fer_core.errors import UserError
from fer_core.weights import new_model
try:
    new_model(FERConfig(vision=VisionConfig(upstream="nobody/nothing")), seed=0)
except UserError as error:
    print(error)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert "not on this machine and could not be fetched" in answer
    assert "https://huggingface.co/nobody/nothing" in answer
    assert "model.safetensors" in answer
