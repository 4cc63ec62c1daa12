from __future__ import annotations

import dataclasses
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

from fer_core.config import AudioConfig, FERConfig
from fer_core.errors import UserError
from fer_core.model import audio_branch
from fer_core.model.nemo import convert_nemo
from fer_core.weights import new_model

TINY = AudioConfig(
    width=16, layers=2, heads=2, subsampling_channels=8, batch_norm=True, scale_input=True
)
# As in the model_config.yaml of stt_en_fastconformer_ctc_large, but for the sizes.
ENCODER: dict[str, Any] = {
    "_target_": "nemo.collections.asr.modules.ConformerEncoder",
    "feat_in": 80,
    "feat_out": -1,
    "n_layers": 2,
    "d_model": 16,
    "subsampling": "dw_striding",
    "subsampling_factor": 8,
    "subsampling_conv_channels": 8,
    "causal_downsampling": False,
    "ff_expansion_factor": 4,
    "self_attention_model": "rel_pos",
    "n_heads": 2,
    "xscaling": True,
    "untie_biases": True,
    "conv_kernel_size": 9,
    "conv_norm_type": "batch_norm",
}


def nemo_names(encoder: ParakeetEncoder) -> dict[str, torch.Tensor]:
    """The encoder's weights under NeMo's names, among the other things a .nemo file has."""
    names = {}
    for key, tensor in encoder.state_dict().items():
        for ours, theirs in (
            ("subsampling.layers.", "pre_encode.conv."),
            ("subsampling.linear.", "pre_encode.out."),
            (".conv.norm.", ".conv.batch_norm."),
            ("q_proj", "linear_q"),
            ("self_attn.k_proj", "self_attn.linear_k"),
            ("v_proj", "linear_v"),
            ("o_proj", "linear_out"),
            ("relative_k_proj", "linear_pos"),
            ("self_attn.bias_", "self_attn.pos_bias_"),
        ):
            key = key.replace(ours, theirs)
        names[f"encoder.{key}"] = tensor
    return {
        **names,
        "encoder.pos_enc.pe": torch.zeros(1, 99, 16),
        "preprocessor.featurizer.fb": torch.zeros(1, 80, 257),
        "decoder.decoder_layers.0.weight": torch.zeros(9, 16, 1),
    }


@pytest.fixture
def source() -> ParakeetEncoder:
    torch.manual_seed(0)
    encoder = ParakeetEncoder(audio_branch.encoder_config(TINY)).eval()
    for layer in encoder.layers:
        layer.conv.norm.running_mean.normal_()
    return encoder


def write(file: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def pack(weights: Any, encoder: dict[str, Any] = ENCODER) -> dict[str, bytes]:
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    config = yaml.safe_dump({"sample_rate": 16000, "encoder": encoder})
    return {"./model_config.yaml": config.encode(), "./model_weights.ckpt": buffer.getvalue()}


@torch.inference_mode()
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_converted_encoder_is_the_same_encoder(
    source: ParakeetEncoder, tiny_config: FERConfig, tmp_path: Path, mode: str
) -> None:
    names = nemo_names(source)
    assert "encoder.layers.0.self_attn.linear_q.weight" in names
    assert "encoder.layers.1.self_attn.pos_bias_u" in names
    file = write(tmp_path / "tiny.nemo", pack(names), mode)
    convert_nemo(file, tmp_path / "converted")
    config = dataclasses.replace(
        tiny_config, audio=dataclasses.replace(TINY, upstream=str(tmp_path / "converted"))
    )
    ours = new_model(config, seed=0).eval().audio_branch
    spectra, heard = torch.randn(1, 301, 160), torch.ones(1, 8, dtype=torch.bool)
    normalised = (spectra - ours.spectra_mean) / ours.spectra_std
    expected = source(normalised[..., :80]).last_hidden_state  # log-mel
    torch.testing.assert_close(ours(spectra, heard), expected)


def test_a_file_from_outside_the_folder_is_never_written(
    source: ParakeetEncoder, tmp_path: Path
) -> None:
    members = pack(nemo_names(source))
    members["../escaped.txt"] = b"x"
    convert_nemo(write(tmp_path / "evil.nemo", members), tmp_path / "in" / "converted")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.nemo", "in"]
    written = sorted(path.name for path in (tmp_path / "in" / "converted").iterdir())
    assert written == ["config.json", "model.safetensors"]


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the pickle was executed",))


def without(members: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: value for key, value in members.items() if key != name}


def test_bad_archives_are_refused_in_one_sentence(source: ParakeetEncoder, tmp_path: Path) -> None:
    good = pack(nemo_names(source))
    no_attention = {k: v for k, v in nemo_names(source).items() if "linear_q" not in k}
    bad = {
        "no model_weights.ckpt": without(good, "./model_weights.ckpt"),
        "no model_config.yaml": without(good, "./model_config.yaml"),
        "damaged": {**good, "./model_weights.ckpt": b"nonsense"},
        "more than tensors": {
            **good,
            "./model_weights.ckpt": pickle.dumps(Malicious(), protocol=2),
        },
        "do not match": pack(no_attention),
        "describes no encoder": {**good, "./model_config.yaml": b"encoder: 3"},
        "incomplete": pack(
            nemo_names(source), {k: v for k, v in ENCODER.items() if k != "d_model"}
        ),
        "its subsampling is": pack(nemo_names(source), {**ENCODER, "subsampling": "striding"}),
    }
    for reason, members in bad.items():
        with pytest.raises(UserError, match=reason):
            convert_nemo(write(tmp_path / "bad.nemo", members), tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_refused(source: ParakeetEncoder, tmp_path: Path) -> None:
    file = tmp_path / "text.nemo"
    with pytest.raises(UserError, match="no file"):
        convert_nemo(file, tmp_path / "out")
    file.write_text("not a tar")
    with pytest.raises(UserError, match="not a NeMo model"):
        convert_nemo(file, tmp_path / "out")
    whole = write(tmp_path / "whole.nemo", pack(nemo_names(source)), "w:gz").read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a NeMo model"):
        convert_nemo(file, tmp_path / "out")


def test_a_file_in_the_place_of_the_folder_is_left_and_said(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("mine")
    with pytest.raises(UserError, match="taken is a file"):
        convert_nemo(tmp_path / "encoder.nemo", place)
    assert place.read_text() == "mine"
