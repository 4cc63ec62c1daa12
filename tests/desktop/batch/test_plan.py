from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fer_core.analysis.command_line import parser
from fer_desktop.batch.plan import BatchPlan, proposed_folder

PLAN = BatchPlan(named=(Path("/a b/c.mp4"), Path("/folder")), out=Path("/out"), formats=("csv",))


def test_fer_analyze_understands_every_choice() -> None:
    plan = replace(
        PLAN, formats=("json", "html"), each_face=True, model=Path("/my model"), device="cpu"
    )
    options = parser().parse_args(plan.arguments())
    assert options.files == ["/a b/c.mp4", "/folder"]
    assert (options.out, options.model, options.device) == (Path("/out"), Path("/my model"), "cpu")
    assert (list(options.format), options.face) == (["json", "html"], "all")
    assert options.progress == "jsonl"
    assert options.overview == Path("/out") / "all recordings.csv"


def test_a_stopped_one_goes_on_because_json_is_always_written() -> None:
    options = parser().parse_args(PLAN.arguments())
    assert options.resume
    assert list(options.format) == ["csv", "json"]
    assert (options.face, options.model) == ("largest", None)


def test_results_are_proposed_beside_the_recordings(tmp_path: Path) -> None:
    assert proposed_folder(tmp_path) == proposed_folder(tmp_path / "a.mp4") == tmp_path / "analysis"
