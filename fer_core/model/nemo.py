"""NVIDIA's FastConformer encoders: from a ``.nemo`` file to a folder for ``model.audio.upstream``.

A ``.nemo`` file is a tar with ``model_config.yaml`` and ``model_weights.ckpt``. Nothing is unpacked
to disk, and the weights are read without running anything pickled in them.
"""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from torch import Tensor
from transformers.models.parakeet.configuration_parakeet import ParakeetEncoderConfig
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

from fer_core.errors import UserError

NEMO_CONFIG = "model_config.yaml"
NEMO_WEIGHTS = "model_weights.ckpt"

# NeMo's names for the parts of an encoder, and those of transformers.
_RENAMES = (
    (r"^pre_encode\.conv\.", "subsampling.layers."),
    (r"^pre_encode\.out\.", "subsampling.linear."),
    (r"\.conv\.batch_norm\.", ".conv.norm."),
    (r"\.self_attn\.linear_([qkv])\.", r".self_attn.\1_proj."),
    (r"\.self_attn\.linear_out\.", ".self_attn.o_proj."),
    (r"\.self_attn\.linear_pos\.", ".self_attn.relative_k_proj."),
    (r"\.self_attn\.pos_bias_([uv])$", r".self_attn.bias_\1"),
)
# The only kinds of these that transformers builds; a missing entry means NeMo's default, the first.
_REQUIRED = {
    "subsampling": ("striding", "dw_striding"),
    "self_attention_model": ("rel_pos", "rel_pos"),
    "conv_norm_type": ("batch_norm", "batch_norm"),
    "causal_downsampling": (False, False),
}


def convert_nemo(file: Path, folder: Path) -> ParakeetEncoderConfig:
    """Write the encoder in ``file`` to ``folder`` as config.json and model.safetensors.

    Returns its configuration, to which the fields of ``AudioConfig`` must be set.

    Raises:
        UserError: not a NeMo file, damaged, or an encoder of another kind; or ``folder`` is a file.
    """
    if folder.is_file():  # transformers would only log it
        raise UserError(f"{folder} is a file.", "Choose a folder.")
    values, weights = _open(file)
    config = _encoder_config(file, values)
    encoder = ParakeetEncoder(config)
    try:
        encoder.load_state_dict(_renamed(weights))
    except RuntimeError as error:
        raise UserError(
            f"The weights in {file.name} do not match its own {NEMO_CONFIG}.",
            "Fetch the file again, or choose another FastConformer.",
        ) from error
    try:
        encoder.save_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{folder} cannot be written: {error}.", "Choose another folder."
        ) from error
    return config


def _open(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The two members that matter, read by their last name wherever in the tar they lie."""
    members: dict[str, bytes] = {}
    try:
        with tarfile.open(file, "r:*") as archive:
            for member in archive:
                name = Path(member.name).name
                if name in (NEMO_CONFIG, NEMO_WEIGHTS) and member.isfile():
                    content = archive.extractfile(member)
                    members[name] = content.read() if content else b""
    except FileNotFoundError:
        raise UserError(f"There is no file {file}.") from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _not_nemo(file, "it is not a whole tar archive") from error
    for name in (NEMO_CONFIG, NEMO_WEIGHTS):
        if name not in members:
            raise _not_nemo(file, f"there is no {name} in it")
    try:
        values = yaml.safe_load(members[NEMO_CONFIG])
        weights = torch.load(
            io.BytesIO(members[NEMO_WEIGHTS]), map_location="cpu", weights_only=True
        )
    except Exception as error:  # whatever a damaged pickle makes its reader raise
        raise _not_nemo(file, "a part of it is damaged, or holds more than tensors") from error
    if not isinstance(values, dict) or not isinstance(weights, dict):
        raise _not_nemo(file, "its parts are not what they should be")
    return values, weights


def _encoder_config(file: Path, values: dict[str, Any]) -> ParakeetEncoderConfig:
    encoder = values.get("encoder")
    if not isinstance(encoder, dict):
        raise _not_nemo(file, f"its {NEMO_CONFIG} describes no encoder")
    for key, (default, required) in _REQUIRED.items():
        if encoder.get(key, default) != required:
            raise UserError(
                f"The encoder in {file.name} is no FastConformer of the kind this program runs: "
                f"its {key} is {encoder.get(key, default)}, not {required}.",
                "Choose another FastConformer.",
            )
    try:
        width = int(encoder["d_model"])
        channels = int(encoder.get("subsampling_conv_channels", -1))
        biased = bool(encoder.get("use_bias", True))
        return ParakeetEncoderConfig(
            hidden_size=width,
            num_hidden_layers=int(encoder["n_layers"]),
            num_attention_heads=int(encoder.get("n_heads", 4)),
            intermediate_size=width * int(encoder.get("ff_expansion_factor", 4)),
            conv_kernel_size=int(encoder.get("conv_kernel_size", 31)),
            subsampling_factor=int(encoder.get("subsampling_factor", 4)),
            subsampling_conv_channels=width if channels == -1 else channels,
            num_mel_bins=int(encoder["feat_in"]),
            scale_input=bool(encoder.get("xscaling", True)),
            attention_bias=biased,
            convolution_bias=biased,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _not_nemo(file, f"its {NEMO_CONFIG} is incomplete ({error})") from error


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's weights under their new names; its decoder and its position table stay out."""
    renamed = {}
    for key, tensor in weights.items():
        prefix, _, name = key.partition(".")
        if prefix != "encoder" or name.startswith("pos_enc."):
            continue
        for pattern, replacement in _RENAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def _not_nemo(file: Path, reason: str) -> UserError:
    return UserError(
        f"{file.name} is not a NeMo model: {reason}.",
        "Fetch a FastConformer's .nemo file from https://huggingface.co/nvidia again.",
    )
