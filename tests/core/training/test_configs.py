"""The files of configs/, which people start from."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from fer_core.training.command_line import parser
from fer_core.training.config import RunConfig, TrainingConfig, read_values

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))

each = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


def read(path: Path) -> RunConfig:
    return RunConfig.from_values(read_values(path, []))


@each
def test_a_configuration_can_be_read(path: Path) -> None:
    assert isinstance(read(path), RunConfig)


@each
def test_its_header_says_command_machine_time_and_score(path: Path) -> None:
    head = dict(re.findall(r"^#   (\w+): +(.+)$", path.read_text(), re.MULTILINE))
    assert list(head)[-4:] == ["command", "machine", "time", "score"]
    program, script, *arguments = shlex.split(head["command"])
    assert (program, script) == ("python", "train.py")
    options = parser().parse_args(arguments)
    assert options.config == Path("configs") / path.name


def test_the_guides_values_are_in_guide_yaml_and_are_the_defaults() -> None:
    config = read(next(path for path in CONFIGS if path.stem == "guide"))
    training = dataclasses.asdict(config.training)
    wanted = {
        "lr": 1e-4,
        "weight_decay": 0.01,
        "batch": 4,
        "accumulate": 4,
        "epochs": 100,
        "warmup_epochs": 5,
        "schedule": "cosine_restarts",
        "restart_epochs": 10,
        "restart_factor": 2,
        "label_smoothing": 0.1,
        "clip_norm": 1.0,
        "mixup": 0.2,
        "patience": 15,
        "save_every": 5,
        "branch_lr": 1e-5,
        "fusion_lr": 5e-5,
        "classifier_lr": 1e-4,
        "segment_loss": 0.3,
        "auxiliary_loss": 0.3,
        "contrastive_temperature": 0.07,
    }
    assert {name: training[name] for name in wanted} == wanted
    assert config.training == TrainingConfig()
    assert not config.stages
    model = config.model
    for part in (model.audio, model.temporal, model.fusion, model.classifier):
        assert part.dropout == 0.1


@pytest.mark.parametrize("name", ["lightweight", "full"])
def test_large_presets_begin_with_frozen_pretrained_encoders(name: str) -> None:
    config = read(next(path for path in CONFIGS if path.stem == name))
    assert config.model.name == name
    assert config.model.vision.upstream
    assert config.model.vision.frozen
    assert config.training.precision == "auto"
    assert name == "lightweight" or (config.model.audio.upstream and config.model.audio.frozen)
