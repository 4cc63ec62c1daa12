"""A smaller network from a trained one: the weakest units are taken out, not set to zero.

The configuration holds one number for all layers of an encoder, so every layer loses equally many
heads and channels, each its own weakest. The result is a network like any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.costs import costs_of
from fer_core.errors import UserError
from fer_core.export.parity import probabilities, random_clips
from fer_core.export.parts import parts_of
from fer_core.export.prunable import PrunableGroup, PrunableLayer, prunable_groups
from fer_core.model.multimodal_fer import MultimodalFER

CLIPS = 8  # of noise, on which the change of the answers is measured


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was taken out, and what it cost.

    ``largest`` and ``mean`` are the changes of a calibrated probability, over clips of noise.
    """

    removed: tuple[Change, ...]  # heads and channels of a layer, by field of the configuration
    parameters: Change
    hop_operations: Change  # of a hop: two new frames
    largest: float
    mean: float

    def as_text(self) -> str:
        """A line for each figure, for a terminal."""
        changes = [*self.removed, self.parameters, self.hop_operations]
        lines = [
            f"{change.name:<28}{change.before:>15,.0f} -> {change.after:>13,.0f}"
            f"  ({change.after / change.before - 1:+.1%})"
            for change in changes
        ]
        lines.append(
            f"probabilities changed by {self.mean:.4f} in the mean, {self.largest:.4f} at most"
        )
        lines.append("Its accuracy was not measured: python train.py evaluate --model FOLDER")
        return "\n".join(lines)


def prune(model: MultimodalFER, share: float) -> tuple[MultimodalFER, PruneReport]:
    """``model``, on the CPU, without ``share`` of its heads and channels; it stays as it is.

    Heads of all attentions, and inner channels of the encoders' and LFM2's feed-forwards and of the
    classifier: see ``fer_core.export.prunable``. That heads can be spared was found by Michel et
    al. 2019, "Are Sixteen Heads Really Better than One?"; what is weak is told by magnitude (Li et
    al. 2017, "Pruning Filters for Efficient ConvNets"). Each number is the nearest possible to what
    ``share`` asks for: LFM2's feed-forward goes in steps of 256, and 3 heads are 2 after 0.25.

    Raises:
        UserError: ``share`` is not between 0 and 1, or nothing can be taken out.
    """
    if not 0 < share < 1:
        raise UserError(f"{share:g} is no share to prune.", "Give one between 0 and 1, as 0.25.")
    groups = prunable_groups(model, share)
    if not groups:
        raise UserError(f"Pruning {share:g} takes nothing out of this network.", "Give more.")
    smaller = without(model, groups)
    return smaller, _report(model, smaller, groups)


def without(model: MultimodalFER, groups: Sequence[PrunableGroup]) -> MultimodalFER:
    """A new network in which each layer of ``groups`` has only its strongest units."""
    config = model.config
    weights = dict(model.state_dict())
    for group in groups:
        for layer in group.layers:
            _take_out(weights, layer, group.units, group.kept)
        section = dataclasses.replace(getattr(config, group.section), **group.changes)
        config = dataclasses.replace(config, **{group.section: section})
    with torch.random.fork_rng(devices=[]):
        smaller = MultimodalFER(config).eval()
    smaller.load_state_dict(weights)
    return smaller


def _take_out(weights: dict[str, Tensor], layer: PrunableLayer, units: int, kept: int) -> None:
    """Replace the weights of ``layer`` by those of its ``kept`` strongest units."""
    strongest = _strengths(weights, layer, units).topk(kept).indices.sort().values
    for name in layer.into:
        for key in (name, f"{name}.weight", f"{name}.bias"):
            if key in weights:
                split = weights[key].unflatten(0, (layer.packed, units, -1))
                weights[key] = split[:, strongest].flatten(0, 2)
    key = f"{layer.out_of}.weight"
    weights[key] = weights[key].unflatten(1, (units, -1))[:, strongest].flatten(1, 2)


def _strengths(weights: dict[str, Tensor], layer: PrunableLayer, units: int) -> Tensor:
    """The sum of each unit's absolute weights, of its content and out: (units,).

    Queries and keys are left out, because they say where a head looks, not how much it adds.
    """
    strengths = weights[f"{layer.out_of}.weight"].abs().sum(0).unflatten(0, (units, -1)).sum(-1)
    for name in layer.content:
        of_outputs = weights[f"{name}.weight"].abs().sum(1)
        strengths = strengths + of_outputs.unflatten(0, (layer.packed, units, -1))[-1].sum(-1)
    return strengths


def _report(
    model: MultimodalFER, smaller: MultimodalFER, groups: Sequence[PrunableGroup]
) -> PruneReport:
    clips = random_clips(CLIPS, seed=0)
    before, after = (
        probabilities({part.name: part.module for part in parts_of(network)}, clips)
        for network in (model, smaller)
    )
    costs = [costs_of(network.config) for network in (model, smaller)]
    parameters = [sum(part.parameters for part in parts) for parts in costs]
    operations = [sum(part.hop_operations for part in parts) for parts in costs]
    change = (after - before).abs()
    return PruneReport(
        tuple(Change(group.field, group.units, group.kept) for group in groups),
        Change("parameters", *parameters),
        Change("operations a hop", *operations),
        float(change.max()),
        float(change.mean()),
    )
