"""What a run says while it goes: a bar for people, or a JSON object a line for programs."""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any, Literal, TextIO

import lightning
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from fer_core.data.batch import Batch
from fer_core.training.task import Task

ProgressKind = Literal["bar", "jsonl", "none"]
LINE_SECONDS = 1.0  # between two lines inside an epoch


class StageProgress(Callback):
    """Counts the batches of a stage and estimates what is left from the pace so far."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._done = self._total = self._begun_with = 0
        self._began_s = 0.0

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        batches = int(trainer.num_training_batches)
        self._total = batches * (trainer.max_epochs or 0)
        self._done = self._begun_with = batches * trainer.current_epoch  # more than 0 on resuming
        self._began_s = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        task: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        index: int,
    ) -> None:
        self._done += 1
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self.stepped(trainer, task, float(loss))

    def stepped(self, trainer: Any, task: Any, loss: float) -> None:
        """A batch is done."""

    def seconds_left(self) -> float | None:
        """Of this stage, if it is not stopped early; None before the first batch."""
        fresh = self._done - self._begun_with
        if not fresh:
            return None
        return (time.monotonic() - self._began_s) / fresh * (self._total - self._done)


class Bar(StageProgress):
    """One bar for a stage, with its last scores."""

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        super().on_train_start(trainer, task)
        assert isinstance(task, Task)
        self._bar = tqdm(
            total=self._total,
            initial=self._done,
            desc=task.stage,
            file=self._out,
            dynamic_ncols=True,
            mininterval=0.5,
            disable=not trainer.is_global_zero,
        )

    def stepped(self, trainer: Any, task: Any, loss: float) -> None:
        self._bar.update()
        scores = {name: f"{value:.3f}" for name, value in metrics_of(trainer).items()}
        epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
        self._bar.set_postfix({"epoch": epoch, **scores}, refresh=False)

    def on_train_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self._bar.close()

    def on_exception(
        self, trainer: lightning.Trainer, task: lightning.LightningModule, exception: BaseException
    ) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()


class JsonLines(StageProgress):
    """One object a line, about every second and at the end of each epoch."""

    _last_s = -math.inf

    def stepped(self, trainer: Any, task: Any, loss: float) -> None:
        now = time.monotonic()
        if now - self._last_s >= LINE_SECONDS:
            self._last_s = now
            self._say(trainer, task, "step", loss)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, task: lightning.LightningModule
    ) -> None:
        loss = float(trainer.callback_metrics.get("loss", math.nan))
        self._say(trainer, task, "epoch", loss)

    def _say(self, trainer: Any, task: Any, event: str, loss: float) -> None:
        if not trainer.is_global_zero:
            return
        left = self.seconds_left()
        line = {
            "event": event,
            "stage": task.stage,
            "epoch": trainer.current_epoch,
            "epochs": trainer.max_epochs,
            "step": self._done,
            "steps": self._total,
            "loss": loss if math.isfinite(loss) else None,
            "metrics": metrics_of(trainer),
            "seconds_left": None if left is None else round(left, 1),
        }
        print(json.dumps(line), file=self._out, flush=True)


def progress_callback(kind: ProgressKind) -> list[Callback]:
    """The callback for ``kind``; lines go to standard output, a bar to standard error."""
    if kind == "jsonl":
        return [JsonLines(sys.stdout)]
    return [Bar(sys.stderr)] if kind == "bar" else []


def metrics_of(trainer: lightning.Trainer) -> dict[str, float]:
    """The last scores of the validation."""
    metrics = trainer.callback_metrics
    return {name: float(value) for name, value in metrics.items() if name.startswith("val_")}
