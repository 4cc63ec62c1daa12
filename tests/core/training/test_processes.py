"""Several processes on one machine, as torchrun starts them, learn what one would."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.training.config import RunConfig, StageName, TrainingConfig
from fer_core.training.machine import Machine
from fer_core.training.run import RunData, train
from fer_core.weights import load_checkpoint

MakeItems = Callable[..., list[Item]]

PROCESS = """
import os, pickle, sys, warnings
from pathlib import Path
import torch
torch.set_num_threads(1)
from fer_core.training.run import train

given, folder, cache = map(Path, sys.argv[1:])
config, data, stages, machine = pickle.loads(given.read_bytes())
warnings.simplefilter("error")
assert machine.rank == int(os.environ["RANK"])
train(config, data, stages, folder, cache, machine)
"""
# Lightning and torch refuse FSDP on CPUs, where it works.
SHARDED = """
import torch.distributed.fsdp
from lightning.pytorch.trainer.connectors import accelerator_connector
from fer_core.training import sharding

class OnCpus(torch.distributed.fsdp.FullyShardedDataParallel):
    def __init__(self, *given, device_id=None, **named):
        super().__init__(*given, device_id=torch.device("cpu"), **named)

torch.distributed.fsdp.FullyShardedDataParallel = OnCpus
accelerator_connector._AcceleratorConnector._check_strategy_and_fallback = lambda _: None
sharding.SHARDED_ON = ("cpu",)
"""
# A first call that ends after the first epoch of the last stage, in all processes.
STOPPED = """
import contextlib
from fer_core.training.run import train as whole

def train(*given):
    def stop(row):
        if row["stage"] == "joint":
            raise KeyboardInterrupt
    with contextlib.suppress(KeyboardInterrupt):
        whole(*given, on_epoch=stop)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def torchrun(arguments: list[str | Path], processes: int, code: str = PROCESS) -> None:
    """Start them with what torchrun puts into their environment, and wait for all."""
    shared = {
        **os.environ,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "GROUP_RANK": "0",
        "TORCHELASTIC_RUN_ID": "test",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(processes)
    ]
    try:
        said = [process.communicate(timeout=100)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * processes, "\n".join(said)


def test_two_processes_learn_what_one_does(
    network: FERConfig,
    plain: TrainingConfig,
    quiet: Machine,
    make_pairs: MakeItems,
    make_voices: MakeItems,
    tmp_path: Path,
) -> None:
    """On the same global batches, voices contrasted with the faces of both.

    The patch stem has no batch norm, whose statistics are each process's own on CPUs. Half of the
    clips have no face, so that a process may have none to train the visual branch with.
    """
    rates = {"branch_lr": 1e-3, "fusion_lr": 1e-3, "classifier_lr": 1e-3}
    training = replace(plain, epochs=2, batch=4, contrastive_loss=1.0, **rates)
    faceless = make_voices(8)[4:]  # of whose emotions there is no face
    data = RunData((*make_pairs(4), *faceless), tuple(make_pairs(3, "valid")), ())
    config = RunConfig(network, training)
    stages: tuple[StageName, ...] = ("fusion", "joint")
    cache = tmp_path / "cache"
    _, alone = train(config, data, stages, tmp_path / "one", cache, quiet)

    machine = replace(quiet, devices=2, strategy="ddp")
    given = tmp_path / "given.pickle"
    given.write_bytes(pickle.dumps((config, data, stages, machine)))
    torchrun([given, tmp_path / "two", cache], processes=2)

    together = json.loads((tmp_path / "two/training_history.json").read_text())
    assert [row["stage"] for row in together] == ["fusion", "fusion", "joint", "joint"]
    for one, two in zip(alone, together, strict=True):
        assert two == pytest.approx(one, abs=1e-5)


def test_two_processes_with_a_half_of_the_weights_each_learn_what_one_does(
    network: FERConfig,
    plain: TrainingConfig,
    quiet: Machine,
    make_pairs: MakeItems,
    tmp_path: Path,
) -> None:
    """Stopped after an epoch and gone on with; gradients are clipped by the norm of both halves."""
    training = replace(plain, batch=4, contrastive_loss=1.0, clip_norm=0.1, branch_lr=1e-3)
    data = RunData(tuple(make_pairs(4)), tuple(make_pairs(3, "valid")), ())
    config = RunConfig(network, training)
    stages: tuple[StageName, ...] = ("fusion", "joint")
    cache = tmp_path / "cache"
    model, alone = train(config, data, stages, tmp_path / "one", cache, quiet)

    given, folder = tmp_path / "given.pickle", tmp_path / "two"
    given.write_bytes(
        pickle.dumps((config, data, stages, replace(quiet, devices=2, strategy="fsdp")))
    )
    head, call = PROCESS.replace("\ngiven,", SHARDED + "\ngiven,").rsplit("\ntrain(", 1)
    for before in (STOPPED, ""):
        torchrun([given, folder, cache], 2, f"{head}\n{before}\ntrain({call}")
    together = json.loads((folder / "training_history.json").read_text())
    for one, two in zip(alone, together, strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    for name, weights in load_checkpoint(folder / "model").state_dict().items():
        # What all keys have in common, softmax ignores: AdamW follows mere rounding there.
        if not name.endswith(("key.bias", "k_proj.bias")):
            assert torch.allclose(weights, model.state_dict()[name], atol=1e-5), name


def test_sharding_asks_for_gpus_and_keeps_no_average(
    network: FERConfig,
    plain: TrainingConfig,
    quiet: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is trained."""
    data, machine = RunData((), (), ()), replace(quiet, devices=2, strategy="fsdp")
    with pytest.raises(UserError, match="fsdp needs GPUs"):
        train(RunConfig(network, plain), data, ("audio",), tmp_path, tmp_path, machine)
    monkeypatch.setattr("fer_core.training.sharding.SHARDED_ON", ("cpu",))
    averaging = RunConfig(network, replace(plain, ema=0.9))
    stages: tuple[StageName, ...] = ("audio", "fusion", "joint")  # fusion is not sharded
    with pytest.raises(UserError, match="no average") as error:
        train(averaging, data, stages, tmp_path, tmp_path, machine)
    assert "stages.audio.ema=0 --set stages.joint.ema=0," in error.value.hint


def test_a_process_knows_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    four = Machine(devices=2, nodes=2)
    assert (four.processes, four.rank) == (4, 0)
    monkeypatch.setenv("NODE_RANK", "1")  # as Lightning's own launcher says it
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert four.rank == 3
    monkeypatch.setenv("SLURM_PROCID", "2")
    assert four.rank == 2
    monkeypatch.setenv("RANK", "1")  # torchrun, inside Slurm as well
    assert four.rank == 1
    assert Machine().rank == 0
