"""The search for hyperparameters: what it looks at, and that it goes on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.trial import FixedTrial, TrialState

from fer_core.config import FERConfig
from fer_core.data.check import Checked
from fer_core.data.item import Corpus, Item
from fer_core.data.splits import Fold
from fer_core.errors import UserError
from fer_core.training import tune as tuning
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.files import alone_in
from fer_core.training.job import TrainingJob
from fer_core.training.material import Material
from fer_core.training.tune import suggestion, tune

MakeItems = Callable[..., list[Item]]
JobOf = Callable[..., TrainingJob]


@pytest.fixture
def config(network: FERConfig, plain: TrainingConfig) -> RunConfig:
    return RunConfig(network, plain)


@pytest.fixture
def material(make_voices: MakeItems) -> Material:
    """Voices of two people; of the third, the test, there are no files."""
    train, validation = make_voices(8, "a"), make_voices(4, "b")
    test = [dataclasses.replace(i, path=Path("nowhere"), speaker="c") for i in validation]
    items = (*train, *validation, *test)
    fold = Fold("made-0", tuple(train), tuple(validation), tuple(test), False, "Made up.")
    corpus = Corpus("manifest", Path("somewhere"), items, (), "free")
    return Material(Checked(corpus, "names", None, "0" * 64), (fold,))


def study_in(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="tune", storage=f"sqlite:///{folder / 'study.db'}")


def test_the_best_of_the_trials_is_a_configuration_and_the_test_is_never_read(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    said: list[str] = []
    job = job_of(config, material, stages=("audio",))
    runs = job.out
    best = tune(job, 0, 2, said.append)
    assert best == runs / "best.yaml"
    assert best.read_text().startswith("# The best of 2 trials")
    found = RunConfig.from_values(yaml.safe_load(best.read_text()))
    study = study_in(runs)
    assert found == suggestion(FixedTrial(study.best_params), config, ["audio"])
    first, second = study.trials
    changes_nothing = suggestion(FixedTrial(first.params), config, ["audio"])
    assert changes_nothing == config
    assert second.params != first.params
    assert len(said) == 2
    assert not any((runs / "trials").iterdir()), "what trials trained is not kept"

    tune(job, 0, 3, said.append)
    assert len(said) == 3, "it goes on where it was"
    trials = json.loads((runs / "trials.json").read_text())
    assert [trial["complete"] for trial in trials] == [True] * 3
    third = study_in(runs).trials[2]
    assert third.params not in (first.params, second.params)


def test_functionals_have_nothing_to_tune(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    with pytest.raises(UserError, match="nothing to tune"):
        tune(job_of(config, material, stages=("functionals",)), 0, 1)


def test_a_trial_is_as_good_as_the_epoch_that_it_keeps(
    config: RunConfig,
    material: Material,
    job_of: JobOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(0.4, 0.9), (0.6, 0.5), (0.7, 0.8)]  # UAR and loss of each epoch
    history = [{"stage": "audio", "epoch": 0}] + [
        {"stage": "audio", "epoch": i, "val_uar": uar, "val_loss": loss}
        for i, (uar, loss) in enumerate(rows)
    ]
    monkeypatch.setattr(tuning, "train", lambda *_, **__: (None, history))
    said: list[str] = []
    tune(job_of(config, material, stages=("audio",)), 0, 1, said.append)
    assert "UAR 0.600" in said[0]


def test_a_second_call_is_refused_and_the_first_one_goes_on(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    job = job_of(config, material, stages=("audio",))
    tune(job, 0, 1)
    study_in(job.out).ask()  # the trial that another process is at
    with alone_in(job.out), pytest.raises(UserError, match="Another training is at work"):
        tune(job, 0, 2)
    assert study_in(job.out).trials[-1].state == TrialState.RUNNING


def test_an_interrupted_trial_goes_on(
    config: RunConfig,
    material: Material,
    job_of: JobOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = job_of(config, material, stages=("audio",))

    class Interrupted(tuning._TrialReport):
        def __call__(self, row: dict[str, Any]) -> None:
            super().__call__(row)
            if row["epoch"] == 1:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning, "_TrialReport", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(job, 0, 1)
    assert (job.out / "trials" / "0000" / "stages" / "1-audio" / "last.ckpt").exists()
    tune(job, 0, 1)
    broken, again = study_in(job.out).trials
    assert (broken.state, again.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert again.params == broken.params
    assert again.user_attrs == {"folder": "0000"}
    assert set(broken.intermediate_values) == {0, 1}
    assert set(again.intermediate_values) == {1}, "its first epoch was not repeated"


def test_a_trial_that_lags_behind_is_given_up(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    job = job_of(config, material, stages=("audio",))
    said: list[str] = []
    tune(job, 0, 1, said.append)
    study = study_in(job.out)
    (first,) = study.trials
    for _ in range(5):
        better = optuna.trial.create_trial(
            params=first.params,
            distributions=first.distributions,
            value=1.0,
            intermediate_values={0: 1.0, 1: 1.0},
        )
        study.add_trial(better)
    tune(job, 0, 7, said.append)
    last = study_in(job.out).trials[-1]
    assert last.state == TrialState.PRUNED
    assert len(last.intermediate_values) == 1, "it ended after its first epoch"
    assert "given up" in said[-1]


def test_a_trial_that_diverges_counts_and_the_next_begins(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    wild = dataclasses.replace(config, training=dataclasses.replace(config.training, lr=1e30))
    job = job_of(wild, material, stages=("audio",))
    said: list[str] = []
    tune(job, 0, 2, said.append)
    assert [trial.state for trial in study_in(job.out).trials] == 2 * [TrialState.PRUNED]
    assert said == [f"trial {n} of 2: diverged; best none yet" for n in (1, 2)]


def test_a_later_stage_is_compared_with_itself(config: RunConfig) -> None:
    reported = {}

    class Trial:
        def report(self, value: float, step: int) -> None:
            reported[step] = value

        def should_prune(self) -> bool:
            return False

    report = tuning._TrialReport(Trial(), config, ["audio", "fusion"])  # type: ignore[arg-type]
    report({"stage": "audio", "epoch": 1, "val_uar": 0.9})
    report({"stage": "fusion", "epoch": 0, "val_uar": 0.2})
    report({"stage": "fusion", "epoch": 1})
    assert reported == {1: 0.9, 2: 1.2}


def test_a_suggestion_scales_what_each_stage_says(config: RunConfig) -> None:
    stages = {"audio": dataclasses.replace(config.training, lr=1e-3, batch=16)}
    config = dataclasses.replace(config, stages=stages)
    trial = FixedTrial(
        {
            "lr_factor": 0.5,
            "weight_decay_factor": 2.0,
            "batch_factor": 2.0,
            "mixup": 0.4,
            "label_smoothing": 0.0,
            "encoder_dropout": 0.3,
            "head_dropout": 0.2,
        }
    )
    found = suggestion(trial, config, ["audio"])
    audio = found.of_stage("audio")
    assert (audio.lr, audio.batch, audio.mixup, audio.label_smoothing) == (5e-4, 32, 0.4, 0.0)
    assert found.training.batch == 2 * config.training.batch
    assert audio.weight_decay == 2 * config.training.weight_decay
    assert (found.model.audio.dropout, found.model.classifier.dropout) == (0.3, 0.2)
    assert audio.fusion_lr == config.training.fusion_lr, "the stage has no fusion"


def test_without_anybody_to_validate_on_nothing_is_tuned(
    config: RunConfig, material: Material, job_of: JobOf
) -> None:
    (fold,) = material.folds
    blind = dataclasses.replace(material, folds=(dataclasses.replace(fold, validation=()),))
    with pytest.raises(UserError, match="validate"):
        tune(job_of(config, blind, stages=("audio",)), 0, 1)
