"""A run: the stages one after the other, in a folder from which it can go on at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from fer_core.config import FERConfig
from fer_core.data.clips import spectra_statistics
from fer_core.data.item import Item
from fer_core.data.pairs import with_pairs
from fer_core.data.splits import Fold
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.preprocess.spectra import SHORTEST, Spectra
from fer_core.run_folder import RUN_NAME
from fer_core.training.config import STAGES, RunConfig, StageName, TrainingConfig
from fer_core.training.counting import Counter
from fer_core.training.files import alone_in, refuse_no_room, write_json, write_text
from fer_core.training.functionals_stage import fit_functionals, having_functionals
from fer_core.training.machine import Machine
from fer_core.training.sharding import refuse_unshardable
from fer_core.training.stage import HISTORY_NAME, OnEpoch, StageSetting, run_stage
from fer_core.training.task import Contrast
from fer_core.training.trained_parts import TRAINED, trained_by
from fer_core.weights import load_checkpoint, new_model, save_checkpoint
from fer_core.whole_file import whole

DONE_NAME = "done.safetensors"  # in the folder of a finished stage: all that was trained
CACHE_PROBE = 2**20  # bytes: how much a cache needs is not known before


@dataclass(frozen=True)
class RunData:
    """The parts of all corpora together; fusion is validated on pairs of voices and faces too."""

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]

    @classmethod
    def of(cls, folds: Sequence[Fold]) -> RunData:
        return cls(
            tuple(item for fold in folds for item in fold.train),
            with_pairs([item for fold in folds for item in fold.validation]),
            tuple(item for fold in folds for item in fold.test),
        )

    def digest(self) -> str:
        """Which items teach and which validate: equal for equal corpora on any machine."""
        parts = [
            [
                (
                    *(item.key, item.kind, item.shares, item.groups, item.start_s, item.end_s),
                    *(item.has_sound, item.has_picture),
                )
                for item in part
            ]
            for part in (self.train, self.validation)
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def usual_stages(items: Sequence[Item], config: FERConfig) -> tuple[StageName, ...]:
    """The stages that ``items`` can teach: branches first, then fusion, then all together.

    Fusion where there are voices and faces: a branch alone is joined with nothing. All together
    only where they were recorded together.
    """
    hears = any(item.has_sound for item in items)
    sees = any(item.has_picture for item in items)
    both = any(item.has_sound and item.has_picture for item in items)
    possible = {
        "audio": hears,
        "functionals": hears and config.audio.functionals,
        "visual": sees,
        "fusion": hears and sees,
        "joint": both,
    }
    return tuple(stage for stage in STAGES if possible[stage])


def train(
    config: RunConfig,
    data: RunData,
    stages: Sequence[StageName],
    folder: Path,
    cache: Path,
    machine: Machine,
    start_from: Path | None = None,
    records: Mapping[str, str] | None = None,
    on_epoch: OnEpoch | None = None,
    features: Path | None = None,
) -> tuple[MultimodalFER, list[dict[str, Any]]]:
    """Go through ``stages``; those that ``folder`` has finished are taken from there.

    Args:
        start_from: a model folder to begin with instead of fresh weights.
        records: texts that are written into ``folder`` before anything is trained, by file name.
        on_epoch: told the history's row of each epoch; what it raises ends the run.
        features: where encoded samples are kept; None is with the cache's others.

    Returns:
        The trained network and the history of all stages.

    Raises:
        UserError: the folder belongs to another run or one that goes on, cannot be written or is
            full; or a stage has nothing to learn from.
    """
    if machine.shards:
        refuse_unshardable(config, stages, machine.device)
    machine.leave_group_at_exit()
    with alone_in(folder) if machine.rank == 0 else contextlib.nullcontext():
        if machine.rank == 0:
            before = None if start_from is None else str(start_from)
            begin(folder, config, stages, data=data.digest(), start_from=before)
            for name, text in (records or {}).items():
                write_text(text, folder / name)
        model, contrast = _untrained(config, start_from, "functionals" in stages)
        if machine.rank == 0:
            refuse_no_room(folder, room_needed(config, stages, model), "--out")
            refuse_no_room(cache, CACHE_PROBE, "--cache")
        if "audio" in stages and start_from is None:
            measure_spectra(model, data.train, cache, machine.count("Reading the voices"))
        history: list[dict[str, Any]] = []
        for stage in stages:
            own = _folder_of(stage, stages, folder)
            done = own / DONE_NAME
            if done.exists():
                _load(model, contrast, done)
                history += _history_of(own)
                continue
            setting = StageSetting(
                stage,
                config.of_stage(stage),
                data.train,
                data.validation,
                cache,
                own,
                config.seed,
                machine,
                features or cache / "features",
                on_epoch,
            )
            if stage == "functionals":
                history += fit_functionals(setting, model)
            else:
                history += run_stage(setting, model, contrast)
            if machine.rank == 0:
                save_checkpoint(model, folder / "model")
                write_json(history, folder / "training_history.json")
                _save(model, contrast, done)  # at last: what is done is not done again
    return model.requires_grad_(True).eval(), history


def begin(folder: Path, config: RunConfig, stages: Sequence[str], **others: str | None) -> None:
    """Write down what the run is, or see that the folder belongs to the same one.

    ``others``: what else makes it another run, by name.

    Raises:
        UserError: another run is in the folder, or it cannot be written.
    """
    described = {"config": config.as_json(), "stages": list(stages), **others}
    said = json.loads(json.dumps(described))
    path = folder / RUN_NAME
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = None
        if before != said:
            changed = _first_difference(before, said)
            raise UserError(
                f"{folder} holds another run ({changed} differs).",
                "Repeat its command to go on with it, or choose another folder.",
            )
    else:
        write_json(said, path)


def room_needed(config: RunConfig, stages: Sequence[StageName], model: MultimodalFER) -> int:
    """Bytes of all checkpoints of a run: the last, the best, some between, and a draft, of a stage.

    In each are all weights, their average if there is one, and AdamW's two moments of what is
    trained, in single precision.
    """
    needed = 0
    weights = sum(parameter.numel() for parameter in model.parameters())
    for stage in stages:
        if stage == "functionals":  # it has no epochs, so it leaves no checkpoints
            continue
        own = config.of_stage(stage)
        trained = sum(parameter.numel() for parameter in trained_by(stage, model))
        numbers = weights * (2 if own.ema else 1) + 2 * trained
        needed += 4 * numbers * (3 + own.epochs // own.save_every)
    return needed


def without_periodic_checkpoints(config: RunConfig) -> RunConfig:
    """``config`` for one run of many, of which only scores are wanted."""

    def sparing(training: TrainingConfig) -> TrainingConfig:
        return dataclasses.replace(training, save_every=training.epochs + 1)

    stages = {name: sparing(own) for name, own in config.stages.items()}
    return dataclasses.replace(config, training=sparing(config.training), stages=stages)


def measure_spectra(
    model: MultimodalFER, items: Sequence[Item], cache: Path, count: Counter
) -> None:
    """Set the constants with which the network normalises spectra, from the training part."""
    store, spectra = MediaStore(cache / "media", model.config.vision), Spectra()

    def measured() -> Iterator[Tensor]:
        for done, item in enumerate(items, start=1):
            if item.has_sound:
                waveform = store.prepared(item).waveform
                assert waveform is not None
                if len(waveform) >= SHORTEST:  # a damaged file may hold less than its header says
                    yield spectra(torch.from_numpy(waveform))
            count(done, len(items))

    statistics = spectra_statistics(measured())
    if statistics is not None:
        mean, std = statistics
        model.audio_branch.spectra_mean.copy_(mean)
        model.audio_branch.spectra_std.copy_(std)


def take_over(
    branches: Sequence[StageName],
    source: Path,
    config: RunConfig,
    stages: Sequence[StageName],
    folder: Path,
) -> None:
    """Let the run of ``stages`` in ``folder`` have the branches that the run in ``source`` trained.

    Everything else of its network is fresh: it goes on as if it had trained them itself.
    """
    model, contrast = _untrained(config)
    for stage in branches:
        (trained,) = source.glob(f"stages/*-{stage}/{DONE_NAME}")
        parts = [f"model.{part}." for part in TRAINED[stage]]
        _load(model, contrast, trained, tuple(parts))
        own = _folder_of(stage, stages, folder)
        if not (own / DONE_NAME).exists():
            history = (trained.parent / HISTORY_NAME).read_text(encoding="utf-8")
            write_text(history, own / HISTORY_NAME)
            _save(model, contrast, own / DONE_NAME)


def _untrained(
    config: RunConfig, start_from: Path | None = None, with_functionals: bool = False
) -> tuple[MultimodalFER, Contrast]:
    if start_from is not None:
        model = load_checkpoint(start_from)
        if with_functionals:
            model = having_functionals(model)
    else:
        model = new_model(config.model, config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return model, Contrast(model.config)


def _folder_of(stage: StageName, stages: Sequence[StageName], folder: Path) -> Path:
    return folder / "stages" / f"{stages.index(stage) + 1}-{stage}"


def _save(model: MultimodalFER, contrast: Contrast, path: Path) -> None:
    weights = {f"model.{name}": t.contiguous() for name, t in model.state_dict().items()}
    weights |= {f"contrast.{name}": t.contiguous() for name, t in contrast.state_dict().items()}
    try:
        with whole(path) as draft:
            save_file(weights, draft)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The stage's weights cannot be written to {path}: {error}.",
            "Make room there; the same command then goes on from the last epoch.",
        ) from error


def _load(
    model: MultimodalFER,
    contrast: Contrast,
    path: Path,
    parts: tuple[str, ...] = ("model.", "contrast."),
) -> None:
    """The weights whose names begin with one of ``parts``.

    Raises:
        UserError: the file is damaged.
    """
    try:
        weights = {name: t for name, t in load_file(path).items() if name.startswith(parts)}
    except (OSError, SafetensorError) as error:
        raise _damaged(path) from error
    both = torch.nn.ModuleDict({"model": model, "contrast": contrast})
    missing = both.load_state_dict(weights, strict=False).missing_keys
    assert not [name for name in missing if name.startswith(parts)], path


def _history_of(folder: Path) -> list[dict[str, Any]]:
    """Of a finished stage.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / HISTORY_NAME
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    return rows


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path} is damaged.",
        f"Remove {path.parent / DONE_NAME}: the stage then goes on from its last checkpoint.",
    )


def _first_difference(before: Any, said: Any, path: str = "") -> str:
    if isinstance(before, dict) and isinstance(said, dict):
        for key in said:
            if before.get(key) != said[key]:
                return _first_difference(before.get(key), said[key], f"{path}.{key}")
    return path.lstrip(".") or "its description"
