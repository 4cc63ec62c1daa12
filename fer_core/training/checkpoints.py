"""What is kept of a stage: its last epoch, its best, and every few; and when it ends early."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath  # which knows both kinds of slashes
from pickle import UnpicklingError
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from fer_core.errors import UserError
from fer_core.training.config import TrainingConfig
from fer_core.whole_file import whole

LAST, BEST = "last.ckpt", "best.ckpt"
# Not by UAR, which a few faces of a rare emotion decide: an epoch of 0.79 WAR would be kept over a
# later one of 0.83.
JUDGED_BY = "val_loss"


def checkpoint_callbacks(folder: Path, config: TrainingConfig, validates: bool) -> list[Callback]:
    """The last epoch's, every few epochs', and the best; and the end when nothing gets better."""
    callbacks: list[Callback] = [
        Keeping(
            folder,
            "epoch-{epoch:03d}",
            every_n_epochs=config.save_every,
            save_top_k=-1,
            save_on_train_epoch_end=True,
        ),
    ]
    if validates:
        callbacks.append(Keeping(folder, Path(BEST).stem, monitor=JUDGED_BY, mode="min"))
        if config.patience:
            callbacks.append(Stopping(JUDGED_BY, mode="min", patience=config.patience))
    # After the others, whose state is in it.
    callbacks.append(Keeping(folder, Path(LAST).stem, save_on_train_epoch_end=True))
    return callbacks


def load_kept(path: Path) -> dict[str, Any]:
    """A checkpoint, on the CPU.

    Raises:
        UserError: it is damaged.
    """
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, UnpicklingError) as error:
        raise UserError(
            f"The checkpoint {path} is damaged.",
            f"Put another of {path.parent} in its place, or remove all: the stage then begins "
            "anew.",
        ) from error
    return kept


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

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Of a folder that was moved or copied too, whose best Lightning would forget."""
        best = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        moved = {name: self._here(state_dict[name]) for name in paths}
        super().load_state_dict(
            {**state_dict, **moved, "best_k_models": best, "dirpath": self.dirpath}
        )

    def _here(self, path: str) -> str:
        """``path``, perhaps of another system, in this folder; of none, none."""
        return str(Path(self.dirpath or "") / PureWindowsPath(path).name) if path else path


class Stopping(EarlyStopping):
    """Early stopping that remembers: killed right after, the stage does not begin another epoch."""

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        trainer.should_stop = self.stopped_epoch > 0


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the old checkpoint and renames: a crash leaves the one or the other.

    Lightning writes to the system's temporary folder and moves from there, which copies where that
    is another disk; killed meanwhile, it leaves half a checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Raises:
        UserError: the folder cannot be written, or is full.
        """
        path = Path(path)
        try:
            with whole(path) as draft, draft.open("wb") as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:  # the latter from torch's writer on a full disk
            raise UserError(
                f"The checkpoint {path} cannot be written: {error}.",
                "Make room there; the same command then goes on from the last one.",
            ) from error
