"""``train.py fit``: corpora in, a run folder with a measured model out."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fer_core.data.clips import Modalities
from fer_core.data.item import Item
from fer_core.data.splits import Fold
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.calibration import Calibration, calibrate, uncertain_below
from fer_core.evaluation.card_facts import CardFacts, CorpusUse
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.figures import (
    confusion_figure,
    history_figure,
    reliability_figure,
    save_png,
)
from fer_core.evaluation.measurement import SHOWN, Measurement, Shown, Trial
from fer_core.evaluation.model_card import model_card
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.config import RunConfig, StageName
from fer_core.training.counting import Count, silent
from fer_core.training.files import alone_in, write_json, write_text
from fer_core.training.machine import Machine
from fer_core.training.material import (
    Material,
    folds_of,
    having,
    known_before,
    pairs_test,
    with_a_test,
)
from fer_core.training.provenance import may_know, provenance
from fer_core.training.run import RunData, begin_run, train, usual_stages
from fer_core.weights import load_config, save_checkpoint

METRICS_NAME = "metrics.json"  # written last: a run that has it is complete
PACKAGES = ("torch", "torchaudio", "transformers", "lightning", "torchmetrics", "numpy", "av")
MODALITIES: dict[Shown, Modalities] = {
    "audio and video": Modalities(),
    "audio alone": Modalities(video=False),
    "video alone": Modalities(audio=False),
}


@dataclass(frozen=True)
class Outcome:
    """What a run ended with."""

    model: MultimodalFER
    measurements: tuple[Measurement, ...]


def fit(
    config: RunConfig,
    material: Sequence[Material],
    fold: int,
    folder: Path,
    cache: Path,
    machine: Machine,
    stages: Sequence[StageName] = (),
    start_from: Path | None = None,
    modalities: Modalities | None = None,
) -> Outcome:
    """Train on fold ``fold`` of each corpus, calibrate, measure, and write it all down.

    Args:
        stages: none is the usual ones of what the corpora hold.
        modalities: the only ones that are trained and measured.

    Raises:
        UserError: what a person can mend.
    """
    wanted = modalities or Modalities()
    folds = folds_of(material, fold, config, wanted)
    before = load_config(start_from).trained_on if start_from is not None else None
    data = RunData.of(folds)
    if not data.train:
        raise UserError("The training part is empty.", "Choose another split or another corpus.")
    began_s = time.monotonic()
    stages = tuple(stages) or usual_stages(data.train)
    if machine.rank == 0:
        with alone_in(folder):
            begin_run(folder, config, data, stages, start_from)  # or another's record would be lost
            describe(folder, material, folds)
    model, history = train(config, data, stages, folder, cache, machine, start_from)
    trained_s = time.monotonic() - began_s
    if machine.rank:
        return Outcome(model, ())
    store = MediaStore(cache / "media", model.config.vision)
    model, calibration = calibrated(model, data.validation, store, wanted, machine.count)
    names = [own.corpus.name for own in material]
    taught = [
        # Splits like "untested" are described in the same words whatever they divide.
        f"{name}, {len(part.train):,} items: {part.description}"
        for name, part in zip(names, folds, strict=True)
        if part.train
    ]
    tested = [
        known_before(part) if may_know(name, taught, before) else part
        for name, part in zip(names, folds, strict=True)
    ]
    measurements = tuple(
        measurement
        for name, part in (
            *zip(names, map(with_a_test, tested), strict=True),
            *pairs_test(names, tested),
        )
        for measurement in measure(model, name, part, store, wanted, machine.count)
    )
    trained_on, notes = provenance(taught, before)
    model.config = dataclasses.replace(model.config, trained_on=trained_on)
    save_checkpoint(model, folder / "model")
    facts = CardFacts(
        model.config.name,
        sum(parameter.numel() for parameter in model.parameters()),
        tuple(CorpusUse.of(own.corpus, part) for own, part in zip(material, folds, strict=True)),
        licence=licence_of([own.corpus.licence for own in material]),
        measurements=measurements,
        notes=notes,
        calibration=calibration,
        calibrated_on="the validation people" if calibration else None,
        uncertain_below=model.config.thresholds.uncertain_below if calibration else None,
        command=command_line(),
        machine=f"{machine_name()}, {trained_s / 60:.0f} minutes in this call",
    )
    write_results(folder, facts, history)
    return Outcome(model, measurements)


def calibrated(
    model: MultimodalFER,
    validation: Sequence[Item],
    store: MediaStore,
    wanted: Modalities,
    count: Count = silent,
) -> tuple[MultimodalFER, Calibration | None]:
    """``model`` with the temperatures that suit its answers about ``validation``.

    With everything, and with each modality alone, because each combination has its own; who has
    one alone is asked once. Where there is no validation, or so little that not one was found for
    windows, the model stays as it is.
    """
    if not validation:
        return model, None
    whole, *alone = ways(validation, wanted).values()
    both = [i for i in validation if i.has_sound and i.has_picture and i.face is None]
    asked = [(validation, whole), *((both, modalities) for modalities in alone if both)]
    answers = [
        evaluate(model, items, store, modalities, count("Calibrating on the validation people"))
        for items, modalities in asked
    ]
    calibration = calibrate(answers)
    if not any(calibration.clip.fits.values()):
        return model, None
    scaled = [one.calibrated(calibration.temperatures) for one in answers]
    thresholds = dataclasses.replace(
        model.config.thresholds, uncertain_below=uncertain_below(scaled)
    )
    model.config = dataclasses.replace(
        model.config, temperatures=calibration.temperatures, thresholds=thresholds
    )
    return model, calibration


def measure(
    model: MultimodalFER,
    corpus: str,
    fold: Fold,
    store: MediaStore,
    wanted: Modalities,
    count: Count = silent,
) -> list[Measurement]:
    """The test part of ``fold``, with all that its items have and with each modality alone.

    Each modality of those who have it: what nobody could see or hear is no wrong answer.
    """
    measurements = []
    for shown, modalities in ways(fold.test, wanted).items():
        on_batch = count(f"Measuring on {corpus}, {shown}")
        answers = evaluate(model, having(fold.test, modalities), store, modalities, on_batch)
        trial = Trial(corpus, fold.name, fold.description, fold.leaks_speakers, shown)
        measurements.append(Measurement.of(trial, answers.calibrated(model.config.temperatures)))
    return measurements


def describe(folder: Path, material: Sequence[Material], folds: Sequence[Fold]) -> None:
    """The command, the versions and the data, before anything is trained."""
    if (command := command_line()) is not None:
        write_text(f"{command}\n", folder / "command.txt")
    write_json(
        {
            "python": platform.python_version(),
            "machine": machine_name(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        folder / "versions.json",
    )
    write_json(
        [
            {
                **own.checked.as_json(),
                "fold": part.name,
                "description": part.description,
                "leaks_speakers": part.leaks_speakers,
                "train": {"n": len(part.train), "speakers": part.train_speakers},
                "validation": {"n": len(part.validation), "speakers": part.validation_speakers},
                "test": {"n": len(part.test), "speakers": part.test_speakers},
            }
            for own, part in zip(material, folds, strict=True)
        ],
        folder / "data.json",
    )


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
    write_text(model_card(facts), model_folder / "model_card.md")
    write_json([m.as_json() for m in facts.measurements], folder / METRICS_NAME)


def command_line() -> str | None:
    """What this process was called with; None where that is not ours, as in a notebook."""
    called, *arguments = sys.argv
    if Path(called).name == "train.py":
        return shlex.join(["python", called, *arguments])
    if Path(called) == Path(__file__).with_name("__main__.py"):
        return shlex.join(["python", "-m", "fer_core.training", *arguments])
    return None


def licence_of(corpora: Sequence[str]) -> str | None:
    """What may be done with weights that learnt from corpora under these licences, if it is known.

    Whether weights are bound by their corpora's terms is disputed; this is the careful reading.
    """
    if any("NC" in licence or "research" in licence for licence in corpora):
        return "research and other non-commercial use only, as the corpora demand"
    return None


def machine_name() -> str:
    """What the run ran on, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} threads of {platform.machine()}"


def answers_of_all(
    models: Sequence[MultimodalFER],
    items: Sequence[Item],
    cache: Path,
    wanted: Modalities,
    count: Count = silent,
) -> list[Answers]:
    """The calibrated answers of each model, to pictures framed as it wants them."""
    answers = []
    for model in models:
        store = MediaStore(cache / "media", model.config.vision)
        said = evaluate(model, items, store, wanted, count(f"Asking {model.config.name}"))
        answers.append(said.calibrated(model.config.temperatures))
    return answers


def ways(items: Sequence[Item], wanted: Modalities) -> dict[Shown, Modalities]:
    """What can be shown of ``items``: all they have, then each modality alone if they have both."""
    hears = wanted.audio and any(item.has_sound for item in items)
    sees = wanted.video and any(item.has_picture for item in items)
    possible = {"audio and video": hears and sees, "audio alone": hears, "video alone": sees}
    return {shown: MODALITIES[shown] for shown in SHOWN if possible[shown]}
