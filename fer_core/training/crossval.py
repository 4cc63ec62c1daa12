"""``train.py crossval``: a model for each fold of a split, and the mean of their scores."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_core.data.clips import Modalities
from fer_core.errors import UserError
from fer_core.training.config import RunConfig, StageName
from fer_core.training.files import write_json
from fer_core.training.fit import METRICS_NAME, fit
from fer_core.training.machine import Machine
from fer_core.training.material import Material, at_fold
from fer_core.training.run import RunData, begin

RESULTS_NAME = "crossval.json"


def crossval(
    config: RunConfig,
    material: Material,
    folder: Path,
    cache: Path,
    machine: Machine,
    stages: Sequence[StageName] = (),
    modalities: Modalities | None = None,
    others: Sequence[Material] = (),
) -> dict[str, Any]:
    """Fit every fold of ``material``, each in its own folder; finished ones are not repeated.

    ``others``: corpora that are added to each fold, by the one that goes with it; see
    :func:`fer_core.training.material.at_fold`.

    Returns:
        The scores of each fold, and their mean and standard deviation; None while other processes
        write them.

    Raises:
        UserError: as :func:`fer_core.training.fit.fit`; or the folder holds another
            cross-validation, or a fold tests nobody.
    """
    for fold in material.folds:
        if not (fold.test or fold.validation or config.validation_speakers):
            raise UserError(
                f"The split of {material.corpus.name} has nothing to test.",
                "Choose another --split.",
            )
    if machine.rank == 0:
        every = [fold for own in (material, *others) for fold in own.folds]
        begin(folder, config, stages, data=RunData.of(every).digest(), modalities=str(modalities))
    folds = []
    for fold in material.folds:
        own = folder / fold.name
        metrics = own / METRICS_NAME
        if not metrics.exists():
            together = at_fold([material, *others], fold.number)
            number = fold.number
            fit(config, together, number, own, cache, machine, stages, modalities=modalities)
        if machine.rank == 0:
            first = json.loads(metrics.read_text(encoding="utf-8"))[0]
            folds.append({"fold": fold.name, "people": fold.test_speakers, **first})
            write_json(summary(folds, len(material.folds)), folder / RESULTS_NAME)
    return summary(folds, len(material.folds)) if folds else {}


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
