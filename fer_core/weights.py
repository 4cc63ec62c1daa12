"""Checkpoints: a folder with ``config.json`` and ``model.safetensors``.

The configuration gives the architecture and the order of the labels, the file the weights.
Nothing is ever unpickled, and nothing is fetched: pretrained encoders are in the file too.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.lfm2.modeling_lfm2 import Lfm2RotaryEmbedding
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoderRelPositionalEncoding
from transformers.models.siglip.modeling_siglip import SiglipVisionEmbeddings

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.labels import CLASSES
from fer_core.model.descriptors import Descriptors
from fer_core.model.modulations import Modulations
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.rhythms import Rhythms
from fer_core.model.upstream import load_upstreams
from fer_core.whole_file import whole

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"

_CHOOSE_ANOTHER = "Choose another model, or fetch this one again."


def new_model(config: FERConfig, seed: int) -> MultimodalFER:
    """A network that knows nothing yet but what its pretrained encoders know.

    Equal seeds give equal weights; torch's own random numbers go on undisturbed.

    Raises:
        UserError: pretrained weights the configuration names cannot be had.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MultimodalFER(config)
    load_upstreams(model)
    return model


def save_checkpoint(model: MultimodalFER, folder: Path, half: bool = False) -> None:
    """Write both files by rename, so that a crash leaves old ones, never half of one.

    ``half``: weights in half precision, half the size; rounded, they answer a little differently.

    Raises:
        UserError: the folder cannot be written.
    """
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if half:
        weights = {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in weights.items()
        }
    config = json.dumps(model.config.as_json(), indent=2) + "\n"
    try:
        with (
            whole(folder / CONFIG_NAME) as config_draft,
            whole(folder / WEIGHTS_NAME) as weights_draft,
        ):
            save_file(weights, weights_draft, metadata={"format": "pt"})
            config_draft.write_text(config, encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The model could not be saved in {folder}: {error}.",
            "Make room there or choose another folder.",
        ) from error


def load_checkpoint(folder: Path, device: torch.device | str = "cpu") -> MultimodalFER:
    """The model in ``folder``, in evaluation mode; half precision becomes float32.

    Raises:
        UserError: what is wrong with the folder, in one sentence.
    """
    config = load_config(folder)
    weights = _load_weights(folder)
    # Of models that were saved before it was kept: faces showed all emotions alike.
    weights.setdefault("face_prior", torch.zeros(CLASSES))
    try:
        with torch.device("meta"):  # no memory and no random numbers for what is replaced at once
            model = MultimodalFER(config)
    except (ValueError, RuntimeError, StrictDataclassError) as error:
        raise UserError(
            f"{folder / CONFIG_NAME} describes a network that cannot be built: {error}.",
            _CHOOSE_ANOTHER,
        ) from error
    _refuse_misfits(folder, model.state_dict(), weights)
    model.load_state_dict(weights, assign=True)
    _compute_buffers(model)
    return model.to(device).eval()


def load_config(folder: Path) -> FERConfig:
    """The configuration of the checkpoint in ``folder``.

    Raises:
        UserError: it is missing, no JSON, or not of this program, labels included.
    """
    path = folder / CONFIG_NAME
    try:
        return FERConfig.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"There is no model in {folder}: {CONFIG_NAME} is missing.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be used: {error}.", _CHOOSE_ANOTHER) from error


def _load_weights(folder: Path) -> dict[str, Tensor]:
    path = folder / WEIGHTS_NAME
    try:
        # Copies, because the file is mapped: replaced or cut short later it would crash us.
        return {
            name: tensor.to(
                torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True
            )
            for name, tensor in load_file(path).items()
        }
    except FileNotFoundError:
        raise UserError(f"There is no model in {folder}: {WEIGHTS_NAME} is missing.") from None
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise UserError(
            f"{path} is damaged or no safetensors file: {error}.", _CHOOSE_ANOTHER
        ) from error


def _refuse_misfits(folder: Path, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    """Name the first thing that differs between what the configuration needs and the file has."""
    misfit = ""
    if missing := sorted(wanted.keys() - found.keys()):
        misfit = f"{missing[0]} is missing (of {len(missing)})"
    elif unknown := sorted(found.keys() - wanted.keys()):
        misfit = f"{unknown[0]} is unknown (of {len(unknown)})"
    else:
        for name, tensor in wanted.items():
            if found[name].shape != tensor.shape:
                shapes = f"{tuple(found[name].shape)}, not {tuple(tensor.shape)}"
                misfit = f"{name} has shape {shapes}"
                break
    if misfit:
        raise UserError(
            f"The weights in {folder} do not fit their {CONFIG_NAME}: {misfit}.", _CHOOSE_ANOTHER
        )


def _compute_buffers(model: nn.Module) -> None:
    """Fill the buffers that are computed and not saved, the only ones still without memory."""
    for part in model.modules():
        match part:
            case ParakeetEncoderRelPositionalEncoding():
                part.inv_freq = part.compute_default_relative_positional_parameters(part.config)
            case SiglipVisionEmbeddings():
                part.position_ids = torch.arange(part.num_positions).expand((1, -1))
            case Lfm2RotaryEmbedding():
                part.inv_freq, _ = part.compute_default_rope_parameters(part.config)
                part.original_inv_freq = part.inv_freq.clone()
            case Descriptors() | Modulations() | Rhythms():
                for name, values in type(part)().named_buffers():
                    part.register_buffer(name, values, persistent=False)
