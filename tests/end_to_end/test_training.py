"""The real ``train.py`` on a few seconds of made data, and the live program with what it made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.labels import EMOTIONS
from fer_core.training.command_line import main

ROOT = Path(__file__).parents[2]
STAGES = ("audio", "functionals", "visual", "fusion", "joint")
WITH_EPOCHS = tuple(stage for stage in STAGES if stage != "functionals")
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

pytestmark = pytest.mark.timeout(300)


def train_py(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``train.py`` with one thread: there is little to compute."""
    command = [sys.executable, "train.py", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(tmp_path_factory, own_recordings, made_ferplus, tiny_training, cache):
    """The folder of a run of all stages, and what the command wrote."""
    folder = tmp_path_factory.mktemp("runs") / "both"
    done = train_py(
        "fit", "--config", tiny_training, "--out", folder, "--cache", cache, "--progress", "jsonl",
        "--corpus", "manifest", "--data", own_recordings,
        "--corpus", "ferplus", "--data", made_ferplus,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_run_leaves_everything_that_is_promised(run):
    folder, _ = run
    read = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert read["run"]["config"]["training"]["epochs"] == 2
    assert read["run"]["stages"] == list(STAGES)
    assert {"python", "torch", "lightning"} <= read["versions"].keys()
    assert "fit --config" in (folder / "command.txt").read_text()
    own, faces = read["data"]
    assert (own["corpus"], own["items"], len(own["sha256"])) == ("manifest", 8, 64)
    parts = [own[part]["speakers"] for part in ("train", "validation", "test")]
    people = [speaker for part in parts for speaker in part]
    assert sorted(people) == ["ann", "bea", "carl", "dan"], "nobody is in two parts"
    assert faces["test"]["n"] == 7
    epochs = [(row["stage"], row["epoch"]) for row in read["training_history"]]
    assert epochs == [
        (stage, epoch) for stage in STAGES for epoch in ((0, 1) if stage in WITH_EPOCHS else (0,))
    ]
    assert [(m["corpus"], m["shown"]) for m in read["metrics"]] == [
        ("manifest", "audio and video"),
        ("manifest", "audio alone"),
        ("manifest", "video alone"),
        ("ferplus", "video alone"),
    ]
    for number, stage in enumerate(STAGES, start=1):
        if stage not in WITH_EPOCHS:
            continue
        kept = {path.name for path in (folder / "stages" / f"{number}-{stage}").iterdir()}
        assert {"best.ckpt", "last.ckpt", "epoch-000.ckpt", "epoch-001.ckpt"} <= kept
        assert list((folder / "stages").glob(f"*-{stage}/tensorboard/events*"))
    model = folder / "model"
    assert {path.name for path in model.iterdir()} == {
        "config.json", "model.safetensors", "model_card.md", "confusion.png", "curves.png",
    }  # fmt: skip
    for picture in model.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
    card = (model / "model_card.md").read_text()
    (tested,) = own["test"]["speakers"]
    assert f"- Test: {tested}\n" in card


def test_programs_get_json_lines_and_nothing_else(run):
    _, done = run
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    lines = [line for line in lines if line["event"] != "work"]  # what took more than a second
    assert {line["stage"] for line in lines} == set(WITH_EPOCHS)
    for line in lines:
        assert {"event", "stage", "epoch", "step", "loss", "metrics", "seconds_left"} <= line.keys()


def test_people_read_our_own_lines_and_nothing_else(run):
    _, done = run
    first_words = {line.split()[0].rstrip(",") for line in done.stderr.splitlines()}
    assert {"manifest", "ferplus", "The"} <= first_words
    of_the_data = {"folder", "usable", "modality", "emotion", "speakers", "length", "split"}
    assert first_words <= {"manifest", "ferplus", "The", *of_the_data, "sha256", "left"}


def test_evaluate_prints_one_object_with_the_scores(run, own_recordings, cache):
    folder, _ = run
    arguments = ("--corpus", "manifest", "--data", own_recordings, "--split", "all")
    done = train_py("evaluate", "--model", folder / "model", *arguments, "--cache", cache, "--json")
    assert done.returncode == 0
    taught, scored = done.stderr.splitlines()  # beside the object
    assert scored.startswith("train.py: who is scored: Everything in the folder is the test")
    assert taught.startswith(
        f"train.py: {folder / 'model'} was trained on: manifest, 4 items: speakers (seed 0), fold 0"
    )
    scores = json.loads(done.stdout)
    assert set(scores) == {
        "corpus", "split", "n", "speakers", "uar", "war", "f1_macro", "f1_weighted", "ece",
        "per_class", "confusion", "labels",
    }  # fmt: skip
    assert (scores["corpus"], scores["split"]) == ("manifest", "all")
    assert (scores["n"], scores["speakers"]) == (8, 4)
    assert scores["labels"] == list(EMOTIONS)
    assert sum(map(sum, scores["confusion"])) == 8
    right = sum(row[at] for at, row in enumerate(scores["confusion"]))
    assert scores["war"] == pytest.approx(right / 8, abs=1e-4)


def test_evaluate_shows_the_faces_of_one_corpus_to_the_voices_of_another(
    run, own_recordings, made_ferplus, cache
):
    folder, _ = run
    arguments = (
        "--corpus", "manifest", "--data", own_recordings, "--split", "all",
        "--corpus", "ferplus", "--data", made_ferplus, "--split", "valid", "--pairs", "2",
    )  # fmt: skip
    done = train_py("evaluate", "--model", folder / "model", *arguments, "--cache", cache, "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    assert scores["corpus"] == "manifest with ferplus"
    assert scores["split"] == "2 pairs an emotion of all and valid"
    said = {emotion: scores["per_class"][emotion]["n"] for emotion in EMOTIONS}
    assert said == {emotion: 2 * (emotion in ("happy", "calm")) for emotion in EMOTIONS}


def test_crossval_measures_everybody_once_and_goes_on(
    own_recordings, tiny_training, cache, tmp_path, capsys
):
    crossval = (
        "crossval", "--config", str(tiny_training), "--out", str(tmp_path), "--cache", str(cache),
        "--corpus", "manifest", "--data", str(own_recordings), "--stages", "audio,joint",
        "--modalities", "audio", "--epochs", "1", "--threads", "1",
    )  # fmt: skip
    assert main(crossval) == 0
    first = capsys.readouterr()
    result = json.loads((tmp_path / "crossval.json").read_text())
    tested = [speaker for fold in result["scores"] for speaker in fold["people"]]
    assert sorted(tested) == ["ann", "bea", "carl", "dan"]
    mean = sum(fold["uar"] for fold in result["scores"]) / 4
    assert result["uar"]["mean"] == pytest.approx(mean)
    assert first.out.splitlines()[-1].startswith(f"speakers, audio alone: UAR {mean:.3f} ± ")
    bars = {line.split(":")[0] for line in first.err.replace("\r", "\n").splitlines() if line}
    assert bars == {"audio", "joint"}, "a bar for each stage and nothing else"

    (tmp_path / "speakers-3" / "metrics.json").unlink()
    assert main(crossval) == 0
    again = capsys.readouterr()
    assert again.out == first.out
    assert again.err == "", "no stage was trained again"


def test_crossval_refuses_a_split_that_tests_nobody_before_it_trains(
    own_recordings, tiny_training, cache, tmp_path, capsys
):
    crossval = (
        "crossval", "--config", str(tiny_training), "--out", str(tmp_path / "run"),
        "--cache", str(cache), "--corpus", "manifest", "--data", str(own_recordings),
        "--split", "untested", "--set", "validation_speakers=0", "--stages", "audio",
        "--modalities", "audio", "--epochs", "1",
        "--threads", "1",
    )  # fmt: skip
    assert main(crossval) == 1
    assert capsys.readouterr().err == (
        "train.py: The split of manifest has nothing to test. Choose another --split.\n"
    )
    assert not (tmp_path / "run").exists()


def test_fit_takes_the_configuration_that_tune_found(
    own_recordings, tiny_training, cache, tmp_path, capsys
):
    common = (
        "--corpus", "manifest", "--data", str(own_recordings), "--cache", str(cache),
        "--modalities", "audio", "--stages", "audio,joint", "--progress", "none", "--threads", "1",
    )  # fmt: skip
    study = tmp_path / "study"
    tune = ["tune", "--config", str(tiny_training), "--trials", "2", "--out", str(study), *common]
    assert main(tune) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last == f"The best configuration: train with fit --config {study / 'best.yaml'}."
    fit = ["fit", "--config", str(study / "best.yaml"), "--out", str(tmp_path / "run"), *common]
    assert main(fit) == 0
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


def test_a_run_begun_with_another_model_says_what_that_one_was_taught(
    run, own_recordings, made_ferplus, tiny_training, cache, tmp_path
):
    first = run[0] / "model"
    fit = (
        "fit", "--config", str(tiny_training), "--out", str(tmp_path), "--cache", str(cache),
        "--corpus", "manifest", "--data", str(own_recordings), "--fold", "1",
        "--corpus", "ferplus", "--data", str(made_ferplus),
        "--start-from", str(first), "--stages", "fusion", "--epochs", "1",
        "--progress", "none", "--threads", "1",
    )  # fmt: skip
    assert main(fit) == 0
    before = json.loads((first / "config.json").read_text())["trained_on"]
    after = json.loads((tmp_path / "model" / "config.json").read_text())["trained_on"]
    assert after.startswith("manifest, ")
    assert "fold 1 of 4" in after
    assert after.endswith(f"Begun with a model trained on: {before}")
    assert before in (tmp_path / "model" / "model_card.md").read_text()
    scores = json.loads((tmp_path / "metrics.json").read_text())
    leaks = {one["corpus"]: one["leaks_speakers"] for one in scores}
    assert leaks == {"manifest": True, "ferplus": False}, "fold 0 trained on those of fold 1"
    assert "may have learnt from these people" in scores[0]["description"]


def test_ablate_prints_one_table_and_what_is_left_out(
    own_recordings, tiny_training, cache, tmp_path, capsys
):
    ablate = (
        "ablate", "--config", str(tiny_training), "--out", str(tmp_path), "--cache", str(cache),
        "--corpus", "manifest", "--data", str(own_recordings), "--fold", "0", "--fold", "2",
        "--modalities", "audio", "--progress", "none", "--threads", "1",
    )  # fmt: skip
    assert main(ablate) == 0
    lines = capsys.readouterr().out.splitlines()
    title = lines.index("Ablation on manifest, speakers-0, speakers-2")
    head, row, *left_out = lines[title + 1 :]
    assert head.split("  ")[-1] == "audio alone"
    assert row.startswith("audio alone")
    assert "±" in row
    assert "left out: video alone: the training part has no faces" in left_out
    assert len(left_out) == 9


def test_the_live_program_shows_what_was_trained(run, program):
    folder, _ = run
    running = program(
        "--demo", "--model", str(folder / "model"), "--exit-after", "60", environment=OFFSCREEN
    )
    running.until(lambda: len(running.predictions()) >= 3, "3 predictions")
    report = running.is_closed()
    assert report["stats"]["model"] == "tiny"
    assert report["notices"] == []
    last = report["predictions"][-1]
    assert last["modalities"] == ["audio", "video"]
    assert tuple(last["probabilities"]) == EMOTIONS
