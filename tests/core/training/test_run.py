from __future__ import annotations

import errno
import json
import wave
from collections import namedtuple
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.training.checkpoints import WholeCheckpoints
from fer_core.training.config import RunConfig, StageName, TrainingConfig
from fer_core.training.files import alone_in
from fer_core.training.machine import Machine
from fer_core.training.run import RunData, room_needed, train, usual_stages
from fer_core.training.task import Task
from fer_core.weights import load_checkpoint, new_model, save_checkpoint

MakeItems = Callable[..., list[Item]]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def config(network: FERConfig, plain: TrainingConfig) -> RunConfig:
    return RunConfig(network, replace(plain, epochs=1))


@pytest.fixture
def data(make_voices: MakeItems) -> RunData:
    return RunData(tuple(make_voices(4)), tuple(make_voices(2, "b")), ())


Go = Callable[..., Any]


@pytest.fixture
def go(config: RunConfig, data: RunData, tmp_path: Path, quiet: Machine) -> Go:
    """A run of the audio stage, in which something is otherwise."""

    def go(**changes: Any) -> Any:
        given = {
            "config": config,
            "data": data,
            "stages": ("audio",),
            "folder": tmp_path / "run",
            "cache": tmp_path / "cache",
            "machine": quiet,
            **changes,
        }
        return train(**given)

    return go


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail at the first step of training."""

    def step(*_: object) -> torch.Tensor:
        raise AssertionError("the first epoch has begun")

    monkeypatch.setattr(Task, "training_step", step)


def test_a_run_leaves_a_model_and_its_history(go: Go, tmp_path: Path) -> None:
    model, history = go()
    loaded = load_checkpoint(tmp_path / "run/model")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
    assert not model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert json.loads((tmp_path / "run/training_history.json").read_text()) == history
    (row,) = history
    assert row.keys() == {"stage", "epoch", "loss", "val_uar", "val_war", "val_loss", "lr"}
    assert not list((tmp_path / "run").rglob(".draft-*")), "drafts"
    assert not list(tmp_path.rglob("probe"))


def test_a_file_that_ends_before_its_header_says_does_not_end_the_run(
    go: Go, data: RunData
) -> None:
    with wave.open(str(data.train[0].path), "wb") as file:
        file.setparams((1, 2, 16_000, 10, "NONE", ""))
        file.writeframes(bytes(20))
    _, history = go()
    assert len(history) == 1


def test_what_a_worker_cannot_read_is_said_without_its_traceback(
    go: Go, data: RunData, config: RunConfig, quiet: Machine, tmp_path: Path
) -> None:
    save_checkpoint(new_model(config.model, 0), tmp_path / "before")
    data.train[0].path.unlink()
    with pytest.raises(UserError, match="cannot be read: No such file") as error:
        go(
            start_from=tmp_path / "before",  # no voice is read before
            data=replace(data, validation=()),
            machine=replace(quiet, workers=1),
        )
    assert "Traceback" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "change", [{"end_s": 0.5}, {"has_picture": True}, {"has_sound": False}, {"start_s": 0.1}]
)
def test_other_parts_of_the_same_files_are_other_data(
    data: RunData, change: dict[str, Any]
) -> None:
    first, *others = data.train
    other = replace(data, train=(replace(first, **change), *others))
    assert other.digest() != data.digest()


def test_frozen_weights_need_no_room_for_their_moments(config: RunConfig) -> None:
    model = new_model(config.model, 0)
    fusion, joint, averaged = (
        room_needed(replace(config, training=training), (stage,), model)
        for stage, training in (
            ("fusion", config.training),
            ("joint", config.training),
            ("joint", replace(config.training, ema=0.9)),
        )
    )
    assert fusion < joint < averaged


@pytest.mark.parametrize("steps", [1, 3])
def test_a_run_that_diverges_says_so(
    go: Go, config: RunConfig, data: RunData, make_voices: MakeItems, steps: int
) -> None:
    wild = replace(config, training=replace(config.training, lr=1e30, epochs=9))
    voices = tuple(make_voices(4 * steps))
    with pytest.raises(UserError, match="The loss is no number any more") as error:
        go(config=wild, data=replace(data, train=voices))
    assert "--lr" in error.value.hint


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"stages": ("audio", "fusion")}, "stages"),
        ({"start_from": Path("model")}, "start_from"),
    ],
)
def test_another_run_in_the_folder_is_refused(
    go: Go, tmp_path: Path, changes: dict[str, Any], named: str, untrained: None
) -> None:
    with pytest.raises(AssertionError):
        go()
    with pytest.raises(UserError, match=f"holds another run \\({named} differs\\)"):
        go(**changes)


def test_two_trainings_at_once_in_one_folder_are_one_too_many(go: Go, tmp_path: Path) -> None:
    go()
    with alone_in(tmp_path / "run"), pytest.raises(UserError, match="Another training is at work"):
        go()
    go()  # it goes on once the other has ended


def test_other_settings_and_other_data_are_refused_and_named(
    go: Go, config: RunConfig, data: RunData, untrained: None
) -> None:
    with pytest.raises(AssertionError):
        go()
    faster = replace(config, training=replace(config.training, lr=0.1))
    with pytest.raises(UserError, match=r"\(config\.training\.lr differs\)") as error:
        go(config=faster)
    assert "another folder" in error.value.hint
    wider = replace(config.model, fusion=replace(config.model.fusion, out=8))
    with pytest.raises(UserError, match=r"\(config\.model\.fusion\.out differs\)"):
        go(config=replace(config, model=wider))
    with pytest.raises(UserError, match=r"\(data differs\)"):
        go(data=replace(data, train=data.train[1:]))
    with pytest.raises(UserError, match=r"\(data differs\)"):
        go(data=replace(data, train=data.validation, validation=data.train))


def test_the_same_corpus_elsewhere_is_the_same_data(data: RunData) -> None:
    moved = tuple(replace(item, path=Path("/elsewhere") / item.path.name) for item in data.train)
    assert replace(data, train=moved).digest() == data.digest()


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_epoch(
    go: Go, tmp_path: Path, untrained: None
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match="cannot be written") as error:
        go(folder=tmp_path / "file" / "run")
    assert "another folder" in error.value.hint
    with pytest.raises(UserError, match="cannot be written") as error:
        go(cache=tmp_path / "file" / "cache")
    assert "--cache" in error.value.hint


def test_a_full_disk_is_noticed_before_the_first_epoch(
    go: Go,
    tmp_path: Path,
    untrained: None,
    small_files: Callable[[], AbstractContextManager[None]],
) -> None:
    with small_files(), pytest.raises(UserError, match="cannot be written") as error:
        go()
    assert "Make room" in error.value.hint
    assert not list(tmp_path.rglob("probe"))


def test_a_disk_that_will_be_full_is_noticed_before_the_first_epoch(
    go: Go, config: RunConfig, monkeypatch: pytest.MonkeyPatch, untrained: None
) -> None:
    needed = room_needed(config, ("audio",), new_model(config.model, 0))
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**12, 0, needed - 1))
    with pytest.raises(UserError, match="has room for"):
        go()
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**12, 0, needed))
    with pytest.raises(AssertionError):
        go()


def test_what_is_kept_is_what_was_reckoned_with(go: Go, config: RunConfig, tmp_path: Path) -> None:
    training = replace(config.training, epochs=4, save_every=2, ema=0.9)
    config = replace(config, training=training)
    model, _ = go(config=config)
    written = sum(path.stat().st_size for path in tmp_path.rglob("*.ckpt"))
    reckoned = room_needed(config, ("audio",), model)
    assert len(list(tmp_path.rglob("*.ckpt"))) == 4
    assert written < 2 * reckoned  # a tiny network's files are half names


def test_a_disk_that_fills_meanwhile_is_told(
    tmp_path: Path, small_files: Callable[[], AbstractContextManager[None]]
) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(b"the old one")
    with small_files(), pytest.raises(UserError, match="cannot be written"):
        WholeCheckpoints().save_checkpoint({"weights": torch.zeros(100_000)}, path)
    assert path.read_bytes() == b"the old one"
    assert not list(tmp_path.glob(".draft-*")), "drafts"


def test_a_checkpoint_is_whole_or_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"epoch": 1}, path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        WholeCheckpoints().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}


def test_only_the_first_process_writes_the_run(
    go: Go, quiet: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untrained: None
) -> None:
    monkeypatch.setenv("RANK", "1")
    second = replace(quiet, devices=2, strategy="ddp")
    with pytest.raises(UserError, match="nothing to learn"):
        go(machine=second, data=RunData((), (), ()))
    assert not (tmp_path / "run").exists()


def test_the_mean_of_the_mel_bins_is_that_of_the_training_part(go: Go, config: RunConfig) -> None:
    model, _ = go()
    fresh = new_model(config.model, 0)
    assert not torch.equal(model.audio_branch.spectra_mean, fresh.audio_branch.spectra_mean)
    assert (model.audio_branch.spectra_std < 10).all()


def test_a_model_to_start_from_keeps_its_own(go: Go, config: RunConfig, tmp_path: Path) -> None:
    before = new_model(config.model, seed=5)
    save_checkpoint(before, tmp_path / "before")
    still = replace(config, training=replace(config.training, lr=1e-30, weight_decay=0.0))
    model, _ = go(config=still, start_from=tmp_path / "before")
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before.state_dict()[name], msg=name)


def test_a_stage_without_anything_to_learn_from_is_told(
    go: Go, make_faces: MakeItems, quiet: Machine
) -> None:
    with pytest.raises(UserError, match="has nothing to learn from"):
        go(data=RunData(tuple(make_faces(4)), (), ()))


@pytest.mark.parametrize("make", ["make_voices", "make_faces"])
def test_fusion_of_voices_or_faces_alone_is_refused(
    go: Go, make: str, request: pytest.FixtureRequest, quiet: Machine
) -> None:
    alone = RunData(tuple(request.getfixturevalue(make)(4)), (), ())
    with pytest.raises(UserError, match="joins voices and faces"):
        go(data=alone, stages=("fusion",))


def test_too_few_items_for_all_processes_are_told(
    go: Go, make_voices: MakeItems, quiet: Machine
) -> None:
    with pytest.raises(UserError, match="too few items"):
        go(data=RunData(tuple(make_voices(1)), (), ()), machine=replace(quiet, devices=2))


def test_the_usual_stages_are_what_the_corpora_can_teach(
    make_voices: MakeItems, make_faces: MakeItems, make_pairs: MakeItems, network: FERConfig
) -> None:
    expected: list[tuple[list[Item], tuple[StageName, ...]]] = [
        (make_voices(1), ("audio",)),
        (make_faces(1), ("visual",)),
        ([*make_voices(1), *make_faces(1)], ("audio", "visual", "fusion")),
        (make_pairs(1), ("audio", "visual", "fusion", "joint")),
    ]
    for items, stages in expected:
        assert usual_stages(items, network) == stages
    having = replace(network, audio=replace(network.audio, functionals=True))
    assert usual_stages(make_voices(1), having) == ("audio", "functionals")
    assert usual_stages(make_faces(1), having) == ("visual",)


def test_a_stage_hands_its_best_epoch_on(
    go: Go, config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the second of three, as the validation has it."""
    losses = iter([2.0, 0.5, 1.5])
    log = Task.log

    def scripted(self: Task, name: str, value: Any, **how: Any) -> None:
        log(self, name, next(losses) if name == "val_loss" else value, **how)

    monkeypatch.setattr(Task, "log", scripted)
    training = replace(config.training, epochs=3, save_every=1)
    model, history = go(config=replace(config, training=training))
    assert [row["val_loss"] for row in history] == pytest.approx([2.0, 0.5, 1.5])
    second = torch.load(tmp_path / "run/stages/1-audio/epoch-001.ckpt", weights_only=True)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, second["state_dict"][f"model.{name}"]), name


@pytest.mark.parametrize("stage", ["audio", "visual", "fusion"])
def test_who_learns_faces_knows_how_often_each_emotion_was_seen(
    go: Go, stage: StageName, make_voices: MakeItems, make_faces: MakeItems
) -> None:
    faces = [item for item in make_faces(14) if item.emotion in (0, 2)]
    voices = make_voices(12)  # of which the first four emotions have two each, and so less weight
    model, _ = go(data=RunData((*voices, *faces), (), ()), stages=(stage,))
    seen = model.face_prior.exp().tolist()
    expected = [1.0] * 8 if stage == "audio" else [0.5, 0.5, 0.5, *(5 * [0.01])]
    assert seen == pytest.approx(expected)


def test_the_log_of_a_resumed_run_is_not_lost(
    go: Go, config: RunConfig, quiet: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = replace(quiet, log="csv")
    longer = replace(config, training=replace(config.training, epochs=2))
    step, steps = Task.training_step, []

    def killed(self: Task, batch: Any, index: int) -> torch.Tensor:
        steps.append(1)
        if len(steps) == 2:
            raise OSError(errno.EIO, "gone")
        return step(self, batch, index)

    monkeypatch.setattr(Task, "training_step", killed)
    with pytest.raises(OSError, match="gone"):
        go(config=longer, machine=machine)
    go(config=longer, machine=machine)
    logs = sorted(tmp_path.rglob("metrics.csv"))
    text = "".join(log.read_text() for log in logs)
    epochs = {line.split(",")[0] for line in text.splitlines()}
    assert {"0", "1"} <= epochs, text


def test_all_stages_learn_from_mixed_corpora_in_half_precision(
    go: Go,
    config: RunConfig,
    make_pairs: MakeItems,
    make_voices: MakeItems,
    make_faces: MakeItems,
) -> None:
    vision = replace(config.model.vision, stem="conv", stem_blocks=1)
    training = replace(
        config.training, precision="bf16", augment=True, mixup=0.4, cutmix=1.0, modality_dropout=0.5
    )
    stages: tuple[StageName, ...] = ("audio", "visual", "fusion", "joint")
    data = RunData(
        (*make_pairs(4), *make_voices(4), *make_faces(4)),
        (*make_pairs(2, "valid"), *make_faces(2, "valid")),
        (),
    )
    model, history = go(
        config=replace(config, model=replace(config.model, vision=vision), training=training),
        data=data,
        stages=stages,
    )
    assert [row["stage"] for row in history] == list(stages)
    assert all(row["loss"] > 0 and row["val_loss"] > 0 for row in history)
    for name, tensor in model.state_dict().items():
        assert tensor.isfinite().all(), name
        assert tensor.dtype in (torch.float32, torch.int64), name
