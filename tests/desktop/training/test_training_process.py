from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from fer_desktop.training.plan import TrainingPlan
from fer_desktop.training.training_process import Progress, TrainingProcess, Work

Script = Callable[..., None]
HOUR = 3600


@pytest.fixture
def process(qtbot: QtBot) -> Iterator[TrainingProcess]:
    process = TrainingProcess()
    yield process
    process.close()


@pytest.fixture
def heard(process: TrainingProcess) -> dict[str, list]:
    heard: dict[str, list] = {"progress": [], "said": []}
    process.progress.connect(heard["progress"].append)
    process.said.connect(heard["said"].append)
    return heard


def test_it_runs_train_py_with_the_plan_and_tells_how_it_goes(
    process, heard, plan: TrainingPlan, scripted_training: Script, told, qtbot
) -> None:
    last = told(event="epoch", epoch=1, step=10, loss=None, metrics={"val_uar": 0.5})
    scripted_training(
        ("say", "manifest\n  usable 8\n"),
        ("out", told()[:20]), ("sleep", 0.1), ("out", told()[20:] + "no json\n" + last),
    )  # fmt: skip
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start(plan)
        assert process.runs
    assert not process.runs
    assert json.loads((plan.run / "arguments.json").read_text()) == plan.arguments()
    first, second = heard["progress"]
    assert first == Progress("audio", 0, 2, 3, 10, 2.5, {}, 61.0, ends_epoch=False)
    assert (second.epoch, second.loss, second.metrics) == (1, None, {"val_uar": 0.5})
    assert second.ends_epoch
    assert heard["said"] == ["manifest", "  usable 8"]


def test_it_tells_of_work_without_epochs(
    process, plan: TrainingPlan, scripted_training: Script, qtbot
) -> None:
    line = {"event": "work", "what": "Opening", "done": 3, "total": 9, "seconds_left": 4.5}
    scripted_training(("out", json.dumps(line) + "\n"), ("sleep", HOUR))
    with qtbot.waitSignal(process.worked, timeout=20_000) as told:
        process.start(plan)
    assert told.args == [Work("Opening", 3, 9, 4.5)]
