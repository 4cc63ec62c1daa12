"""What a run writes down of how it came about: its command, versions, machine, data and licence."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from fer_core.data.splits import Fold
from fer_core.training.files import as_json
from fer_core.training.material import Material

PACKAGES = ("torch", "torchaudio", "transformers", "lightning", "torchmetrics", "numpy", "av")


def records_of(material: Sequence[Material], folds: Sequence[Fold]) -> dict[str, str]:
    """The command, the versions and the data: what files of the run's folder hold, by name."""
    versions = {
        "python": platform.python_version(),
        "machine": machine_name(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }
    data = [
        {
            **own.checked.as_json(),
            "fold": part.name,
            "description": part.description,
            "leaks_speakers": part.leaks_speakers,
            "train": {"n": len(part.train), "speakers": part.train_speakers},
            "validation": {"n": len(part.validation), "speakers": part.validation_speakers},
            "test": {"n": len(part.test), "speakers": part.test_speakers},
        }
        for own, part in zip(material, folds, strict=True)
    ]
    records = {"versions.json": as_json(versions), "data.json": as_json(data)}
    if (command := command_line()) is not None:
        records["command.txt"] = f"{command}\n"
    return records


def command_line() -> str | None:
    """What this process was called with; None where that is not ours, as in a notebook."""
    called, *arguments = sys.argv
    if Path(called).name == "train.py":
        return shlex.join(["python", called, *arguments])
    if Path(called) == Path(__file__).with_name("__main__.py"):
        return shlex.join(["python", "-m", "fer_core.training", *arguments])
    return None


def machine_name() -> str:
    """What the run ran on, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} threads of {platform.machine()}"


def licence_of(corpora: Sequence[str]) -> str | None:
    """What may be done with weights that learnt from corpora under these licences, if it is known.

    Whether weights are bound by their corpora's terms is disputed; this is the careful reading.
    """
    if any("NC" in licence or "research" in licence for licence in corpora):
        return "research and other non-commercial use only, as the corpora demand"
    return None
