from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fer_core.config import FERConfig
from fer_core.data.item import Item
from fer_core.training import counting, progress
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.machine import Machine
from fer_core.training.progress import JsonLines
from fer_core.training.run import RunData, train
from fer_core.training.task import Task

MakeItems = Callable[..., list[Item]]


class Clock:
    """A second passes with each step."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    step = Task.training_step

    def slow(self: Task, batch: Any, index: int) -> Any:
        clock.now += 1.0
        return step(self, batch, index)

    monkeypatch.setattr(Task, "training_step", slow)
    return clock


Go = Callable[..., None]


@pytest.fixture
def go(
    network: FERConfig,
    plain: TrainingConfig,
    quiet: Machine,
    make_voices: MakeItems,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Go:
    """Three epochs of two batches; whatever takes long besides says nothing."""
    monkeypatch.setattr(counting, "BRIEF_S", math.inf)
    data = RunData(tuple(make_voices(8)), tuple(make_voices(3, "b")), ())
    config = RunConfig(network, replace(plain, epochs=3))

    def go(kind: progress.ProgressKind) -> None:
        machine = replace(quiet, progress=kind)
        train(config, data, ("audio",), tmp_path / "run", tmp_path / "cache", machine)

    return go


def test_programs_get_one_object_a_line(
    go: Go, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    go("jsonl")
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == ""
    for line in lines:
        assert line.keys() == {
            "event",
            "stage",
            "epoch",
            "epochs",
            "step",
            "steps",
            "loss",
            "metrics",
            "seconds_left",
        }
        assert (line["stage"], line["epochs"], line["steps"]) == ("audio", 3, 6)
        assert line["loss"] > 0
    assert [line["event"] for line in lines] == ["step", "step", "epoch"] * 3
    assert [line["epoch"] for line in lines] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [line["step"] for line in lines] == [1, 2, 2, 3, 4, 4, 5, 6, 6]
    assert [line["seconds_left"] for line in lines] == [5, 4, 4, 3, 2, 2, 1, 0, 0]
    assert lines[0]["metrics"] == {}
    assert lines[2]["metrics"].keys() == {"val_uar", "val_war", "val_loss"}


def test_there_is_a_line_about_every_second(
    go: Go, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 1e9)
    go("jsonl")
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["step", "epoch", "epoch", "epoch"]


def test_a_loss_that_is_no_number_is_null() -> None:
    class Trainer:
        is_global_zero = True
        current_epoch, max_epochs, num_training_batches = 0, 1, 1
        callback_metrics: ClassVar[dict[str, float]] = {}

    class Stage:
        stage = "audio"

    out = io.StringIO()
    JsonLines(out).stepped(Trainer(), Stage(), float("nan"))
    assert json.loads(out.getvalue())["loss"] is None
    assert json.loads(out.getvalue())["seconds_left"] is None


def test_a_resumed_stage_reckons_with_its_own_pace(
    go: Go, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step, steps = Task.training_step, []

    def killed(self: Task, batch: Any, index: int) -> Any:
        steps.append(1)
        if len(steps) == 5:
            raise OSError("gone")
        return step(self, batch, index)

    monkeypatch.setattr(Task, "training_step", killed)
    with pytest.raises(OSError, match="gone"):
        go("jsonl")
    capsys.readouterr()
    go("jsonl")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines] == [5, 6, 6]
    assert [line["seconds_left"] for line in lines] == [1, 0, 0]


def test_people_see_one_bar_a_stage_and_nothing_on_standard_output(
    go: Go, capsys: pytest.CaptureFixture[str]
) -> None:
    go("bar")
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("audio: 100%")
    assert "6/6" in last
    assert "epoch=3/3" in last
    assert "val_uar=" in last


def test_nothing_is_said_when_nothing_shall_be(go: Go, capsys: pytest.CaptureFixture[str]) -> None:
    go("none")
    assert capsys.readouterr() == ("", "")
