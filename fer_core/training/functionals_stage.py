"""The stage that judges voices as a whole: one system of equations instead of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.datasets import Draw, FreshSamples, TrainingClips
from fer_core.data.item import Item
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.model.functionals import FUNCTIONALS, melody
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.files import write_json
from fer_core.training.stage import HISTORY_NAME, StageSetting
from fer_core.training.strangers import shares_of, told_of_strangers

CLIPS_AT_ONCE = 32
MOST_CLIPS = 100_000  # whose functionals take 1.7 GB; where there are more voices, fewer views do


def having_functionals(model: MultimodalFER) -> MultimodalFER:
    """``model``, or where it has no functionals its like that has, and says nothing of them yet."""
    if model.config.audio.functionals:
        return model
    audio = replace(model.config.audio, functionals=True)
    other = MultimodalFER(replace(model.config, audio=audio))
    other.load_state_dict(model.state_dict(), strict=False)
    return other.eval()


def fit_functionals(setting: StageSetting, model: MultimodalFER) -> list[dict[str, Any]]:
    """Fit the discriminant of ``model`` in place, on ``views`` varied clips of each voice.

    Of many voices it is on fewer, but one of each: ``MOST_CLIPS`` of all together.

    How sure it may be is found on speakers who did not teach it, within the training part.

    Returns:
        The history: one row, with the loss on those speakers, if there are several.

    Raises:
        UserError: there is nothing to learn from, or the network has no functionals.
    """
    branch = model.audio_branch
    if branch.discriminant is None:
        raise UserError(
            "The network has no functionals to fit.",
            "Add --set model.audio.functionals=true, or leave the stage out.",
        )
    voices = [item for item in setting.train if item.has_sound and item.face is None]
    numbers, items = _heard(setting, model, voices)
    if not items:
        raise UserError(
            "The functionals stage has nothing to learn from: no item of the corpora is heard "
            "in the training part.",
            "Leave the stage out, or add a corpus.",
        )
    told = told_of_strangers(numbers, items, melody())
    branch.discriminant.fit(numbers, shares_of(items), melody())
    row: dict[str, Any] = {"stage": "functionals", "epoch": 0, "lr": 0.0}
    if told is not None:
        _, found = told
        branch.discriminant.temper(found.temperature)
        row["loss"] = found.nll_after
    if setting.machine.rank == 0:
        write_json([row], setting.folder / HISTORY_NAME)
    if setting.on_epoch is not None:
        setting.on_epoch(row)
    return [row]


@torch.inference_mode()
def _heard(
    setting: StageSetting, model: MultimodalFER, voices: Sequence[Item]
) -> tuple[Tensor, list[Item]]:
    """(A, N) functionals of varied clips in which somebody is heard, and whose they are."""
    config, machine = setting.config, setting.machine
    branch = model.audio_branch
    store = MediaStore(setting.cache / "media", model.config.vision)
    cutter = ClipCutter(store, model.config, branch.spectra_mean.cpu())
    how = config.augmentation if config.augment else None
    source = FreshSamples(cutter, how, config.going_on, voices)
    clips = TrainingClips(voices, source, Modalities(video=False), setting.seed)
    views = max(min(config.views, MOST_CLIPS // max(len(voices), 1)), 1)
    draws = [Draw(view, place) for view in range(views) for place in range(len(voices))]
    batches = [draws[i : i + CLIPS_AT_ONCE] for i in range(0, len(draws), CLIPS_AT_ONCE)]
    loader = DataLoader(clips, sampler=batches, batch_size=None, **machine.loader_arguments())
    count = machine.count("Hearing the voices")
    numbers = torch.empty(len(draws), FUNCTIONALS)
    items: list[Item] = []
    for done, (batch, own) in enumerate(zip(loader, batches, strict=True), start=1):
        there = batch.audio_mask.any(1)
        if batch.spectra is not None and there.any():
            of_these = branch.whole_clip(batch.spectra[there], batch.audio_mask[there])
            numbers[len(items) : len(items) + len(of_these)] = of_these
            heard = zip(own, there.tolist(), strict=True)
            items += [voices[draw.place] for draw, is_heard in heard if is_heard]
        count(done, len(batches))
    return numbers[: len(items)], items
