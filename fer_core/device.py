"""Which processor the network runs on."""

from __future__ import annotations

import torch

from fer_core.errors import UserError

_CHOOSE_AUTO = "Choose Automatic or CPU as the device: in Settings, or with --device auto or cpu."


def resolve_device(name: str) -> str:
    """``auto``, ``cpu``, ``cuda`` or ``mps`` as the torch device there is.

    ``auto`` is a CUDA GPU if there is one, else Apple's, else the CPU.

    Raises:
        UserError: this machine has no such device; it says why.
        ValueError: no device has that name.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        if torch.backends.cuda.is_built():
            why = "no NVIDIA GPU with a working driver was found"
        else:
            why = "the installed torch is built without CUDA"
        raise UserError(f"CUDA cannot be used: {why}.", _CHOOSE_AUTO)
    if name == "mps" and not torch.backends.mps.is_available():
        if torch.backends.mps.is_built():
            why = "it needs a Mac with an Apple or AMD GPU and macOS 14 or newer"
        else:
            why = "the installed torch is built without it, as on every system but macOS"
        raise UserError(f"Apple's MPS cannot be used: {why}.", _CHOOSE_AUTO)
    if name not in ("cpu", "cuda", "mps"):
        raise ValueError(f"no device {name!r}; there are auto, cpu, cuda and mps")
    return name


def unavailable_devices() -> dict[str, str]:
    """Those of ``cuda`` and ``mps`` that cannot be used here, each with the reason."""
    reasons = {}
    for name in ("cuda", "mps"):
        try:
            resolve_device(name)
        except UserError as error:
            reasons[name] = error.text
    return reasons
