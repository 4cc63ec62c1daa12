"""Whom ``evaluate`` tests and under which name, and what ``export`` leaves."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from fer_core.config import FERConfig
from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.evaluation.measurement import Trial
from fer_core.training import commands, counting
from fer_core.training.command_line import main, parser
from fer_core.training.material import CorpusChoice, read_material
from fer_core.training.options import choices_of
from fer_core.weights import new_model, save_checkpoint

MakeItems = Callable[..., list[Item]]


@pytest.fixture
def own_voices(make_voices: MakeItems, tmp_path: Path) -> Path:
    """A table of six people with two utterances each."""
    rows = ["path,emotion,speaker"]
    for speaker in "abcdef":
        rows += [f"{item.path.name},happy,{speaker}" for item in make_voices(2, speaker)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    return table


Tested = Callable[..., tuple[tuple[Item, ...], Trial]]


@pytest.fixture
def tested(own_voices: Path) -> Tested:
    def tested(*arguments: str) -> tuple[tuple[Item, ...], Trial]:
        given = ["evaluate", "--corpus", "manifest", "--data", str(own_voices), *arguments]
        return commands.tested(parser().parse_args(given))

    return tested


def test_the_people_of_a_fold_are_those_that_fit_with_this_seed_tests(
    tested: Tested, own_voices: Path
) -> None:
    told = {}
    for seed in (0, 1):
        own = read_material(CorpusChoice("manifest", own_voices), seed)
        items, trial = tested("--seed", str(seed), "--fold", "2")
        assert items == own.fold(2).test
        assert trial.split == "speakers-2"
        told[seed] = {item.speaker for item in items}
    assert told[0] != told[1]


def test_where_nobody_reads_any_more_it_ends_without_a_complaint(
    own_voices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe, redirect_stdout(pipe):
        assert main(["data", "check", "--corpus", "manifest", "--data", str(own_voices)]) == 1
    assert capsys.readouterr().err == ""


def test_opening_files_is_counted_to_its_end(
    tested: Tested, own_voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    def bar(what: str) -> counting.Counter:
        return lambda done, total: told.setdefault(what, []).append((done, total))

    monkeypatch.setattr(counting, "bar", bar)
    tested("--fold", "0")
    main(["data", "check", "--corpus", "manifest", "--data", str(own_voices)])
    whole = [(done, 12) for done in range(1, 13)]
    assert told == {"Opening the files of manifest": whole, "Reading manifest": whole}


def test_the_tests_of_all_folds_are_told_without_a_training_part(tested: Tested) -> None:
    items, trial = tested()
    assert len(items) == 12
    assert trial.split == "speakers"
    assert trial.description == ("speakers, the test parts of all 5 folds: a, b, c, d, e and f.")
    _, trial = tested("--fold", "1")
    assert "fold 1 of 5: tested on" in trial.description


def test_of_pairs_both_corpora_are_told(tested: Tested, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "ferplus_valid.npz",
        images=np.zeros((2, 48, 48), np.uint8),
        votes=np.array([[0, 10, *[0] * 8]] * 2),
        names=np.array(["a.png", "b.png"]),
    )
    faces = ("--corpus", "ferplus", "--data", str(tmp_path))
    _, trial = tested("--split", "speakers", *faces, "--split", "valid", "--pairs", "2")
    assert trial.split == "2 pairs an emotion of speakers and valid"
    assert trial.description == (
        "Each utterance beside a face of somebody else that shows the same emotion. "
        "speakers, the test parts of all 5 folds: a, b, c, d, e and f. "
        "The test is the official part “valid” of ferplus."
    )


@pytest.mark.parametrize("fold", ["-1", "5"])
def test_a_fold_that_is_not_there_is_refused(tested: Tested, fold: str) -> None:
    with pytest.raises(UserError, match=f"no fold {fold} in this split"):
        tested("--fold", fold)


def test_what_is_shown_is_what_there_is(tested: Tested) -> None:
    _, trial = tested("--split", "all")
    assert trial.shown == "audio alone"
    with pytest.raises(UserError, match="Nothing in the test part has video"):
        tested("--split", "all", "--modalities", "video")


def test_where_a_split_tests_nobody_its_validation_people_are_scored_and_that_is_told(
    tested: Tested, own_voices: Path
) -> None:
    heading, *rows = own_voices.read_text().splitlines()
    parts = ["train"] * 8 + ["valid"] * 4
    lines = [f"{heading},split", *(f"{row},{part}" for row, part in zip(rows, parts, strict=True))]
    own_voices.write_text("\n".join(lines))
    items, trial = tested("--split", "official")
    assert {item.speaker for item in items} == {"e", "f"}
    assert trial.split == "official, validation"
    assert "Scored on the validation part" in trial.description


def test_a_check_tells_who_is_in_the_split_it_is_asked_for(
    own_voices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["data", "check", "--corpus", "manifest", "--data", str(own_voices)]
    assert main([*asked, "--split", "speakers"]) == 0
    assert capsys.readouterr().out.count("none of whom is in its training part") == 5
    assert main([*asked, "--split", "dev5"]) == 1
    assert "names actors of RAVDESS" in capsys.readouterr().err


@pytest.mark.parametrize("change", [["--preset", "full"], ["--set", "model.audio.dropout=0.7"]])
def test_a_model_that_is_trained_further_is_not_changed_by_settings(
    change: list[str], own_voices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fit", "--corpus", "manifest", "--data", str(own_voices), "--out", str(tmp_path)]
    assert main([*asked, "--start-from", str(tmp_path / "model"), *change]) == 1
    assert "has the network of that model" in capsys.readouterr().err


def test_songs_are_asked_of_those_corpora_that_have_some() -> None:
    def choices(*names: str) -> list[CorpusChoice]:
        corpora = [word for name in names for word in ("--corpus", name, "--data", "x")]
        return choices_of(parser().parse_args(["data", "check", *corpora, "--song"]))

    assert [choice.song for choice in choices("ravdess", "ferplus")] == [True, False]
    with pytest.raises(UserError, match="None of these corpora has songs"):
        choices("ferplus", "cremad")


@pytest.fixture
def trained(network: FERConfig, tmp_path: Path) -> Path:
    save_checkpoint(new_model(network, seed=0), tmp_path / "trained")
    return tmp_path / "trained"


def test_eight_bits_are_made_of_onnx_whichever_format_is_asked_for(
    trained: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    assert main(["export", str(trained), str(made), "--format", "pt2", "--int8"]) == 0
    assert {"decision.pt2", "decision.int8.onnx"} <= {path.name for path in made.iterdir()}


def test_a_pruned_model_whose_export_is_refused_is_not_written(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made"
    pruned = ["export", str(trained), str(made), "--format", "pt2", "--prune", "0.5"]
    assert main([*pruned, "--tolerance", "0"]) == 1
    assert "Nothing was written" in capsys.readouterr().err
    assert not list(made.iterdir())
    assert main(pruned) == 0
    assert {"config.json", "model.safetensors", "decision.pt2"} <= {p.name for p in made.iterdir()}


def test_a_model_is_not_pruned_over_itself(trained: Path) -> None:
    before = (trained / "model.safetensors").read_bytes()
    assert main(["export", str(trained), str(trained), "--prune", "0.5"]) == 1
    assert (trained / "model.safetensors").read_bytes() == before
