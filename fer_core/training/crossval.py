"""``train.py crossval``: a model for each fold of a split, and the mean of their scores."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Sequence
from typing import Any

from fer_core.errors import UserError
from fer_core.run_folder import METRICS_NAME
from fer_core.training.files import write_json
from fer_core.training.fit import fit
from fer_core.training.job import TrainingJob
from fer_core.training.material import at_fold
from fer_core.training.run import RunData, begin

RESULTS_NAME = "crossval.json"


def crossval(job: TrainingJob) -> dict[str, Any]:
    """Fit every fold of the first corpus, each in its own folder; finished ones are not repeated.

    The other corpora are added to each fold, by the one that goes with it; see
    :func:`fer_core.training.material.at_fold`.

    Returns:
        The scores of each fold, and their mean and standard deviation; nothing in the processes
        beside the first, which writes them.

    Raises:
        UserError: as :func:`fer_core.training.fit.fit`; or the folder holds another
            cross-validation, or a fold tests nobody.
    """
    first, rank = job.material[0], job.machine.rank
    for fold in first.folds:
        if not (fold.test or fold.validation or job.config.validation_speakers):
            raise UserError(
                f"The split of {first.corpus.name} has nothing to test.",
                "Choose another --split.",
            )
    if rank == 0:
        every = RunData.of([fold for own in job.material for fold in own.folds])
        asked = str(job.modalities)
        begin(job.out, job.config, job.stages, data=every.digest(), modalities=asked)
    folds = []
    for fold in first.folds:
        own = job.out / fold.name
        metrics = own / METRICS_NAME
        if not metrics.exists():
            together = at_fold(job.material, fold.number)
            fit(dataclasses.replace(job, material=together, out=own), fold.number)
        if rank == 0:
            scores = json.loads(metrics.read_text(encoding="utf-8"))[0]
            folds.append({"fold": fold.name, "people": fold.test_speakers, **scores})
            write_json(summary(folds, len(first.folds)), job.out / RESULTS_NAME)
    return summary(folds, len(first.folds)) if folds else {}


def summary(folds: Sequence[dict[str, Any]], of: int) -> dict[str, Any]:
    """Mean and standard deviation over ``folds``; the folds themselves behind them."""
    result: dict[str, Any] = {
        "corpus": folds[0]["corpus"],
        "split": folds[0]["split"].rsplit("-", 1)[0],
        "shown": folds[0]["shown"],
        "folds": len(folds),
        "of": of,
        "leaks_speakers": any(fold["leaks_speakers"] for fold in folds),
    }
    for name in ("uar", "war", "f1_macro", "ece"):
        values = [fold[name] for fold in folds]
        sd = statistics.stdev(values) if len(values) > 1 else None
        result[name] = {"mean": statistics.fmean(values), "sd": sd}
    result["scores"] = list(folds)
    return result


def as_text(result: dict[str, Any]) -> str:
    """A line for each fold, and the mean."""
    lines = [
        f"{fold['fold']:<14} UAR {fold['uar']:.3f}  WAR {fold['war']:.3f}  n {fold['n']}"
        for fold in result["scores"]
    ]

    def mean(name: str) -> str:
        value = result[name]
        return f"{value['mean']:.3f}" + ("" if value["sd"] is None else f" ± {value['sd']:.3f}")

    warning = "  LEAKS SPEAKERS: says nothing about new people" if result["leaks_speakers"] else ""
    lines.append(
        f"{result['split']}, {result['shown']}: UAR {mean('uar')}, WAR {mean('war')}{warning}"
    )
    return "\n".join(lines)
