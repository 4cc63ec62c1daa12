from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.training.config import RunConfig, TrainingConfig, read_values


def test_without_anything_it_is_the_compact_preset_and_the_guides_values() -> None:
    config = RunConfig.from_values({})
    assert config == RunConfig()
    assert config.model == FERConfig.preset("compact")


def test_what_a_stage_says_wins_over_what_is_said_for_all() -> None:
    config = RunConfig.from_values(
        {
            "training": {"epochs": 7, "augmentation": {"sound": {"noise": 0.1}}},
            "stages": {"audio": {"lr": 0.1, "augmentation": {"sound": {"gain_db": 1.0}}}},
        }
    )
    audio, visual = config.of_stage("audio"), config.of_stage("visual")
    assert (audio.epochs, audio.lr) == (7, 0.1)
    assert (visual.epochs, visual.lr) == (7, TrainingConfig().lr)
    assert audio.augmentation.sound.noise == 0.1
    assert audio.augmentation.sound.gain_db == 1.0
    assert visual.augmentation.sound.gain_db != 1.0


def test_changes_to_the_network_begin_with_the_preset() -> None:
    config = RunConfig.from_values({"preset": "lightweight", "model": {"fusion": {"layers": 2}}})
    assert config.model.fusion.layers == 2
    assert config.model.fusion.width == FERConfig.preset("lightweight").fusion.width


@pytest.mark.parametrize("section", ["training", "stages.audio", "model.audio"])
def test_numbers_may_be_written_as_people_write_them(section: str, tmp_path: Path) -> None:
    """YAML takes 1e-3 for text."""
    name = "dropout" if section.startswith("model") else "lr"
    path = tmp_path / "run.yaml"
    *parents, last = section.split(".")
    nested = "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate([*parents, last]))
    path.write_text(f"{nested}{'  ' * (len(parents) + 1)}{name}: 1e-3\n")
    config = RunConfig.from_values(read_values(path, []))
    found = {
        "training": config.training.lr,
        "stages.audio": config.of_stage("audio").lr,
        "model.audio": config.model.audio.dropout,
    }
    assert found[section] == 1e-3


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"trainings": {}}, "trainings"),
        ({"preset": "huge"}, "huge"),
        ({"training": {"epoch": 3}}, "epoch"),
        ({"training": {"epochs": "many"}}, "training.epochs"),
        ({"training": {"epochs": 0}}, "epochs is 0"),
        ({"training": {"mixup": -1}}, "mixup is -1"),
        ({"training": {"weight_decay": -1}}, "weight_decay is -1"),
        ({"training": {"restart_epochs": 0}}, "restart_epochs is 0, must be 1 or more"),
        ({"training": {"ema": 1.0}}, "ema is 1.0"),
        ({"training": {"augmentation": {"sound": {"echo": 1}}}}, "echo"),
        ({"training": 3}, "training"),
        ({"stages": {"sound": {}}}, "sound"),
        ({"stages": 3}, "stages"),
        ({"stages": {"audio": {"lr": True}}}, "stages.audio.lr"),
        ({"model": {"audio": {"widht": 3}}}, "widht"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RunConfig.from_values(values)


def test_changes_are_put_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("training:\nseed: 3\nstages:\n  audio:\n    epochs: 2\n")
    values = read_values(
        path, ["training.epochs=5", "stages.audio.lr=1e-4", "model.name=mine", "preset=compact"]
    )
    config = RunConfig.from_values(values)
    assert (config.seed, config.training.epochs, config.model.name) == (3, 5, "mine")
    assert config.of_stage("audio").lr == 1e-4
    assert config.of_stage("audio").epochs == 2


@pytest.mark.parametrize(
    "change", ["training.epochs", "seed.part=3", "training.epochs=[", "training.epochs=a: b: c"]
)
def test_a_change_that_is_none_is_told(change: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 3\n")
    with pytest.raises(UserError, match="'"):
        read_values(path, [change])


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no configuration"):
        read_values(tmp_path / "none.yaml", [])
    for number, text in enumerate((b"- a list", b"a: b: c", b"\xff\xfe\xfa")):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(text)
        with pytest.raises(UserError, match=r"\.yaml"):
            read_values(path, [])


def test_it_survives_being_written_as_json() -> None:
    values = {"stages": {"audio": {"epochs": 3}}, "training": {"ema": 0.9}}
    config = RunConfig.from_values(values)
    assert json.loads(json.dumps(config.as_json())) == json.loads(
        json.dumps(RunConfig.from_values(values).as_json())
    )
    assert config.as_json()["stages"]["audio"]["epochs"] == 3


@pytest.mark.parametrize("text", ["", "training:\n", "training: {epochs: 7}\n"])
def test_what_is_said_of_all_stages_wins_over_all_sections(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text + "stages: {audio: {epochs: 9, batch: 2}}\n")
    config = RunConfig.from_values(read_values(path, [], {"epochs": 3}))
    assert config.training.epochs == 3
    assert config.of_stage("audio").epochs == 3
    assert config.of_stage("audio").batch == 2


def test_what_is_said_of_all_stages_needs_sections():
    with pytest.raises(UserError, match="3 is no section"):
        read_values(None, ["training=3"], {"epochs": 3})


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_that_teaches_nothing_is_refused(rate):
    with pytest.raises(ValueError, match="lr is"):
        RunConfig.from_values({"training": {"lr": rate}})
