from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.config import PRESETS, FERConfig, Preset
from fer_core.training.command_line import main
from fer_core.training.summary import summarise
from fer_core.weights import new_model

TRAIN = Path(__file__).parents[3] / "train.py"


def millions(preset: Preset) -> dict[str, float]:
    return {part.name: part.parameters / 1e6 for part in summarise(FERConfig.preset(preset))}


def test_presets_weigh_what_they_say() -> None:
    compact, lightweight, full = map(millions, PRESETS)
    assert sum(compact.values()) <= 14
    assert compact["audio encoder"] == pytest.approx(2.1, abs=0.05)
    assert compact["vision encoder"] == pytest.approx(5.5, abs=0.05)
    fusion = ("gated projections", "joining", "projection")
    assert sum(compact[name] for name in fusion) == pytest.approx(3.8, abs=0.06)
    assert sum(lightweight[name] for name in fusion) == pytest.approx(15, abs=0.3)
    assert full["audio encoder"] == pytest.approx(108.8, abs=0.05)
    assert full["joining"] == pytest.approx(241.5, abs=0.05)


def test_every_parameter_is_counted_once(tiny_config: FERConfig) -> None:
    counted = sum(part.parameters for part in summarise(tiny_config))
    assert counted == sum(p.numel() for p in new_model(tiny_config, 0).parameters())


def test_shapes_are_those_of_the_design() -> None:
    shapes = {part.name: part.shape for part in summarise(FERConfig.preset("full"))}
    assert shapes["audio encoder"] == "(B, 38, 512)"
    assert shapes["vision encoder"] == "(B, 16, 196, 768)"
    assert shapes["ROI token compression"] == "(B, 16, 68, 768)"
    assert shapes["gated projections"] == "(B, 8, 1536)"
    assert shapes["projection"] == "(B, 8, 512)"


def test_markdown_has_a_column_for_each_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| part | compact | lightweight | full |"
    assert {line.count("|") for line in lines} == {5}


def test_a_wrong_value_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["summary", "--preset", "huge"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "huge" in error


def test_what_a_person_can_mend_is_one_line_and_exit_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["convert-nemo", str(tmp_path / "none.nemo"), str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_train_py_is_that_command_line() -> None:
    answer = subprocess.run(
        [sys.executable, TRAIN, "--help"], capture_output=True, text=True, check=True
    )
    assert "summary" in answer.stdout
    assert "convert-nemo" in answer.stdout
