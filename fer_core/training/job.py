"""What every training is asked for, be it one run, one for each fold, an ablation or a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer_core.data.clips import Modalities
from fer_core.training.config import RunConfig, StageName
from fer_core.training.machine import Machine
from fer_core.training.material import Material


@dataclass(frozen=True)
class TrainingJob:
    """Corpora, and how a network learns from them."""

    config: RunConfig
    material: Sequence[Material]  # at least one; the others go with the first one's folds
    out: Path  # the folder of all that comes of it, in which it goes on
    cache: Path  # of decoded media and features
    machine: Machine
    stages: tuple[StageName, ...] = ()  # the only ones; none: all that the corpora can teach
    modalities: Modalities = field(default_factory=Modalities)  # what is trained and measured
