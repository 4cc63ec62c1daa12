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
from fer_core.evaluation.answers import emotions_of, groups_of
from fer_core.evaluation.calibration import LabelledLogits
from fer_core.evaluation.calibration import fit as calibrated
from fer_core.labels import CLASSES
from fer_core.model.discriminant import LinearDiscriminant
from fer_core.model.functionals import FUNCTIONALS
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.files import write_json
from fer_core.training.stage import HISTORY_NAME, StageSetting

CLIPS_AT_ONCE = 32
GROUPS = 4  # of speakers; each is judged by what the others taught


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
    shares = torch.stack([_emotions(item) for item in items])
    strangers = _about_strangers(numbers, shares, items)
    branch.discriminant.fit(numbers, shares)
    row: dict[str, Any] = {"stage": "functionals", "epoch": 0, "lr": 0.0}
    if strangers is not None:
        found = calibrated(strangers)
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
    draws = [Draw(view, place) for view in range(config.views) for place in range(len(voices))]
    batches = [draws[i : i + CLIPS_AT_ONCE] for i in range(0, len(draws), CLIPS_AT_ONCE)]
    loader = DataLoader(clips, sampler=batches, batch_size=None, **machine.loader_arguments())
    count = machine.count("Hearing the voices")
    numbers: list[Tensor] = []
    items: list[Item] = []
    for done, (batch, own) in enumerate(zip(loader, batches, strict=True), start=1):
        there = batch.audio_mask.any(1)
        if batch.spectra is not None and there.any():
            numbers.append(branch.whole_clip(batch.spectra[there], batch.audio_mask[there]))
            heard = zip(own, there.tolist(), strict=True)
            items += [voices[draw.place] for draw, is_heard in heard if is_heard]
        count(done, len(batches))
    return torch.cat(numbers) if numbers else torch.zeros(0, FUNCTIONALS), items


def _about_strangers(
    numbers: Tensor, shares: Tensor, items: Sequence[Item]
) -> LabelledLogits | None:
    """What is said of each speaker by what others taught; None if there are no others.

    An emotion that no other showed is left out: of it nobody could have told, however unsure.
    """
    speakers = sorted({item.speaker or item.key for item in items})
    if len(speakers) < GROUPS:
        return None
    group_of = {speaker: place % GROUPS for place, speaker in enumerate(speakers)}
    group = torch.tensor([group_of[item.speaker or item.key] for item in items])
    logits = torch.zeros(len(items), CLASSES)
    tellable = torch.zeros(len(items), dtype=torch.bool)
    for one in range(GROUPS):
        own, others = group == one, group != one
        taught = LinearDiscriminant(numbers.shape[1])
        taught.fit(numbers[others], shares[others])
        logits[own] = taught(numbers[own])
        tellable[own] = shares[own][:, shares[others].sum(0) == 0].sum(1) == 0
    if not tellable.any():
        return None
    told = [item for item, can in zip(items, tellable.tolist(), strict=True) if can]
    heard = torch.ones(len(told), dtype=torch.bool)
    return LabelledLogits(
        logits[tellable].double(),
        groups_of(told),
        emotions_of(told),
        heard,
        torch.zeros_like(heard),
    )


def _emotions(item: Item) -> Tensor:
    """(C,): the shares of its label, those of a group divided equally among its emotions."""
    groups = torch.tensor(item.groups)
    return torch.tensor(item.shares)[groups] / groups.bincount(minlength=CLASSES)[groups]
