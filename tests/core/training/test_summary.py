from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.config import FERConfig
from fer_core.costs import costs_of
from fer_core.training.command_line import main
from fer_core.training.summary import as_text, memory_markdown, training_bytes

TRAIN = Path(__file__).parents[3] / "train.py"


DOCS = Path(__file__).parents[3] / "docs"


def test_the_total_is_the_sum_of_the_parts_and_the_batch_counts(tiny_config: FERConfig) -> None:
    parts = costs_of(tiny_config)
    *_, total = as_text(tiny_config, batch=7).split("\n\n")[0].splitlines()
    assert f"{sum(part.parameters for part in parts):,}" in total
    assert total.endswith(f"{training_bytes(parts, 7) / 1e6:,.0f}")
    assert training_bytes(parts, 8) > training_bytes(parts, 7)


def test_the_memory_table_in_the_docs_is_what_the_code_computes() -> None:
    page = (DOCS / "troubleshooting.md").read_text()
    shown = re.search(r"<!-- memory -->\n(.*?)\n<!-- /memory -->", page, re.DOTALL)
    assert shown is not None
    assert shown.group(1) == memory_markdown()


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
