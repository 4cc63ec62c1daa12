"""Ablation: its rows, whose branches are shared, and its table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.data.check import Checked
from fer_core.data.clips import Modalities
from fer_core.data.item import Corpus, Item
from fer_core.data.splits import split
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.evaluation.answers import ensemble
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.scores import score
from fer_core.training.ablate import FUSIONS, ablate
from fer_core.training.ablation_table import as_markdown, as_text, table_of
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.fit import fit
from fer_core.training.job import TrainingJob
from fer_core.training.material import Material
from fer_core.weights import load_checkpoint

MakeItems = Callable[..., list[Item]]
JobOf = Callable[..., TrainingJob]
STAGES = ("audio", "visual", "fusion")


def material_of(items: Sequence[Item], name: str = "manifest") -> Material:
    corpus = Corpus(name, Path("somewhere"), tuple(items), (), "free")
    return Material(Checked(corpus, "names", None, "0" * 64), split(corpus, "speakers"))


@pytest.fixture
def config(network: FERConfig, plain: TrainingConfig) -> RunConfig:
    return RunConfig(network, dataclasses.replace(plain, epochs=1, views=1))


def test_every_row_is_measured_and_what_is_done_is_not_repeated(
    config: RunConfig, job_of: JobOf, make_pairs: MakeItems, tmp_path: Path
) -> None:
    material = material_of([*make_pairs(3, "a"), *make_pairs(2, "b")])
    job = job_of(config, material, stages=STAGES)
    runs, cache = job.out, job.cache
    said: list[str] = []
    table = ablate(job, [0], said.append)
    shown = {row["name"]: [one["shown"] for one in row["scores"]] for row in table["rows"]}
    everything = ["audio and video", "audio alone", "video alone"]
    assert shown == {
        "audio alone": ["audio alone"],
        "video alone": ["video alone"],
        "no fusion, mean of both answers": ["audio and video"],
        **{f"{kind} fusion": everything for kind in FUSIONS},
        "ROI before the encoder": everything,
        "ROI after the encoder": everything,
        "no ROI compression": everything,
    }
    assert len(said) == len(set(said)) == 8, "equal networks are trained once"
    fold = runs / material.folds[0].name

    assert not list(fold.rglob("*.ckpt")), "what is measured needs no checkpoint"

    # Branches that were taken over are those that would have been trained.
    alone = tmp_path / "concat"
    fusion = dataclasses.replace(config.model.fusion, kind="concat")
    model = dataclasses.replace(config.model, fusion=fusion)
    fit(dataclasses.replace(job, config=dataclasses.replace(config, model=model), out=alone), 0)
    shared = load_checkpoint(fold / "audio-video-concat-after" / "model").state_dict()
    own = load_checkpoint(alone / "model").state_dict()
    for name, weights in own.items():
        assert torch.equal(shared[name], weights), name

    # "No fusion" is the mean of what two models say that know one modality each.
    store = MediaStore(cache / "media", config.model.vision)
    answers = [
        evaluate(load_checkpoint(fold / name / "model"), material.folds[0].test, store, senses)
        for name, senses in (
            ("audio-lfm2-after", Modalities(video=False)),
            ("video-lfm2-after", Modalities(audio=False)),
        )
    ]
    (row,) = (r for r in table["rows"] if r["name"].startswith("no fusion"))
    assert row["scores"][0]["ece"]["mean"] == pytest.approx(score(ensemble(answers)).ece, abs=1e-4)

    said.clear()
    (fold / "audio-video-concat-after" / "metrics.json").unlink()
    assert ablate(job, [0], said.append) == table
    assert said == [f"{fold.name}: audio-video-concat-after"]
    assert json.loads((runs / "ablation.json").read_text()) == table
    assert (runs / "ablation.md").read_text() == as_markdown(table)


def test_rows_that_the_corpora_cannot_have_are_left_out_with_the_reason(
    config: RunConfig, job_of: JobOf, make_voices: MakeItems
) -> None:
    material = material_of([*make_voices(4, "a"), *make_voices(4, "b")])
    table = ablate(job_of(config, material), [0, 1])
    (row,) = table["rows"]
    assert row["name"] == "audio alone"
    assert len(row["scores"][0]["uar"]["folds"]) == 2
    assert len(table["left_out"]) == 9
    assert set(table["left_out"].values()) == {"the training part has no faces"}
    assert "left out: concat fusion: the training part has no faces" in as_text(table)


def test_a_fold_named_twice_is_one_and_corpora_of_one_name_are_told_apart(
    config: RunConfig, job_of: JobOf, make_voices: MakeItems
) -> None:
    first, second = (
        material_of([item for name in names for item in make_voices(2, name)])
        for names in ("ab", "cd")
    )
    job = dataclasses.replace(job_of(config, first), material=[first, second])
    table = ablate(job, [0, 0])
    assert (table["corpus"], table["folds"]) == ("manifest 1", ["speakers-0"])
    (row,) = table["rows"]
    assert [(one["corpus"], one["n"]) for one in row["scores"]] == [
        ("manifest 1", 2),
        ("manifest 2", 2),
    ]
    assert all(one["uar"]["sd"] is None for one in row["scores"])


def test_without_the_fusion_stage_there_is_nothing_to_compare(
    config: RunConfig, job_of: JobOf, make_voices: MakeItems
) -> None:
    material = material_of([*make_voices(2, "a"), *make_voices(2, "b")])
    with pytest.raises(UserError, match="fusion"):
        ablate(job_of(config, material, stages=("audio",)), [0])
    with pytest.raises(UserError, match="no fold 5"):
        ablate(job_of(config, material), [5])


def test_no_stage_is_trained_that_was_not_asked_for(
    config: RunConfig,
    job_of: JobOf,
    make_pairs: MakeItems,
    make_voices: MakeItems,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fer_core.training.ablate.FUSIONS", ("concat",))
    monkeypatch.setattr("fer_core.training.ablate.PLACES", {})
    both = material_of([*make_pairs(2, "a"), *make_pairs(2, "b")])
    table = ablate(job_of(config, both, stages=("fusion",)), [0])
    assert [row["name"] for row in table["rows"]] == ["concat fusion"]
    assert table["left_out"] == dict.fromkeys(
        ("audio alone", "video alone", "no fusion, mean of both answers"),
        "none of its stages is asked for",
    )
    assert {path.name for path in tmp_path.glob("runs/*/*/stages/*")} == {"1-fusion"}
    voices = material_of([*make_voices(2, "a"), *make_voices(2, "b")])
    with pytest.raises(UserError, match="none of the stages"):
        ablate(job_of(config, voices, stages=("fusion",)), [0])


def test_the_table_has_mean_and_deviation_over_folds_and_a_column_for_each_corpus(
    make_voices: MakeItems,
) -> None:
    folds = material_of([*make_voices(1, "a"), *make_voices(1, "b")]).folds
    folds = tuple(dataclasses.replace(fold, leaks_speakers=True) for fold in folds)

    def one(corpus: str, uar: float) -> dict[str, object]:
        figures = {"uar": uar, "war": uar, "f1_macro": uar, "ece": 0.1}
        return {"corpus": corpus, "shown": "audio alone", "n": 4, **figures}

    scores = {
        "audio alone": [[one("manifest", 0.5)], [one("manifest", 0.7)]],
        "late fusion": [[one("manifest", 0.25), one("cremad", 0.125)]],
    }
    table = table_of("manifest", folds, scores, {"video alone": "no faces"})
    assert table["rows"][0]["scores"][0]["uar"]["mean"] == pytest.approx(0.6)
    assert as_text(table).splitlines() == [
        "Ablation on manifest, speakers-0, speakers-1"
        "; LEAKS SPEAKERS: says nothing about new people",
        "UAR          manifest, audio alone  cremad, audio alone",
        "audio alone          0.600 ± 0.141                    -",
        "late fusion                  0.250                0.125",
        "left out: video alone: no faces",
    ]
    page = as_markdown(table).splitlines()
    assert "| UAR | manifest, audio alone | cremad, audio alone |" in page
    assert "| late fusion | 0.250 | 0.125 |" in page
    assert page[-1] == "- left out: video alone: no faces"
