"""A run that was interrupted at any moment goes on as if it had not been."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.data.datasets import EpochBatches
from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.config import RunConfig, StageName, TrainingConfig
from fer_core.training.machine import Machine
from fer_core.training.run import RunData, train
from fer_core.training.stage import EpochStart
from fer_core.training.task import Task

MakeItems = Callable[..., list[Item]]
Trained = tuple[MultimodalFER, list[dict[str, Any]]]


@pytest.fixture
def random_network(network: FERConfig) -> FERConfig:
    """With dropout wherever there is some."""
    return replace(
        network,
        audio=replace(network.audio, dropout=0.2),
        temporal=replace(network.temporal, dropout=0.2),
        fusion=replace(network.fusion, dropout=0.2),
        classifier=replace(network.classifier, dropout=0.2),
    )


@pytest.fixture
def random_training(plain: TrainingConfig) -> TrainingConfig:
    return replace(
        plain,
        epochs=4,
        ema=0.9,
        augment=True,
        mixup=0.4,
        modality_dropout=0.3,
        curriculum_epochs=2,
        accumulate=2,
        warmup_epochs=1,
    )


@pytest.fixture
def data(make_voices: MakeItems, make_faces: MakeItems) -> RunData:
    return RunData(
        (*make_voices(9), *make_faces(7)), (*make_voices(4, "b"), *make_faces(3, "valid")), ()
    )


Go = Callable[..., Trained]


@pytest.fixture
def go(random_network: FERConfig, data: RunData, tmp_path: Path, quiet: Machine) -> Go:
    """Train in the folder of that name."""

    def go(name: str, training: TrainingConfig, stages: Sequence[StageName]) -> Trained:
        config = RunConfig(random_network, training)
        return train(config, data, stages, tmp_path / name, tmp_path / "cache", quiet)

    return go


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """End the run in its so manieth step, once."""
    whole = Task.training_step

    def kill_at(count: int) -> None:
        steps = 0

        def step(self: Task, batch: Any, index: int) -> torch.Tensor:
            nonlocal steps
            steps += 1
            if steps == count:
                raise Killed
            return whole(self, batch, index)

        monkeypatch.setattr(Task, "training_step", step)

    return kill_at


class Killed(BaseException):
    pass


def assert_same(one: Trained, other: Trained) -> None:
    assert len(one[1]) == len(other[1])
    for mine, theirs in zip(one[1], other[1], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)
        assert mine["lr"] == theirs["lr"]
    weights = other[0].state_dict()
    for name, tensor in one[0].state_dict().items():
        torch.testing.assert_close(tensor, weights[name], atol=1e-6, rtol=0, msg=name)


CASES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "without accumulation": {"accumulate": 1, "ema": 0.0},
    "plateau": {"schedule": "plateau", "plateau_patience": 0, "plateau_factor": 0.1, "lr": 1e-5},
    "validated now and then": {"validate_every": 2, "epochs": 5},
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_ended_in_an_epoch_goes_on_as_if_it_had_not(
    case: str, go: Go, kill_at: Callable[[int], None], random_training: TrainingConfig
) -> None:
    training = replace(random_training, **CASES[case])
    whole = go("whole", training, ["audio"])
    for steps in (6, 3):  # in the third epoch of two batches, then in the fourth
        kill_at(steps)
        with pytest.raises(Killed):
            go("killed", training, ["audio"])
    kill_at(0)
    assert_same(whole, go("killed", training, ["audio"]))


def test_a_folder_that_was_moved_still_knows_its_best_epoch(
    go: Go, kill_at: Callable[[int], None], random_training: TrainingConfig, tmp_path: Path
) -> None:
    # At so high a rate an earlier epoch is the best.
    training = replace(random_training, epochs=4, lr=10.0, warmup_epochs=0, ema=0.0, accumulate=1)
    whole = go("whole", training, ["audio"])
    losses = [row["val_loss"] for row in whole[1]]
    kill_at(7)  # in the fourth epoch of two batches
    with pytest.raises(Killed):
        go("killed", training, ["audio"])
    kill_at(0)
    assert losses[3] > min(losses), "or the last would be kept anyway"
    (tmp_path / "killed").rename(tmp_path / "moved")
    assert_same(whole, go("moved", training, ["audio"]))


def test_a_run_without_validation_goes_on_as_well(
    random_network: FERConfig,
    random_training: TrainingConfig,
    data: RunData,
    quiet: Machine,
    tmp_path: Path,
    kill_at: Callable[[int], None],
) -> None:
    def go(name: str) -> Trained:
        config = RunConfig(random_network, random_training)
        alone = replace(data, validation=())
        return train(config, alone, ["audio"], tmp_path / name, tmp_path / "cache", quiet)

    whole = go("whole")
    kill_at(6)
    with pytest.raises(Killed):
        go("killed")
    kill_at(0)
    assert_same(whole, go("killed"))
    (tmp_path / "whole/stages/1-audio/done.safetensors").unlink()
    assert_same(whole, go("whole"))


@pytest.mark.parametrize(
    "changes", [{"epochs": 2}, {"epochs": 9, "patience": 2, "lr": 1e-30, "ema": 0.0}]
)
def test_a_run_that_was_killed_after_its_last_epoch_trains_no_other(
    go: Go, random_training: TrainingConfig, tmp_path: Path, changes: dict[str, Any]
) -> None:
    training = replace(random_training, **changes)
    whole = go("run", training, ["audio"])
    assert len(whole[1]) in (2, 3)  # all of them, or the best and two that were no better
    (tmp_path / "run/stages/1-audio/done.safetensors").unlink()
    (tmp_path / "run/training_history.json").unlink()
    assert_same(whole, go("run", training, ["audio"]))
    history = json.loads((tmp_path / "run/training_history.json").read_text())
    assert history == whole[1]


def test_finished_stages_are_taken_from_the_folder(
    go: Go, kill_at: Callable[[int], None], random_training: TrainingConfig, tmp_path: Path
) -> None:
    training = replace(random_training, epochs=1)
    stages = ("audio", "visual", "fusion")
    whole = go("run", training, stages)
    assert [row["stage"] for row in whole[1]] == list(stages)
    kill_at(1)  # nothing is trained
    assert_same(whole, go("run", training, stages))


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
@pytest.mark.parametrize("content", [b"", b"PK\3\4 and then nothing", None])
def test_a_damaged_checkpoint_is_said(
    go: Go, random_training: TrainingConfig, tmp_path: Path, name: str, content: bytes | None
) -> None:
    training = replace(random_training, epochs=1)
    go("run", training, ["audio"])
    stage = tmp_path / "run/stages/1-audio"
    (stage / "done.safetensors").unlink()
    whole = (stage / name).read_bytes()
    (stage / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=f"{name} is damaged"):
        go("run", training, ["audio"])


@pytest.mark.parametrize("name", ["done.safetensors", "history.json"])
def test_a_damaged_stage_goes_on_from_its_last_checkpoint(
    go: Go, random_training: TrainingConfig, tmp_path: Path, name: str
) -> None:
    training = replace(random_training, epochs=1)
    whole = go("run", training, ["audio"])
    stage = tmp_path / "run/stages/1-audio"
    (stage / name).write_bytes(b"{")
    with pytest.raises(UserError, match=f"{name} is damaged"):
        go("run", training, ["audio"])
    (stage / "done.safetensors").unlink()
    assert_same(whole, go("run", training, ["audio"]))


NEVER = -1
PROCESS = """
import os, pickle, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from fer_core.training.run import train
from fer_core.training.stage import EpochStart
from fer_core.training.task import Task

given, folder, cache, stage, count, result = sys.argv[1:]
whole, steps = Task.training_step, 0

def step(self, batch, index):
    global steps
    steps += self.stage == stage
    if steps == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, batch, index)

Task.training_step = step
config, data, stages, machine = pickle.loads(Path(given).read_bytes())
model, rows = train(config, data, stages, Path(folder), Path(cache), machine)
Path(result).write_bytes(pickle.dumps((model, rows)))
"""


def test_a_process_that_was_killed_goes_on_to_the_same_weights(
    random_network: FERConfig,
    random_training: TrainingConfig,
    data: RunData,
    quiet: Machine,
    tmp_path: Path,
) -> None:
    """In the second epoch of the second stage, with the moving average of the weights on.

    Each time in a process of its own, as a user's: in this one other tests' libraries may have
    changed how floats are rounded, and AdamW makes much of gradients that are nearly zero.
    """
    training = replace(random_training, epochs=2)
    stages: tuple[StageName, ...] = ("audio", "fusion")
    given, result = tmp_path / "given.pickle", tmp_path / "result.pickle"
    given.write_bytes(pickle.dumps((RunConfig(random_network, training), data, stages, quiet)))

    def run(name: str, killed_at: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PROCESS, given, tmp_path / name, tmp_path / "cache"]
        rest = ["fusion", str(killed_at), result]
        return subprocess.run([*command, *rest], check=False, capture_output=True, text=True)

    def trained(name: str) -> Trained:
        done = run(name, killed_at=NEVER)
        assert done.returncode == 0, done.stderr
        whole: Trained = pickle.loads(result.read_bytes())
        return whole

    whole = trained("whole")
    done = run("killed", killed_at=4)
    assert done.returncode == -signal.SIGKILL, done.stderr
    stage = tmp_path / "killed/stages/2-fusion"
    assert (stage / "last.ckpt").exists()
    assert not (stage / "done.safetensors").exists()
    assert_same(whole, trained("killed"))


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C, which a shell has its background processes ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_keeps_everything_and_can_be_pressed_again(
    go: Go, random_training: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = replace(random_training, epochs=3)
    whole = go("whole", training, ["audio"])
    before, seen = signal.getsignal(signal.SIGINT), []

    def press(self: Task, batch: Any, index: int) -> torch.Tensor:
        seen.append(1)
        if len(seen) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, index)

    step = Task.training_step
    monkeypatch.setattr(Task, "training_step", press)
    with pytest.raises(KeyboardInterrupt):
        go("stopped", training, ["audio"])
    assert signal.getsignal(signal.SIGINT) is before
    assert (tmp_path / "stopped/stages/1-audio/last.ckpt").exists()
    assert_same(whole, go("stopped", training, ["audio"]))


def test_checkpoints_hold_nothing_but_plain_values(
    go: Go, random_training: TrainingConfig, tmp_path: Path
) -> None:
    go("run", replace(random_training, epochs=2, save_every=1), ["audio"])
    kept = sorted((tmp_path / "run/stages/1-audio").glob("*.ckpt"))
    assert [path.name for path in kept] == [
        "best.ckpt",
        "epoch-000.ckpt",
        "epoch-001.ckpt",
        "last.ckpt",
    ]
    for path in kept:
        assert torch.load(path, weights_only=True)["state_dict"]


def test_the_moving_average_leaves_whole_numbers_alone(
    go: Go, random_training: TrainingConfig
) -> None:
    model, _ = go("run", replace(random_training, ema=0.9), ["visual"])
    places = model.visual_branch.encoder.embeddings.position_ids
    assert torch.equal(places, torch.arange(196).unsqueeze(0))


def test_workers_begin_with_the_epoch_that_comes_next(
    go: Go, random_training: TrainingConfig, data: RunData, tmp_path: Path
) -> None:
    """They fetch batches before Lightning has said which epoch it is."""
    go("run", replace(random_training, epochs=2), ["audio"])
    batches = EpochBatches(data.train, 4, seed=0)
    checkpoint = torch.load(tmp_path / "run/stages/1-audio/last.ckpt", weights_only=True)
    EpochStart(0, batches).on_load_checkpoint(None, None, checkpoint)  # type: ignore[arg-type]
    assert {draw.epoch for batch in batches for draw in batch} == {2}
