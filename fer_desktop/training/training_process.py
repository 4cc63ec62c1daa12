"""A training in a process of its own. Stopped or killed, a plan goes on from its last epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal

from fer_desktop.command_process import CommandProcess
from fer_desktop.training.plan import TrainingPlan

MODULE = "fer_core.training"


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str  # "audio", "visual", "fusion" or "joint"
    epoch: int  # from 0
    epochs: int
    step: int  # of the whole stage
    steps: int
    loss: float | None  # of the last batch, or of the epoch
    metrics: dict[str, float]  # of the last validation: "val_uar", "val_loss" ...
    seconds_left: float | None  # of the stage
    ends_epoch: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What has no epochs, such as opening files and measuring."""

    what: str  # in words for people
    done: int
    total: int
    seconds_left: float


class TrainingProcess(CommandProcess):
    progress = Signal(object)  # Progress
    worked = Signal(object)  # Work

    NAME = "training"
    SPEAKER = "train.py: "
    KEPT = "Everything up to the last epoch is kept; press Go on to continue from there."

    def start(self, plan: TrainingPlan) -> None:
        """Begin ``plan``, or go on with it."""
        self._run(MODULE, plan.arguments())

    def _tell(self, told: dict[str, Any]) -> None:
        how_far = _work(told) if told["event"] == "work" else _progress(told)
        if not self.stops:  # what is shown then is that it stops
            (self.worked if isinstance(how_far, Work) else self.progress).emit(how_far)


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(
        told["stage"], told["epoch"], told["epochs"], told["step"], told["steps"],
        told["loss"], told["metrics"], told["seconds_left"], told["event"] == "epoch",
    )  # fmt: skip


def _work(told: dict[str, Any]) -> Work:
    return Work(told["what"], told["done"], told["total"], told["seconds_left"])
