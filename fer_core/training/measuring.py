"""A model's answers about items: calibrated, and scored with each modality alone as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from fer_core.data.clips import Modalities
from fer_core.data.item import Item
from fer_core.data.splits import Fold
from fer_core.data.store import MediaStore
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.calibration import Calibration, calibrate, uncertain_below
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.measurement import SHOWN, Measurement, Shown, Trial
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.counting import Count, silent
from fer_core.training.material import having

MODALITIES: dict[Shown, Modalities] = {
    "audio and video": Modalities(),
    "audio alone": Modalities(video=False),
    "video alone": Modalities(audio=False),
}


def ways(items: Sequence[Item], wanted: Modalities) -> dict[Shown, Modalities]:
    """What can be shown of ``items``: all they have, then each modality alone if they have both."""
    hears = wanted.audio and any(item.has_sound for item in items)
    sees = wanted.video and any(item.has_picture for item in items)
    possible = {"audio and video": hears and sees, "audio alone": hears, "video alone": sees}
    return {shown: MODALITIES[shown] for shown in SHOWN if possible[shown]}


def calibrated(
    model: MultimodalFER,
    validation: Sequence[Item],
    store: MediaStore,
    wanted: Modalities,
    count: Count = silent,
) -> tuple[MultimodalFER, Calibration | None]:
    """``model`` with the temperatures that suit its answers about ``validation``.

    With everything, and with each modality alone, because each combination has its own; who has
    one alone is asked once. What nobody was asked about stays as it was, such as a face's answers
    where only voices were trained on; and the whole model where there is no validation, or so
    little that not one temperature was found for windows.
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
    calibration = calibrate(answers, model.config.temperatures)
    if not any(calibration.clip.fits.values()):
        return model, None
    scaled = [one.calibrated(calibration.temperatures) for one in answers]
    thresholds = model.config.thresholds
    doubt = uncertain_below(scaled, thresholds.uncertain_below)
    thresholds = dataclasses.replace(thresholds, uncertain_below=doubt)
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
