from __future__ import annotations

import pytest
import torch

from fer_core.device import resolve_device
from fer_core.errors import UserError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A computer with neither GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return monkeypatch


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == "cpu"


def test_auto_takes_the_fastest_there_is(machine: pytest.MonkeyPatch) -> None:
    assert resolve_device("auto") == "cpu"
    machine.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto") == "mps"
    machine.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


@pytest.mark.parametrize(
    ("built", "why"), [(True, "no NVIDIA GPU with a working driver"), (False, "without CUDA")]
)
def test_missing_cuda_is_explained(machine: pytest.MonkeyPatch, built: bool, why: str) -> None:
    machine.setattr(torch.backends.cuda, "is_built", lambda: built)
    with pytest.raises(UserError, match=why) as refusal:
        resolve_device("cuda")
    assert "Automatic" in refusal.value.hint  # as the window calls it
    assert "--device auto" in refusal.value.hint  # and a command line


@pytest.mark.parametrize(("built", "why"), [(True, "it needs a Mac"), (False, "built without it")])
def test_missing_mps_is_explained(machine: pytest.MonkeyPatch, built: bool, why: str) -> None:
    machine.setattr(torch.backends.mps, "is_built", lambda: built)
    with pytest.raises(UserError, match=why):
        resolve_device("mps")


def test_unknown_device_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="no device 'gpu'"):
        resolve_device("gpu")
