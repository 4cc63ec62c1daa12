"""``train.py ablate``: what each part of the network is worth, measured on the same people.

The configuration's own network is trained first. Every other differs from it in one thing: it takes
over the branches that it has in common with the first, and trains the rest.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.config import FusionKind, RoiPlace
from fer_core.data.clips import Modalities
from fer_core.data.item import Item
from fer_core.data.store import MediaStore
from fer_core.device import resolve_device
from fer_core.errors import UserError
from fer_core.evaluation.answers import ensemble
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.measurement import Measurement, Trial
from fer_core.run_folder import METRICS_NAME
from fer_core.training.ablation_table import Scores, as_markdown, table_of
from fer_core.training.config import RunConfig, StageName
from fer_core.training.files import write_json, write_text
from fer_core.training.fit import fit
from fer_core.training.job import TrainingJob
from fer_core.training.material import Material, at_fold, shown_names, shown_of
from fer_core.training.run import (
    RunData,
    begin,
    take_over,
    usual_stages,
    without_periodic_checkpoints,
)
from fer_core.weights import load_checkpoint

RESULTS_NAME, TABLE_NAME = "ablation.json", "ablation.md"

FUSIONS: tuple[FusionKind, ...] = ("concat", "late", "attention", "lfm2")
PLACES: dict[RoiPlace, str] = {
    "early": "ROI before the encoder",
    "after": "ROI after the encoder",
    "none": "no ROI compression",
}


@dataclass(frozen=True)
class Variant:
    """A network to be trained."""

    heard: bool
    seen: bool
    fusion: FusionKind
    roi: RoiPlace

    @property
    def name(self) -> str:
        """Of its folder."""
        return "-".join(["audio"] * self.heard + ["video"] * self.seen + [self.fusion, self.roi])

    @property
    def modalities(self) -> Modalities:
        return Modalities(self.heard, self.seen)

    def of(self, config: RunConfig) -> RunConfig:
        """``config`` with this fusion and ROI."""
        fusion = config.model.fusion
        if fusion.kind != self.fusion:  # another has nothing pretrained to fetch or to freeze
            fusion = dataclasses.replace(fusion, kind=self.fusion, upstream=None, frozen=False)
        roi = dataclasses.replace(config.model.roi, place=self.roi)
        model = dataclasses.replace(config.model, fusion=fusion, roi=roi)
        return dataclasses.replace(config, model=model)


@dataclass(frozen=True)
class Row:
    """A line of the table: a network, or two whose answers are averaged, or why there is none."""

    name: str
    variants: tuple[Variant, ...] = ()
    left_out: str | None = None


def ablate(
    job: TrainingJob, folds: Sequence[int], say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Train and measure every row on the ``folds`` of the first corpus.

    The other corpora are added to each fold, by the one that goes with it; see
    :func:`fer_core.training.material.at_fold`. Each network has a folder of its own; finished ones
    are not repeated. The table is written anew after each row, as JSON and as Markdown.

    Args:
        say: told what begins.

    Returns:
        The table, see :func:`fer_core.training.ablation_table.table_of`; only the first process
        has one.

    Raises:
        UserError: as :func:`fer_core.training.fit.fit`; or there is nothing to compare.
    """
    wanted, stages = job.modalities, job.stages
    if stages and "fusion" not in stages:
        raise UserError("Without the fusion stage nothing can be compared.", "Add it to --stages.")
    materials = [at_fold(job.material, number) for number in dict.fromkeys(folds)]
    base = _base(job.config, materials[0], wanted)
    if not _stages_of(base, materials[0], job.config, stages):
        raise UserError(
            "The corpora can teach none of the stages that are asked for.",
            "Name others with --stages, or leave it out.",
        )
    rows = [
        Row(row.name, left_out="none of its stages is asked for")
        if not all(
            _stages_of(variant, materials[0], job.config, stages) for variant in row.variants
        )
        else row
        for row in _rows(base, materials[0], wanted)
    ]
    if job.machine.rank == 0:
        every = RunData.of([fold for own in job.material for fold in own.folds])
        asked = str(job.modalities)
        begin(job.out, job.config, job.stages, data=every.digest(), modalities=asked)
    left_out = {row.name: row.left_out for row in rows if row.left_out}
    scores: dict[str, list[Scores]] = {}
    table: dict[str, Any] = {}
    for own in materials:
        (fold,) = own[0].folds
        at = dataclasses.replace(job, material=own, out=job.out / fold.name)
        runs = _Runs(at, base, say)
        runs.train(base)
        for row in rows:
            for variant in row.variants:
                runs.train(variant)
            if row.variants and not job.machine.rank:
                scores.setdefault(row.name, []).append(runs.scores(row.variants))
                tested = [some[0].folds[0] for some in materials]
                table = table_of(shown_names(job.material)[0], tested, scores, left_out)
                write_json(table, job.out / RESULTS_NAME)
                write_text(as_markdown(table), job.out / TABLE_NAME)
    return table


@dataclass(frozen=True)
class _Runs:
    """The runs of one fold."""

    job: TrainingJob  # of that fold alone
    base: Variant
    say: Callable[[str], None]

    def train(self, variant: Variant) -> None:
        """Train and measure ``variant``, with the base's branches, unless it is done."""
        folder = self.job.out
        own = folder / variant.name
        if (own / METRICS_NAME).exists():
            return
        if self.job.machine.rank == 0:
            self.say(f"{folder.name}: {variant.name}")
        job = dataclasses.replace(
            self.job,
            config=without_periodic_checkpoints(variant.of(self.job.config)),
            out=own,
            stages=_stages_of(variant, self.job.material, self.job.config, self.job.stages),
            modalities=variant.modalities,
        )
        shared = [stage for stage in job.stages if stage in self._shared(variant)]
        take_over(shared, folder / self.base.name, job.config, job.stages, own)
        fit(job, job.material[0].folds[0].number)
        if job.machine.rank == 0:
            for checkpoint in own.glob("stages/*/*.ckpt"):
                checkpoint.unlink()  # what is measured is not trained any further

    def scores(self, variants: Sequence[Variant]) -> Scores:
        """What a network reached; of several, the mean of their answers."""
        path = self.job.out / "+".join(variant.name for variant in variants) / METRICS_NAME
        if not path.exists():
            write_json([self._averaged(variants).as_json()], path)
        scores: Scores = json.loads(path.read_text(encoding="utf-8"))
        return scores

    def _averaged(self, variants: Sequence[Variant]) -> Measurement:
        """Of the answers that networks give which each know one modality alone."""
        device = resolve_device(self.job.machine.device)
        corpus, (fold,) = shown_names(self.job.material)[0], self.job.material[0].folds
        members = []
        for variant in variants:
            model = load_checkpoint(self.job.out / variant.name / "model", device)
            store = MediaStore(self.job.cache / "media", model.config.vision)
            answers = evaluate(model, fold.test, store, variant.modalities)
            members.append(answers.calibrated(model.config.temperatures))
        trial = Trial(corpus, fold.name, fold.description, fold.leaks_speakers, "audio and video")
        return Measurement.of(trial, ensemble(members))

    def _shared(self, variant: Variant) -> set[StageName]:
        """The stages in which ``variant`` would learn what the base has learnt."""
        if variant == self.base:
            return set()
        alike: set[StageName] = {"audio", "functionals"}
        if variant.roi == self.base.roi:
            alike.add("visual")
        return alike & {*_stages_of(self.base, self.job.material, self.job.config, self.job.stages)}


def _stages_of(
    variant: Variant, materials: Sequence[Material], config: RunConfig, asked: Sequence[StageName]
) -> tuple[StageName, ...]:
    """Those that can teach ``variant``, of those that are asked for if any are."""
    shown = shown_of(_trained_on(materials), variant.modalities)
    usual = usual_stages(shown, config.model)
    return tuple(stage for stage in usual if not asked or stage in asked)


def _base(config: RunConfig, materials: Sequence[Material], wanted: Modalities) -> Variant:
    """The configuration's own network, with the modalities that the corpora can teach."""
    train = shown_of(_trained_on(materials), wanted)
    return Variant(
        any(item.has_sound for item in train),
        any(item.has_picture for item in train),
        config.model.fusion.kind,
        config.model.roi.place,
    )


def _rows(base: Variant, materials: Sequence[Material], wanted: Modalities) -> list[Row]:
    tested = shown_of(materials[0].folds[0].test, wanted)
    if not tested:
        raise UserError("The split has nothing to test.", "Choose another --split or --fold.")
    voice = "" if base.heard else "the training part has no voices"
    face = "" if base.seen else "the training part has no faces"
    paired = any(item.has_sound and item.has_picture for item in tested)
    pair = "" if paired else "no recording of the test part has a voice and a face"
    audio = dataclasses.replace(base, heard=True, seen=False)
    video = dataclasses.replace(base, heard=False, seen=True)

    def row(name: str, missing: str, *variants: Variant) -> Row:
        return Row(name, left_out=missing) if missing else Row(name, variants)

    return [
        row("audio alone", voice, audio),
        row("video alone", face, video),
        row("no fusion, mean of both answers", voice or face or pair, audio, video),
        *(
            row(f"{kind} fusion", voice or face, dataclasses.replace(base, fusion=kind))
            for kind in FUSIONS
        ),
        *(row(name, face, dataclasses.replace(base, roi=place)) for place, name in PLACES.items()),
    ]


def _trained_on(materials: Sequence[Material]) -> list[Item]:
    return [item for own in materials for item in own.folds[0].train]
