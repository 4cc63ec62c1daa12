"""Pretrained encoders: found on this machine, else fetched from Hugging Face, and put into a model.

A source is a folder or a repository such as ``google/siglip2-base-patch16-224``. Only safetensors
are read, never pickles, and no code that lies beside them is run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.lfm2.modeling_lfm2 import Lfm2Model
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from fer_core.errors import UserError
from fer_core.model.joining import Lfm2Joining
from fer_core.model.multimodal_fer import MultimodalFER

log = logging.getLogger(__name__)

# What must agree for the weights to mean the same in our network.
_TRANSFORMER = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "head_dim",
    "intermediate_size",
)
PARAKEET_FIELDS = (
    *_TRANSFORMER,
    "hidden_act",
    "conv_kernel_size",
    "subsampling_factor",
    "subsampling_conv_channels",
    "num_mel_bins",
    "scale_input",
    "attention_bias",
    "convolution_bias",
)
SIGLIP_FIELDS = (*_TRANSFORMER, "hidden_act", "image_size", "patch_size", "layer_norm_eps")
LFM2_FIELDS = (
    *_TRANSFORMER,
    "num_key_value_heads",
    "layer_types",
    "conv_L_cache",
    "conv_bias",
    "norm_eps",
    "rope_parameters",
    "block_auto_adjust_ff_dim",
    "block_ffn_dim_multiplier",
    "block_multiple_of",
)


def load_upstreams(model: MultimodalFER) -> None:
    """Put pretrained weights into every encoder for which the model's configuration names some.

    Raises:
        UserError: not found here nor there, damaged, or of another architecture.
    """
    config = model.config
    if config.audio.upstream:
        if not config.audio.batch_norm:
            raise UserError(
                f"The audio encoder in {config.audio.upstream} was trained with batch norm.",
                "Set model.audio.batch_norm to true in the configuration.",
            )
        _fill(
            model.audio_branch.encoders[0], ParakeetEncoder, config.audio.upstream, PARAKEET_FIELDS
        )
    if config.vision.upstream:
        _fill(model.visual_branch.encoder, SiglipVisionModel, config.vision.upstream, SIGLIP_FIELDS)
    joining = model.fusion.joining
    if config.fusion.upstream and isinstance(joining, Lfm2Joining):
        _fill(joining.lfm2, Lfm2Model, config.fusion.upstream, LFM2_FIELDS)


def _fill(
    encoder: nn.Module, kind: type[PreTrainedModel], source: str, fields: Iterable[str]
) -> None:
    """Read ``source`` as a ``kind`` shaped like ``encoder``, and copy its weights there."""
    ours: PreTrainedConfig = encoder.config
    pretrained = _pretrained(kind, source, ours, fields)
    weights = pretrained.state_dict()
    weights.pop("embed_tokens.weight", None)  # LFM2's words, which have no place here
    encoder.load_state_dict(weights)


def _pretrained(
    kind: type[PreTrainedModel], source: str, ours: PreTrainedConfig, fields: Iterable[str]
) -> PreTrainedModel:
    if _is_path(source) and not Path(source).is_dir():
        raise UserError(f"There is no folder {source} with pretrained weights.", _by_hand(source))
    try:
        return _read(kind, source, ours, fields, local_files_only=True)
    except OSError:
        if _is_path(source):
            raise UserError(
                f"The pretrained weights in {source} are not complete.", _by_hand(source)
            ) from None
    try:
        # Asked once, because from_pretrained tries for half a minute where there is no network.
        get_hf_file_metadata(hf_hub_url(source, "config.json"))
        log.info("fetching %s from Hugging Face", source)
        return _read(kind, source, ours, fields, local_files_only=False)
    except UserError:
        raise
    except Exception as error:  # of whichever network library the hub's client uses
        raise UserError(
            f"The pretrained weights {source} are not on this machine and could not be fetched.",
            _by_hand(source),
        ) from error


def _read(
    kind: type[PreTrainedModel],
    source: str,
    ours: PreTrainedConfig,
    fields: Iterable[str],
    local_files_only: bool,
) -> PreTrainedModel:
    """
    Raises:
        OSError: files are missing.
        UserError: they are there, and wrong.
    """
    unreadable = UserError(f"The pretrained weights {source} cannot be read.", _by_hand(source))
    try:
        theirs = kind.config_class.from_pretrained(source, local_files_only=local_files_only)
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise unreadable from error
    _cut_to(theirs, ours)
    if getattr(theirs, "head_dim", None) is None:  # as transformers computes it
        theirs.head_dim = theirs.hidden_size // max(1, theirs.num_attention_heads)
    for field in fields:
        found, wanted = getattr(theirs, field, None), getattr(ours, field)
        if found != wanted:
            raise UserError(
                f"The pretrained weights {source} do not fit the configuration: "
                f"their {field} is {found}, ours {wanted}.",
                "Choose other weights or change the configuration.",
            )
    try:
        model, report = kind.from_pretrained(
            source,
            config=theirs,
            local_files_only=local_files_only,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise unreadable from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"The pretrained weights {source} lack {missing[0]} and {len(missing) - 1} more.",
            _by_hand(source),
        )
    return model


def _cut_to(theirs: Any, ours: Any) -> None:
    """Leave out what we do not use: SigLIP's pooling head, and LFM2's layers past our depth."""
    if hasattr(ours, "vision_use_head"):
        theirs.vision_use_head = False
    if getattr(ours, "layer_types", None):
        theirs.num_hidden_layers = min(theirs.num_hidden_layers, ours.num_hidden_layers)
        theirs.layer_types = theirs.layer_types[: theirs.num_hidden_layers]


def _is_path(source: str) -> bool:
    """Whether ``source`` is meant as a folder; ``owner/name`` may be either, a folder wins."""
    return Path(source).is_dir() or source.startswith((".", "~")) or os.path.isabs(source)


def _by_hand(source: str) -> str:
    page = "its page" if _is_path(source) else f"https://huggingface.co/{source}"
    return (
        f"Put config.json and model.safetensors from {page} into one folder and name that folder "
        "as `upstream` in the configuration, or try again with a connection to the internet."
    )
