"""Everything that decides how a run goes, and its form as YAML.

A run has a network (``fer_core.config.FERConfig``), a corpus and its split, and stages. What a
stage says of itself wins over what is said for all: ``stages.audio.epochs`` over
``training.epochs``. The defaults are those of ``configs/guide.yaml``.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from fer_core.config import PRESETS, FERConfig, Preset
from fer_core.data.clips import Augmentation
from fer_core.errors import UserError
from fer_core.typed_values import read_section

StageName = Literal["audio", "functionals", "visual", "fusion", "joint"]
STAGES: tuple[StageName, ...] = typing.get_args(StageName)
Schedule = Literal["cosine", "cosine_restarts", "plateau"]


# Names of settings, and what they must be.
_LIMITS: tuple[tuple[tuple[str, ...], Callable[[float], bool], str], ...] = (
    (
        (
            "epochs", "batch", "accumulate", "views", "validate_every", "save_every",
            "restart_epochs", "restart_factor",
        ),
        lambda value: value >= 1,
        "1 or more",
    ),
    (
        ("warmup_epochs", "plateau_patience", "curriculum_epochs", "patience"),
        lambda value: value >= 0,
        "0 or more",
    ),
    (
        ("lr_end", "label_smoothing", "mix_share", "modality_dropout", "at_rest", "going_on"),
        lambda value: 0 <= value <= 1,
        "0 to 1",
    ),
    (("ema", "plateau_factor"), lambda value: 0 <= value < 1, "0 or more and less than 1"),
    (
        (
            "weight_decay", "clip_norm", "mixup", "cutmix", "segment_loss", "auxiliary_loss",
            "division_loss", "contrastive_loss",
        ),
        lambda value: 0 <= value < math.inf,
        "0 or more and finite",
    ),
    (
        (
            "lr", "fusion_lr", "classifier_lr", "branch_lr", "vote_power",
            "contrastive_temperature",
        ),
        lambda value: 0 < value < math.inf,
        "above 0 and finite",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class TrainingConfig:
    """How one stage learns."""

    epochs: int = 100
    batch: int = 4  # clips of all processes together
    accumulate: int = 4  # batches to a step of the optimiser
    lr: float = 1e-4  # of the audio and the visual stage
    fusion_lr: float = 5e-5  # of the fusion
    classifier_lr: float = 1e-4
    branch_lr: float = 1e-5  # of the branches; in the fusion stage of the face's last layers alone
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    schedule: Schedule = "cosine_restarts"
    warmup_epochs: int = 5
    # The share of the learning rate that a single cosine ends at. Above zero the weights keep
    # moving, and their average (see ema) lies where it is flat (Izmailov et al. 2018).
    lr_end: float = 0.0
    restart_epochs: int = 10  # to the first restart
    restart_factor: int = 2  # each period is that many times the one before
    plateau_patience: int = 5  # epochs in which the training loss does not fall; no warm-up
    plateau_factor: float = 0.5
    label_smoothing: float = 0.1
    # Votes are raised to it. Who learns shares as they are is less sure than the majority is right,
    # and sharpening the answers afterwards wrongs emotions that share a label (neutral and calm).
    vote_power: float = 1.0
    class_weights: bool = True  # by the inverse of how often an emotion occurs
    segment_loss: float = 0.3
    auxiliary_loss: float = 0.3  # of each modality's own answer
    division_loss: float = 0.1  # of what a face says where its label does not tell two apart
    contrastive_loss: float = 0.1
    contrastive_temperature: float = 0.07
    mixup: float = 0.2  # alpha of the beta distribution (Zhang et al. 2018); 0 is off
    cutmix: float = 1.0  # alpha (Yun et al. 2019), for single pictures; 0 is off
    mix_share: float = 0.5  # of the batches are mixed, by one of the two
    modality_dropout: float = 0.3
    at_rest: float = 0.0  # share of the pairs in which either the face or the voice is neutral
    going_on: float = 0.0  # share of the voices that are several utterances, cut anywhere
    curriculum_epochs: int = 0  # in which only easier clips are shown
    augment: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
    views: int = 8  # of each item, of which frozen encoders' features are kept
    patience: int = 15  # validations that are no better before the stage ends; 0 is never
    ema: float = 0.0  # decay of the moving average of weights that is kept; 0 is none
    gradient_checkpointing: bool = False
    precision: Literal["auto", "32", "bf16", "16"] = "auto"  # auto: bf16 where it is the faster
    validate_every: int = 1
    save_every: int = 5

    def __post_init__(self) -> None:
        for names, right, says in _LIMITS:
            for name in names:
                value = getattr(self, name)
                if not right(value):
                    raise ValueError(f"{name} is {value}, must be {says}")


@dataclass(frozen=True)
class RunConfig:
    """One run, from the corpora to the exported model."""

    model: FERConfig = field(default_factory=lambda: FERConfig.preset("compact"))
    training: TrainingConfig = field(default_factory=TrainingConfig)
    stages: dict[str, TrainingConfig] = field(default_factory=dict)
    seed: int = 0
    validation_speakers: int = 0  # taken out of the training part where the split names none

    def of_stage(self, stage: StageName) -> TrainingConfig:
        return self.stages.get(stage, self.training)

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_values(cls, values: Any) -> Self:
        """From what a YAML file says: ``preset`` and changes to it, each section by its fields.

        Raises:
            ValueError: what is unknown or of the wrong type, named by its path.
        """
        if not isinstance(values, dict):
            raise ValueError("expected sections such as `training:`")
        known = {"preset", "model", "training", "stages", "seed", "validation_speakers"}
        if unknown := values.keys() - known:
            raise ValueError(f"unknown {', '.join(sorted(map(str, unknown)))}")
        preset: Preset = values.get("preset", "compact")
        if preset not in PRESETS:
            raise ValueError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
        base = FERConfig.preset(preset).as_json()
        model = FERConfig.from_json(_merged(base, values.get("model") or {}, "model"))
        usual = dataclasses.asdict(TrainingConfig())
        general = _merged(usual, values.get("training") or {}, "training")
        training = read_section(TrainingConfig, general, "training")
        stages: dict[str, TrainingConfig] = {}
        for stage, own in _merged({}, values.get("stages") or {}, "stages").items():
            if stage not in STAGES:
                raise ValueError(f"stages: no stage {stage!r}; there are {', '.join(STAGES)}")
            whole = _merged(dataclasses.asdict(training), own or {}, f"stages.{stage}")
            stages[stage] = read_section(TrainingConfig, whole, f"stages.{stage}")
        seed, speakers = values.get("seed", 0), values.get("validation_speakers", 0)
        for name, value in (("seed", seed), ("validation_speakers", speakers)):
            if type(value) is not int or value < 0:
                raise ValueError(f"{name}: expected a whole number, got {value!r}")
        return cls(model, training, stages, seed, speakers)


def read_values(
    path: Path | None, changes: list[str], of_all_stages: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the file at ``path`` says, after ``changes`` such as ``training.epochs=3``.

    ``of_all_stages`` wins over what the file says of single stages as well.

    Raises:
        UserError: the file is missing or no YAML, or a change has no ``=``.
    """
    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise UserError(f"There is no configuration {path}.", "configs/ has some.") from None
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            raise UserError(f"The configuration {path} cannot be read: {error}.") from error
        if not isinstance(values, dict):
            raise UserError(f"The configuration {path} is no list of sections.")
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise UserError(f"{change!r} changes nothing.", "Write --set training.epochs=3.")
        section = values
        *parents, last = name.strip().split(".")
        for parent in parents:
            section[parent] = section.get(parent) or {}  # it may be there and empty
            section = section[parent]
            if not isinstance(section, dict):
                raise UserError(f"{change!r}: {parent} is a value and has no parts.")
        try:
            section[last] = _number(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise UserError(f"{change!r}: {text!r} is no value.") from error
    if of_all_stages:
        values["training"] = values.get("training") or {}
        for section in (values["training"], *_sections(values.get("stages"))):
            if not isinstance(section, dict):
                raise UserError(f"{section!r} is no section of settings.", "See configs/.")
            section |= of_all_stages
    return values


def _sections(stages: Any) -> list[Any]:
    """Those of the single stages; what is none is told by ``RunConfig.from_values``."""
    return [own for own in stages.values() if own is not None] if isinstance(stages, dict) else []


def _number(value: Any) -> Any:
    """YAML takes 1e-4 for text, because it wants a dot."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    return value


def _merged(base: dict[str, Any], changes: Any, path: str) -> dict[str, Any]:
    """``base`` with ``changes``, section by section."""
    if not isinstance(changes, dict):
        raise ValueError(f"{path}: expected a section, got {changes!r}")
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        nested = isinstance(inner, dict) and isinstance(value, dict)
        merged[key] = _merged(inner, value, f"{path}.{key}") if nested else _number(value)  # type: ignore[arg-type]
    return merged
