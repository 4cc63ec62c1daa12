"""Running one stage: its samples, its Trainer, and what is kept so that it can go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    ModelCheckpoint,
)
from torch.utils.data import DataLoader

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
from fer_core.errors import UserError
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.config import StageName, TrainingConfig
from fer_core.training.files import write_json
from fer_core.training.losses import class_weights
from fer_core.training.machine import Machine
from fer_core.training.progress import progress_callback
from fer_core.training.quiet import quiet_lightning
from fer_core.training.task import Heads, Task

VALIDATION_BATCH = 64
LAST, BEST = "last.ckpt", "best.ckpt"
HISTORY_NAME = "history.json"
Watch = Callable[[dict[str, Any]], None]
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
    watch: Watch | None = None  # told each epoch's row of the history; what it raises ends the run


def run_stage(setting: StageSetting, model: MultimodalFER, heads: Heads) -> list[dict[str, Any]]:
    """Train ``model`` and ``heads`` in place, from where the stage was interrupted if it was.

    Returns:
        The history: for each epoch its loss, scores and learning rate.

    Raises:
        UserError: there is nothing to train on, or the folder cannot be written.
        KeyboardInterrupt: Ctrl-C; what was reached is kept.
    """
    stage, config = setting.stage, setting.config
    train = _usable(setting.train, stage)
    if not train:
        raise UserError(
            f"The {stage} stage has nothing to learn from: no item of the corpora "
            f"{'has sound' if stage == 'audio' else 'has a face'} in the training part.",
            "Leave the stage out, or add a corpus.",
        )
    store = MediaStore(setting.cache / "media", model.config.vision)
    cutter = ClipCutter(store, model.config, model.audio_branch.mel_mean.cpu())
    samples = _samples(setting, train, model, store, cutter)
    batches = EpochBatches(
        samples.items,
        config.batch,
        setting.seed,
        curriculum_epochs=config.curriculum_epochs,
        rank=setting.machine.rank,
        processes=setting.machine.processes,
    )
    steps = max(len(batches) // config.accumulate, 1)
    validation = _usable(setting.validation, stage)
    windows = Windows(
        validation,
        EncodedWindows(model, store, cutter, setting.features) if stage == "fusion" else cutter,
        _HEARS_AND_SEES[stage],
        VALIDATION_BATCH,
    )
    shares = torch.tensor([item.shares for item in samples.items])
    weights = class_weights(shares) if config.class_weights else torch.ones(shares.shape[1])
    task = Task(model, heads, stage, config, weights, steps, validation)

    setting.folder.mkdir(parents=True, exist_ok=True)
    history = History(setting.folder / HISTORY_NAME, setting.watch)
    last = setting.folder / LAST
    with quiet_lightning():
        trainer = lightning.Trainer(
            **setting.machine.trainer_arguments(config.precision),
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
            callbacks=[
                SeedEachEpoch(setting.seed),
                *([EMAWeightAveraging(decay=config.ema)] if config.ema else []),
                history,
                *progress_callback(setting.machine.progress),
                *_checkpoints(setting.folder, config, bool(validation)),
            ],
        )
        trainer.fit(
            task,
            DataLoader(samples, sampler=batches, batch_size=None, **setting.machine.workers()),
            DataLoader(windows, batch_size=None, **setting.machine.workers())
            if validation
            else None,
            ckpt_path=last if last.exists() else None,
            weights_only=True,
        )
    if trainer.interrupted:
        raise KeyboardInterrupt
    if validation and (setting.folder / BEST).exists():
        best = torch.load(setting.folder / BEST, map_location="cpu", weights_only=True)
        task.load_state_dict(best["state_dict"])
    return history.rows


class SeedEachEpoch(Callback):
    """Dropout and mixing depend on the epoch alone, so that an interrupted run goes on the same."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: lightning.Trainer, task: Any) -> None:
        torch.manual_seed(
            (self._seed * 1_000_003 + trainer.current_epoch) * 64 + trainer.global_rank
        )


class History(Callback):
    """One row an epoch, kept in a file; on resuming it goes on where the checkpoint was taken."""

    def __init__(self, path: Path, watch: Watch | None) -> None:
        self._path, self._watch = path, watch
        self.rows: list[dict[str, Any]] = []

    def on_train_start(self, trainer: lightning.Trainer, task: Any) -> None:
        if trainer.current_epoch and self._path.exists():
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            self.rows = rows[: trainer.current_epoch]

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: Any) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        self.rows.append(
            {"stage": task.stage, "epoch": trainer.current_epoch, **metrics, "lr": rate}
        )
        if trainer.is_global_zero:
            write_json(self.rows, self._path)
        if self._watch is not None:
            self._watch(self.rows[-1])


def _usable(items: Sequence[Item], stage: StageName) -> list[Item]:
    if stage == "audio":
        return [item for item in items if item.has_sound]
    if stage == "visual":
        return [item for item in items if item.has_picture]
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
    source: SampleSource = FreshSamples(cutter, how)
    if setting.stage == "fusion":
        source = EncodedSamples(model, store, cutter, how, setting.features, config.views, seed)
    if setting.stage in ("audio", "visual"):
        return TrainingClips(train, source, _HEARS_AND_SEES[setting.stage], seed)
    return PairedClips(train, source, seed, config.modality_dropout)


class Keeping(ModelCheckpoint):
    """A checkpoint by name, in which its own state is found again whatever the others' settings."""

    def __init__(self, folder: Path, name: str, **when: Any) -> None:
        super().__init__(
            folder,
            filename=name,
            auto_insert_metric_name=False,
            enable_version_counter=False,
            **when,
        )

    @property
    def state_key(self) -> str:
        return f"{type(self).__name__}({self.filename})"


def _checkpoints(folder: Path, config: TrainingConfig, validates: bool) -> list[Callback]:
    """The last epoch's, every few epochs', and the best; and the end when nothing gets better."""
    callbacks: list[Callback] = [
        Keeping(folder, "epoch-{epoch:03d}", every_n_epochs=config.save_every, save_top_k=-1),
    ]
    if validates:
        callbacks.append(Keeping(folder, "best", monitor="val_uar", mode="max"))
        if config.patience:
            callbacks.append(EarlyStopping("val_uar", mode="max", patience=config.patience))
    # After the others, whose state is in it.
    callbacks.append(Keeping(folder, "last", save_on_train_epoch_end=True))
    return callbacks
