"""``train.py tune``: hyperparameters with which the validation people are recognised best.

A study of Optuna (Akiba et al. 2019), kept in a file of the run's folder. The test part is not even
read, so what ``best.yaml`` reaches on it says something.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
import torch
import yaml
from optuna.trial import BaseTrial, FixedTrial, TrialState

from fer_core.errors import UserError
from fer_core.training.checkpoints import JUDGED_BY
from fer_core.training.config import RunConfig, StageName, TrainingConfig
from fer_core.training.files import alone_in, write_json, write_text
from fer_core.training.job import TrainingJob
from fer_core.training.material import folds_of
from fer_core.training.run import (
    RunData,
    begin,
    train,
    usual_stages,
    without_periodic_checkpoints,
)
from fer_core.training.task import Diverged

STUDY_NAME, TRIALS_NAME, BEST_NAME = "study.db", "trials.json", "best.yaml"

STARTUP_TRIALS = 5  # before a trial is given up because it lags behind the median of the others

# Times what the configuration says; between the limits on a logarithmic scale.
FACTOR = (0.1, 10.0)
BATCH_FACTORS = (0.5, 1.0, 2.0)
# Instead of what the configuration says, in all stages; between limits.
SHARES = {
    "mixup": (0.0, 0.8),
    "label_smoothing": (0.0, 0.2),
    "encoder_dropout": (0.0, 0.4),  # of the audio and the temporal encoder
    "head_dropout": (0.0, 0.5),  # of fusion and classifier
}
_RATES: dict[StageName, tuple[str, ...]] = {
    "audio": ("lr",),
    "functionals": (),  # they have no epochs
    "visual": ("lr",),
    "fusion": ("branch_lr", "fusion_lr", "classifier_lr"),
    "joint": ("branch_lr", "fusion_lr", "classifier_lr"),
}


def tune(
    job: TrainingJob, fold: int, trials: int, say: Callable[[str], None] = print
) -> Path | None:
    """Go on with the study in the job's folder until it has so many ``trials``.

    A trial is as good as the validation UAR of the epoch that its last stage keeps. Trials that
    were interrupted go on; those that lag behind or diverge end early. What a trial trained is
    removed when it is done.

    Args:
        say: told a line about each trial.

    Returns:
        The configuration of the best trial, a file for ``fit --config``; None if none ended well.

    Raises:
        UserError: nobody validates, another call tunes in that folder, or as
            :func:`fer_core.training.run.train`.
    """
    config, folder = job.config, job.out
    if job.machine.processes > 1:
        raise UserError("One process tunes alone.", "Leave out --devices and --nodes.")
    folds = folds_of(job.material, fold, config, job.modalities)
    data = dataclasses.replace(RunData.of(folds), test=())
    if not data.validation:
        raise UserError(
            "The split names nobody to validate on, and tuning must not look at the test.",
            "Write --set validation_speakers=3, or choose another split.",
        )
    stages = job.stages or usual_stages(data.train, job.config.model)
    stages = tuple(stage for stage in stages if stage != "functionals")  # nothing of it is tuned
    if not stages:
        raise UserError("The functionals have nothing to tune.", "Name other --stages.")
    with alone_in(folder):  # a second call would count the running trial as interrupted
        begin(folder, config, stages, data=data.digest(), modalities=str(job.modalities))
        study = _study(folder, config, stages)
        while len(_done(study)) < trials:
            trial = study.ask()
            name = trial.user_attrs.get("folder", f"{trial.number:04d}")
            trial.set_user_attr("folder", name)
            own = folder / "trials" / name
            suggested = suggestion(trial, config, stages)
            # Encoders that each trial trains make features that no other can use.
            features = None if {*stages}.isdisjoint({"audio", "visual"}) else own / "features"
            report = _TrialReport(trial, config, stages)
            try:
                _, history = train(
                    without_periodic_checkpoints(suggested),
                    data,
                    stages,
                    own,
                    job.cache,
                    job.machine,
                    on_epoch=report,
                    features=features,
                )
                uar = _uar_kept(history, stages[-1])
                study.tell(trial, uar)
                outcome = f"UAR {uar:.3f}"
            except optuna.TrialPruned:
                study.tell(trial, state=TrialState.PRUNED)
                outcome = "given up, others were better"
            except torch.OutOfMemoryError:
                study.tell(trial, state=TrialState.PRUNED)
                outcome = "does not fit into memory"
            except Diverged:
                study.tell(trial, state=TrialState.PRUNED)
                outcome = "diverged"
            shutil.rmtree(own, ignore_errors=True)
            write_json([_as_json(one) for one in _done(study)], folder / TRIALS_NAME)
            description = " ".join(own_fold.description for own_fold in folds)
            best = _write_best(study, config, stages, folder / BEST_NAME, description)
            say(f"trial {len(_done(study))} of {trials}: {outcome}; best {best}")
    return folder / BEST_NAME if (folder / BEST_NAME).exists() else None


def suggestion(trial: BaseTrial, config: RunConfig, stages: Sequence[StageName]) -> RunConfig:
    """``config`` with what ``trial`` suggests."""
    factors: dict[str, float] = {
        name: _round(trial.suggest_float(f"{name}_factor", *FACTOR, log=True))
        for name in _factored(stages)
    }
    batch_factor = trial.suggest_categorical("batch_factor", BATCH_FACTORS)
    shares = {name: _round(trial.suggest_float(name, *limits)) for name, limits in SHARES.items()}
    encoders, heads = shares["encoder_dropout"], shares["head_dropout"]

    def changed(training: TrainingConfig) -> TrainingConfig:
        scaled: dict[str, Any] = {
            name: _round(getattr(training, name) * by) for name, by in factors.items()
        }
        return dataclasses.replace(
            training,
            batch=max(round(training.batch * batch_factor), 1),
            mixup=shares["mixup"],
            label_smoothing=shares["label_smoothing"],
            **scaled,
        )

    model = dataclasses.replace(
        config.model,
        audio=dataclasses.replace(config.model.audio, dropout=encoders),
        temporal=dataclasses.replace(config.model.temporal, dropout=encoders),
        fusion=dataclasses.replace(config.model.fusion, dropout=heads),
        classifier=dataclasses.replace(config.model.classifier, dropout=heads),
    )
    return dataclasses.replace(
        config,
        model=model,
        training=changed(config.training),
        stages={name: changed(own) for name, own in config.stages.items()},
    )


class _TrialReport:
    """Tells a trial how each epoch went, and ends it where it lags behind."""

    def __init__(self, trial: optuna.Trial, config: RunConfig, stages: Sequence[StageName]) -> None:
        self._trial, self._stages = trial, stages
        epochs = [config.of_stage(stage).epochs for stage in stages]
        self._first = {stage: sum(epochs[:at]) for at, stage in enumerate(stages)}

    def __call__(self, row: dict[str, Any]) -> None:
        """``row`` of the history.

        Raises:
            TrialPruned: at this epoch, most trials were better.
        """
        if "val_uar" not in row:
            return
        # Optuna compares the best of all earlier steps: so that each stage is compared with itself,
        # any score of a later one is above all of an earlier.
        score = self._stages.index(row["stage"]) + row["val_uar"]
        self._trial.report(score, self._first[row["stage"]] + row["epoch"])
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _uar_kept(history: Sequence[dict[str, Any]], stage: StageName) -> float:
    """Of the epoch whose weights a run keeps, not of the luckiest."""
    found = [row for row in history if row["stage"] == stage and "val_uar" in row]
    if not found:
        raise UserError(
            f"The {stage} stage was never validated, so no trial is better than another.",
            "Validate more often, or on people who have what the stage looks at.",
        )
    return float(min(found, key=lambda row: row[JUDGED_BY])["val_uar"])


def _study(folder: Path, config: RunConfig, stages: Sequence[StageName]) -> optuna.Study:
    """The study in ``folder``, or a new one, whose first trial is the configuration's own."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY_NAME).resolve().as_posix()}",
        study_name="tune",
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS),
        load_if_exists=True,
    )
    # The same again would draw the same again; so what was drawn before is in the seed.
    study.sampler = optuna.samplers.TPESampler(seed=1000 * config.seed + len(study.trials))
    if not study.trials:
        study.enqueue_trial(_own_values(config, stages))
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # it was interrupted: the same once more
        study.enqueue_trial(trial.params, user_attrs=trial.user_attrs)
    return study


def _own_values(config: RunConfig, stages: Sequence[StageName]) -> dict[str, float]:
    """What a trial would suggest that changes nothing, as far as limits allow."""
    last, model = config.of_stage(stages[-1]), config.model
    own = {
        "mixup": last.mixup,
        "label_smoothing": last.label_smoothing,
        "encoder_dropout": model.audio.dropout,
        "head_dropout": model.fusion.dropout,
    }
    clipped = {name: min(max(own[name], low), high) for name, (low, high) in SHARES.items()}
    return {f"{name}_factor": 1.0 for name in (*_factored(stages), "batch")} | clipped


def _factored(stages: Sequence[StageName]) -> list[str]:
    rates = dict.fromkeys(rate for stage in stages for rate in _RATES[stage])
    return [*rates, "weight_decay"]


def _done(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _as_json(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    complete = trial.state == TrialState.COMPLETE
    uar = trial.value if complete else None
    return {"trial": trial.number, "complete": complete, "val_uar": uar, "values": trial.params}


def _write_best(
    study: optuna.Study,
    config: RunConfig,
    stages: Sequence[StageName],
    path: Path,
    description: str,
) -> str:
    """The best trial's configuration, for ``fit``; returns its score as text."""
    complete = [trial for trial in _done(study) if trial.state == TrialState.COMPLETE]
    if not complete:
        return "none yet"
    best = suggestion(FixedTrial(study.best_params), config, stages)
    head = (
        f"# The best of {len(_done(study))} trials of train.py tune.\n"
        f"#   split:  {description}\n"
        f"#   score:  UAR {study.best_value:.3f} on the validation people, who chose it;\n"
        "#           the test has not been looked at\n"
        f"#   found:  {json.dumps(study.best_params)}\n"
    )
    values = json.loads(json.dumps(best.as_json()))  # YAML knows no tuples
    write_text(head + yaml.safe_dump(values, sort_keys=False), path)
    return f"{study.best_value:.3f}"


def _round(value: float) -> float:
    """To three digits, so that what is written down reads well and is what was tried."""
    return float(f"{value:.3g}")
