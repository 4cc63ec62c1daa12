"""Running one stage: its samples, its Trainer, and what is kept so that it can go on."""

from __future__ import annotations

import copy
import math
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging
from torch.utils.data import DataLoader

from fer_core.data.batch import Batch
from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.datasets import (
    EpochBatches,
    FreshSamples,
    PairedClips,
    SampleSource,
    TrainingClips,
    Windows,
)
from fer_core.data.features import EncodedSamples, EncodedWindows
from fer_core.data.item import Item
from fer_core.data.store import MediaStore
from fer_core.data.targets import Targets
from fer_core.errors import UserError
from fer_core.evaluation.evaluate import WINDOWS_AT_ONCE
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.checkpoints import (
    BEST,
    LAST,
    WholeCheckpoints,
    checkpoint_callbacks,
    load_kept,
)
from fer_core.training.config import StageName, TrainingConfig
from fer_core.training.files import write_json
from fer_core.training.losses import class_weights, seen_prior
from fer_core.training.machine import Machine
from fer_core.training.progress import progress_callback
from fer_core.training.quiet import quiet_lightning
from fer_core.training.strangers import tell_as_of_strangers
from fer_core.training.task import Contrast, Task
from fer_core.training.trained_parts import TRAINED

HISTORY_NAME = "history.json"
OnEpoch = Callable[[dict[str, Any]], None]
_HEARS_AND_SEES = {
    "audio": Modalities(video=False),
    "visual": Modalities(audio=False),
    "fusion": Modalities(),
    "joint": Modalities(),
}


@dataclass(frozen=True)
class StageSetting:
    """What a stage needs beside the network."""

    stage: StageName
    config: TrainingConfig
    train: Sequence[Item]
    validation: Sequence[Item]
    cache: Path
    folder: Path
    seed: int
    machine: Machine
    features: Path  # where encoded samples are kept
    on_epoch: OnEpoch | None = (
        None  # told each epoch's row of the history; what it raises ends the run
    )


def run_stage(
    setting: StageSetting, model: MultimodalFER, contrast: Contrast
) -> list[dict[str, Any]]:
    """Train ``model`` and ``contrast`` in place, from where the stage was interrupted if it was.

    Returns:
        The history: for each epoch its loss, scores and learning rate.

    Raises:
        UserError: there is nothing to train on, or the folder cannot be written.
        KeyboardInterrupt: Ctrl-C; what was reached is kept.
    """
    stage, config = setting.stage, setting.config
    if setting.machine.shards and stage == "fusion":
        # Its frozen encoders encode between the steps, for which they must be whole.
        setting = replace(setting, machine=replace(setting.machine, strategy="ddp"))
    train = _usable(setting.train, stage)
    if not train:
        raise UserError(
            f"The {stage} stage has nothing to learn from: no item of the corpora "
            f"{'has sound' if stage == 'audio' else 'has a face'} in the training part.",
            "Leave the stage out, or add a corpus.",
        )
    if stage == "fusion" and not (
        any(item.has_sound for item in train) and any(item.has_picture for item in train)
    ):
        raise UserError(
            "The fusion stage joins voices and faces, and the training part lacks one of them.",
            "Name other --stages, such as audio or visual, or add a corpus with the other.",
        )
    store = MediaStore(setting.cache / "media", model.config.vision)
    cutter = ClipCutter(store, model.config, model.audio_branch.spectra_mean.cpu())
    samples = _samples(setting, train, model, store, cutter)
    batches = _batches(setting, samples.items)
    validation = _usable(setting.validation, stage)
    windows = Windows(
        validation,
        EncodedWindows(model, store, cutter, setting.features) if stage == "fusion" else cutter,
        _HEARS_AND_SEES[stage],
        WINDOWS_AT_ONCE,
    )
    shares = torch.tensor([item.shares for item in samples.items])
    weights = class_weights(shares) if config.class_weights else torch.ones(shares.shape[1])
    faces = [item for item in train if item.has_picture]
    if faces and "video_head" in TRAINED[stage]:
        # Weights that are those of voices say nothing of the faces beside them.
        own = weights if faces[0] in samples.items else torch.ones_like(weights)
        model.face_prior.copy_(seen_prior(Targets.of(faces), own))
    steps = math.ceil(len(batches) / config.accumulate)  # the last one of what is left
    task = Task(model, contrast, stage, config, weights, steps, validation)

    setting.folder.mkdir(parents=True, exist_ok=True)
    history = History(setting.folder / HISTORY_NAME, setting.on_epoch)
    last, best = setting.folder / LAST, setting.folder / BEST
    if last.exists():
        load_kept(last)  # before hours are spent
        if best.exists():
            load_kept(best)
    with quiet_lightning():
        trainer = _trainer(setting, batches, history, bool(validation))
        # What is encoded is encoded by the network itself, and then only looked up.
        loading = {} if stage == "fusion" else setting.machine.loader_arguments()
        _fit(
            trainer,
            # FSDP takes the weights apart, and leaves them so.
            copy.deepcopy(task) if setting.machine.shards else task,
            DataLoader(samples, sampler=batches, batch_size=None, **loading),
            DataLoader(windows, batch_size=None, **loading) if validation else None,
            last if last.exists() else None,
        )
    kept = load_kept(best if best.exists() else last)
    task.load_state_dict(kept["state_dict"])  # averaged, where they are
    return history.rows


def _batches(setting: StageSetting, items: Sequence[Item]) -> EpochBatches:
    """Raises:
    UserError: there are fewer items than processes.
    """
    machine = setting.machine
    batches = EpochBatches(
        items,
        setting.config.batch,
        setting.seed,
        curriculum_epochs=setting.config.curriculum_epochs,
        rank=machine.rank,
        processes=machine.processes,
    )
    if not len(batches):
        raise UserError(
            f"The {setting.stage} stage has too few items for {machine.processes} processes.",
            "Use fewer, or a larger --batch.",
        )
    return batches


def _trainer(
    setting: StageSetting, batches: EpochBatches, history: History, validates: bool
) -> lightning.Trainer:
    config = setting.config
    callbacks: list[Callback] = [EpochStart(setting.seed, batches)]
    if config.ema:
        # Buffers are copied: to average whole numbers would change them.
        callbacks.append(EMAWeightAveraging(decay=config.ema, use_buffers=False))
    callbacks += [history, *progress_callback(setting.machine.progress)]
    callbacks += checkpoint_callbacks(setting.folder, config, validates)
    arguments = setting.machine.trainer_arguments(config.precision)
    plugins = [*arguments.pop("plugins", []), WholeCheckpoints()]
    return lightning.Trainer(
        **arguments,
        max_epochs=config.epochs,
        accumulate_grad_batches=config.accumulate,
        gradient_clip_val=config.clip_norm or None,
        check_val_every_n_epoch=config.validate_every,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=setting.machine.loggers(setting.folder),
        log_every_n_steps=1,
        plugins=plugins,
        callbacks=callbacks,
    )


def _fit(
    trainer: lightning.Trainer,
    task: Task,
    samples: DataLoader[Batch],
    windows: DataLoader[tuple[Batch, list[int]]] | None,
    resumed: Path | None,
) -> None:
    """Raises:
    KeyboardInterrupt: Ctrl-C or a request to end; Lightning would end the process by itself.
    """
    heard = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(task, samples, windows, ckpt_path=resumed, weights_only=True)
    except UserError as error:
        raise _as_it_was_said(error) from error
    except SystemExit:
        signal.signal(signal.SIGINT, heard)  # which Lightning has set to be ignored
        raise KeyboardInterrupt from None


def _as_it_was_said(error: UserError) -> UserError:
    """Without the traceback that torch puts before what a worker process raised."""
    *before, said = error.text.rsplit(f"{UserError.__name__}: ", 1)
    return UserError(said.strip()) if before and "Original Traceback" in before[0] else error


class EpochStart(Callback):
    """What is random in an epoch depends on its number alone: an interrupted run goes on the same.

    Lightning gives a resumed run's first epoch neither its beginning nor its number to the sampler.
    """

    def __init__(self, seed: int, batches: EpochBatches) -> None:
        self._seed, self._batches = seed, batches

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, task: Any, checkpoint: dict[str, Any]
    ) -> None:
        self._batches.set_epoch(checkpoint["epoch"] + 1)

    def on_train_batch_start(
        self, trainer: lightning.Trainer, task: Any, batch: Batch, index: int
    ) -> None:
        if index == 0:
            torch.manual_seed(
                (self._seed * 1_000_003 + trainer.current_epoch) * 64 + trainer.global_rank
            )


class History(Callback):
    """One row an epoch, kept in a file for people and in the checkpoints for going on."""

    def __init__(self, path: Path, on_epoch: OnEpoch | None) -> None:
        self._path, self._on_epoch = path, on_epoch
        self._validated = False
        self.rows: list[dict[str, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_validation_epoch_end(self, trainer: lightning.Trainer, task: Any) -> None:
        self._validated = True

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: Any) -> None:
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if self._validated or not name.startswith("val_")  # which else are an earlier epoch's
        }
        self._validated = False
        rate = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        self.rows.append(
            {"stage": task.stage, "epoch": trainer.current_epoch, **metrics, "lr": rate}
        )
        if trainer.is_global_zero:
            write_json(self.rows, self._path)
        if self._on_epoch is not None:
            self._on_epoch(self.rows[-1])


def _usable(items: Sequence[Item], stage: StageName) -> list[Item]:
    if stage == "audio":
        return [item for item in items if item.has_sound and item.face is None]
    if stage == "visual":
        return [item for item in items if item.has_picture and item.face is None]
    return list(items)


def _samples(
    setting: StageSetting,
    train: Sequence[Item],
    model: MultimodalFER,
    store: MediaStore,
    cutter: ClipCutter,
) -> TrainingClips | PairedClips:
    config, seed = setting.config, setting.seed
    how = config.augmentation if config.augment else None
    source: SampleSource = FreshSamples(cutter, how, config.going_on, train)
    if setting.stage == "fusion":
        source = EncodedSamples(model, store, cutter, how, setting.features, config.views, seed)
        if model.config.audio.functionals:
            tell_as_of_strangers(source, _usable(train, "audio"), setting.machine.count)
    if setting.stage in ("audio", "visual"):
        return TrainingClips(train, source, _HEARS_AND_SEES[setting.stage], seed)
    return PairedClips(train, source, seed, config.modality_dropout, config.at_rest)
