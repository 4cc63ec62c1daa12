from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.training.command_line import parser
from fer_desktop.training.plan import Corpus, TrainingPlan, last_plan, plan_path, remember

PLAN = TrainingPlan(corpora=(Corpus("manifest", Path("/mine")),), run=Path("/runs/mine"))
ODD = TrainingPlan(
    corpora=(Corpus("ravdess", Path("/a b/ravdess")), Corpus("ferplus", Path("/ferplus"))),
    run=Path("/runs/odd"),
    split="luna5",
    allow_missing=True,
    learnt_from="audio",
    begin_with=Path("/models/mine"),
    epochs=3,
    device="cpu",
)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "deep" / "settings.json"))


def test_train_py_understands_every_choice() -> None:
    options = parser().parse_args(ODD.arguments())
    assert options.corpus == ["ravdess", "ferplus"]
    assert options.data == [Path("/a b/ravdess"), Path("/ferplus")]
    assert (options.split, options.allow_missing) == (["luna5"], True)
    assert options.modalities == ("audio",)
    assert options.start_from == Path("/models/mine")
    assert options.config.name == "own-recordings.yaml"
    assert (options.epochs, options.device, options.out) == (3, "cpu", Path("/runs/odd"))
    assert options.progress == "jsonl"


def test_what_is_left_open_is_left_to_the_recipe() -> None:
    options = parser().parse_args(PLAN.arguments())
    assert options.config.name == "compact.yaml"
    assert options.config.exists()
    left_out = (options.split, options.epochs, options.start_from, options.set)
    assert left_out == (None, None, None, [])
    assert options.modalities == ("audio", "video")


def test_one_person_alone_can_train_where_nobody_else_is_tested() -> None:
    options = parser().parse_args(replace(PLAN, split="random").arguments())
    assert options.set == ["validation_speakers=0"]


def test_the_last_plan_is_there_at_the_next_start() -> None:
    assert last_plan() is None
    for plan in (PLAN, ODD):
        remember(plan)
        assert last_plan() == plan


@pytest.mark.parametrize(
    "damaged",
    ["", "[]", "{}", json.dumps(PLAN.as_json() | {"corpora": []}),
     json.dumps(PLAN.as_json() | {"device": "abacus"}),
     json.dumps(PLAN.as_json() | {"epochs": "many"})],
)  # fmt: skip
def test_a_damaged_plan_is_forgotten(damaged: str) -> None:
    plan_path().parent.mkdir(parents=True)
    plan_path().write_text(damaged)
    assert last_plan() is None


def test_where_nothing_can_be_written_the_plan_is_only_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file where the folder should be")
    remember(PLAN)
    assert last_plan() is None
