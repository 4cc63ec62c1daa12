from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fer_core.errors import UserError
from fer_core.training import counting
from fer_core.training.machine import Machine


@pytest.mark.parametrize(
    ("instructions", "precision"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({}, "32-true")],
)
def test_a_cpu_computes_in_half_precision_if_it_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], precision: str
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx2": True} | instructions)
    assert Machine(device="cpu").trainer_arguments("auto")["precision"] == precision


@pytest.mark.parametrize(("has_bf16", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_gpu_computes_in_half_precision_if_it_need_not_emulate_it(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool, precision: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(
        "torch.cuda.is_bf16_supported",
        lambda including_emulation=True: including_emulation or has_bf16,
    )
    assert Machine(device="cuda").trainer_arguments("auto")["precision"] == precision


def test_precision_can_be_asked_for() -> None:
    machine = Machine(device="cpu")
    assert machine.trainer_arguments("32")["precision"] == "32-true"
    assert machine.trainer_arguments("bf16")["precision"] == "bf16-mixed"


def test_of_several_processes_the_first_alone_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(counting, "BRIEF_S", 0.0)
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        Machine(devices=2, progress="jsonl").count(f"Work of {rank}")(1, 2)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["what"] == "Work of 0"


def test_several_processes_share_the_work_by_ddp_unless_told_otherwise() -> None:
    def strategy(**given: object) -> str:
        arguments = Machine(device="cpu", **given).trainer_arguments("32")  # type: ignore[arg-type]
        return str(arguments["strategy"])

    assert strategy() == "auto"
    assert strategy(devices=2) == strategy(nodes=2, strategy="ddp")
    assert strategy(devices=2).startswith("ddp")
    assert strategy(strategy="fsdp") == "auto", "of one process there are no parts"


def test_weights_and_biases_is_asked_for_only_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert Machine(log="csv").loggers(tmp_path)
    with pytest.raises(UserError, match="not installed") as error:
        Machine(log="wandb").loggers(tmp_path)
    assert "pip install wandb" in error.value.hint


def test_a_strategy_that_lightning_does_not_have_is_said() -> None:
    for name in ("foo", "fsdp_cpu_offload"):
        with pytest.raises(UserError, match=f"no strategy '{name}'") as error:
            Machine(device="cpu", strategy=name).trainer_arguments("32")
        assert "fsdp" in error.value.hint
