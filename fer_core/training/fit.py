"""``train.py fit``: corpora in, a run folder with a measured model out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.config import Temperatures
from fer_core.data.corpora.registry import CORPORA
from fer_core.data.store import MediaStore
from fer_core.device import resolve_device
from fer_core.errors import UserError
from fer_core.evaluation.card_facts import CardFacts, CorpusUse
from fer_core.evaluation.figures import (
    confusion_figure,
    history_figure,
    reliability_figure,
    save_png,
)
from fer_core.evaluation.measurement import Measurement
from fer_core.evaluation.model_card import model_card
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.resources import CARD_NAME
from fer_core.run_folder import METRICS_NAME
from fer_core.training.files import write_json, write_text
from fer_core.training.job import TrainingJob
from fer_core.training.material import (
    folds_of,
    known_before,
    pairs_test,
    shown_names,
    with_a_test,
)
from fer_core.training.measuring import calibrated, measure
from fer_core.training.provenance import corpora_in, may_know, provenance, taught_by
from fer_core.training.records import command_line, licence_of, machine_name, records_of
from fer_core.training.run import RunData, train, usual_stages
from fer_core.weights import load_config, save_checkpoint


@dataclass(frozen=True)
class Outcome:
    """What a run ended with."""

    model: MultimodalFER
    measurements: tuple[Measurement, ...]


def fit(job: TrainingJob, fold: int, start_from: Path | None = None) -> Outcome:
    """Train on fold ``fold`` of each corpus, calibrate, measure, and write it all down.

    Args:
        start_from: a model folder to begin with instead of fresh weights.

    Raises:
        UserError: what a person can mend.
    """
    material, machine, wanted = job.material, job.machine, job.modalities
    folds = folds_of(material, fold, job.config, wanted)
    config, before = job.config, None
    if start_from is not None:
        config = dataclasses.replace(config, model=load_config(start_from))
        before = config.model.trained_on
    data = RunData.of(folds)
    if not data.train:
        raise UserError("The training part is empty.", "Choose another split or another corpus.")
    began_s = time.monotonic()
    stages = job.stages or usual_stages(data.train, config.model)
    records = records_of(material, folds)
    model, history = train(config, data, stages, job.out, job.cache, machine, start_from, records)
    trained_s = time.monotonic() - began_s
    if machine.rank:
        return Outcome(model, ())
    store = MediaStore(job.cache / "media", model.config.vision)
    model = model.to(resolve_device(machine.device))  # Lightning has moved it to the CPU
    calibrated_before = model.config.temperatures != Temperatures()
    model, calibration = calibrated(model, data.validation, store, wanted, machine.count)
    names = [own.corpus.name for own in material]
    taught = [
        # Splits like "untested" are described in the same words whatever they divide.
        taught_by(name, len(part.train), part.description)
        for name, part in zip(names, folds, strict=True)
        if part.train
    ]
    tested = [
        known_before(part) if may_know(name, taught, before) else part
        for name, part in zip(names, folds, strict=True)
    ]
    shown = shown_names(material)
    tests = [*zip(shown, map(with_a_test, tested), strict=True), *pairs_test(shown, tested)]
    measurements = tuple(
        measurement
        for name, part in tests
        for measurement in measure(model, name, part, store, wanted, machine.count)
    )
    trained_on, notes = provenance(taught, before)
    model.config = dataclasses.replace(model.config, trained_on=trained_on)
    save_checkpoint(model.cpu(), job.out / "model")
    facts = CardFacts(
        model.config.name,
        sum(parameter.numel() for parameter in model.parameters()),
        tuple(CorpusUse.of(own.corpus, part) for own, part in zip(material, folds, strict=True)),
        licence=licence_of(
            [
                *(own.corpus.licence for own in material),
                *(CORPORA[name].licence for name in corpora_in(before or "") if name in CORPORA),
            ]
        ),
        measurements=measurements,
        notes=notes,
        calibration=calibration,
        calibrated_on="the validation people" if calibration else None,
        calibrated_before=calibrated_before,
        uncertain_below=(
            model.config.thresholds.uncertain_below if calibration or calibrated_before else None
        ),
        command=command_line(),
        machine=f"{machine_name()}, {trained_s / 60:.0f} minutes in this call",
    )
    write_results(job.out, facts, history)
    return Outcome(model, measurements)


def write_results(folder: Path, facts: CardFacts, history: Sequence[dict[str, Any]]) -> None:
    """Metrics, figures and the model card, beside the model and in the run's folder."""
    pictures: dict[str, str] = {}
    model_folder = folder / "model"
    model_folder.mkdir(parents=True, exist_ok=True)
    if facts.measurements:
        first = facts.measurements[0]
        title = f"{first.trial.corpus}, {first.trial.split}, {first.trial.shown}"
        save_png(confusion_figure(first.scores, title), model_folder / "confusion.png")
        pictures["confusion_picture"] = "confusion.png"
    if history:
        save_png(history_figure(history, facts.name), model_folder / "curves.png")
        pictures["history_picture"] = "curves.png"
    if facts.calibration is not None:
        fits = {
            f"{part} ({name})": fit
            for part, found in (
                ("clip", facts.calibration.clip),
                ("segment", facts.calibration.segment),
            )
            for name, fit in found.fits.items()
            if fit is not None
        }
        save_png(reliability_figure(fits), model_folder / "reliability.png")
        pictures["reliability_picture"] = "reliability.png"
    facts = dataclasses.replace(facts, **pictures)  # type: ignore[arg-type]
    write_text(model_card(facts), model_folder / CARD_NAME)
    write_json([m.as_json() for m in facts.measurements], folder / METRICS_NAME)
