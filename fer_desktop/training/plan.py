"""What is to be trained, on what and from where, as people chose and as ``train.py`` is told."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from fer_core.resources import recipe
from fer_core.run_folder import METRICS_NAME, RUN_NAME
from fer_core.whole_file import whole
from fer_desktop.settings import DEVICES, Device, settings_path

LearntFrom = Literal["both", "audio", "video"]
LEARNT_FROM: tuple[LearntFrom, ...] = get_args(LearntFrom)
LEAKING = "random"  # the split with the same people in training and test


@dataclass(frozen=True, slots=True)
class Corpus:
    name: str  # as in ``fer_core.data.corpora.registry.CORPORA``
    folder: Path  # or the table of one's own recordings


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    corpora: tuple[Corpus, ...]  # at least one; the split is that of the first
    run: Path  # the folder of everything that comes of it
    split: str | None = None  # None: the usual one, people apart
    allow_missing: bool = False  # people that the split names may be missing
    learnt_from: LearntFrom = "both"
    begin_with: Path | None = None  # a model's folder; None: nothing was learnt before
    epochs: int | None = None  # of each stage; None: those of the recipe
    device: Device = "auto"

    def arguments(self) -> list[str]:
        """Of ``train.py``. The same plan gives the same ones, by which a run is gone on with."""
        recipe_name = "compact.yaml" if self.begin_with is None else "own-recordings.yaml"
        arguments = ["fit", "--config", str(recipe(recipe_name)), "--out", str(self.run)]
        for corpus in self.corpora:
            arguments += ["--corpus", corpus.name, "--data", str(corpus.folder)]
        if self.split is not None:
            arguments += ["--split", self.split]
        if self.split == LEAKING:
            arguments += ["--set", "validation_speakers=0"]  # there may be one person alone
        if self.allow_missing:
            arguments.append("--allow-missing")
        if self.learnt_from != "both":
            arguments += ["--modalities", self.learnt_from]
        if self.begin_with is not None:
            arguments += ["--start-from", str(self.begin_with)]
        if self.epochs is not None:
            arguments += ["--epochs", str(self.epochs)]
        return [*arguments, "--device", self.device, "--progress", "jsonl"]

    @property
    def model(self) -> Path:
        """The folder of the trained model, once there is one."""
        return self.run / "model"

    @property
    def is_begun(self) -> bool:
        return os.path.exists(self.run / RUN_NAME)

    @property
    def is_finished(self) -> bool:
        return os.path.exists(self.run / METRICS_NAME)

    def as_json(self) -> dict[str, Any]:
        return {
            "corpora": [{"name": own.name, "folder": str(own.folder)} for own in self.corpora],
            "run": str(self.run),
            "split": self.split,
            "allow_missing": self.allow_missing,
            "learnt_from": self.learnt_from,
            "begin_with": None if self.begin_with is None else str(self.begin_with),
            "epochs": self.epochs,
            "device": self.device,
        }

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Raises:
        ValueError, KeyError, TypeError: it is not what :meth:`as_json` makes.
        """
        learnt_from, device, epochs = values["learnt_from"], values["device"], values["epochs"]
        if learnt_from not in LEARNT_FROM or device not in DEVICES or not values["corpora"]:
            raise ValueError("no such plan")
        begin_with, split = values["begin_with"], values["split"]
        return cls(
            corpora=tuple(Corpus(str(o["name"]), Path(o["folder"])) for o in values["corpora"]),
            run=Path(values["run"]),
            split=None if split is None else str(split),
            allow_missing=bool(values["allow_missing"]),
            learnt_from=learnt_from,
            begin_with=None if begin_with is None else Path(begin_with),
            epochs=None if epochs is None else int(epochs),
            device=device,
        )


def plan_path() -> Path:
    return settings_path().with_name("training.json")


def last_plan() -> TrainingPlan | None:
    """The one that was begun last, also by an earlier start of the program."""
    try:
        return TrainingPlan.from_json(json.loads(plan_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(plan: TrainingPlan) -> None:
    """For :func:`last_plan`; where nothing can be written it is forgotten with the window."""
    with contextlib.suppress(OSError), whole(plan_path()) as draft:
        draft.write_text(json.dumps(plan.as_json(), indent=2) + "\n", encoding="utf-8")
