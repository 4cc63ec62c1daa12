"""A smaller network from a trained one: the weakest channels are taken out, not set to zero.

The configuration holds one width for all layers of an encoder, so every layer loses the same
number, each its own weakest. Afterwards it is a network like any other, with another configuration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fer_core.config import FERConfig
from fer_core.costs import costs_of
from fer_core.errors import UserError
from fer_core.export.parity import probabilities, random_clips
from fer_core.export.parts import parts_of
from fer_core.model.joining import Lfm2Joining
from fer_core.model.multimodal_fer import MultimodalFER

LFM2_MULTIPLE = 256  # LFM2 rounds the width of its feed-forward up to a multiple
CLIPS = 8  # of noise, on which the change of the answers is measured

Evaluate = Callable[[MultimodalFER], float]  # a network to its UAR, 0 to 1


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

    channels: tuple[Change, ...]  # of each layer, by field of the configuration
    parameters: Change
    hop_operations: Change  # of a hop: two new frames
    largest: float
    mean: float
    uar: Change | None  # None: there was nothing to evaluate it on

    def as_text(self) -> str:
        """A line for each figure, for a terminal."""
        changes = [*self.channels, self.parameters, self.hop_operations]
        lines = [
            f"{change.name:<28}{change.before:>15,.0f} -> {change.after:>13,.0f}"
            f"  ({change.after / change.before - 1:+.1%})"
            for change in changes
        ]
        lines.append(
            f"probabilities changed by {self.mean:.4f} in the mean, {self.largest:.4f} at most"
        )
        if self.uar is not None:
            lines.append(f"UAR {self.uar.before:.4f} -> {self.uar.after:.4f}")
        else:
            lines.append("UAR not measured: no corpus was given")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Where the inner channels of a layer lie: outputs of ``into``, inputs of ``out_of``."""

    into: tuple[str, ...]  # names of linear layers
    out_of: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Layers whose inner width is one number of the configuration."""

    field: str
    width: int
    kept: int
    layers: tuple[_Layer, ...]


def prune(
    model: MultimodalFER, share: float, evaluate: Evaluate | None = None
) -> tuple[MultimodalFER, PruneReport]:
    """``model``, on the CPU, without ``share`` of its inner channels; it stays as it is.

    Channels of feed-forwards (vision encoder, LFM2) and of the classifier are pruned by magnitude:
    the weakest are those whose weights, in and out, have the smallest sum of absolute values
    (Li et al. 2017, "Pruning Filters for Efficient ConvNets"). LFM2's number is the multiple of 256
    nearest to what ``share`` asks for.

    Raises:
        UserError: ``share`` is not between 0 and 1, or nothing can be taken out.
    """
    if not 0 < share < 1:
        raise UserError(f"{share:g} is no share to prune.", "Give one between 0 and 1, as 0.25.")
    groups = [group for group in _groups(model, share) if group.kept < group.width]
    if not groups:
        raise UserError(f"Pruning {share:g} takes nothing out of this network.", "Give more.")
    weights = dict(model.state_dict())
    for group in groups:
        for layer in group.layers:
            _take_out(weights, layer, group.kept)
    with torch.random.fork_rng(devices=[]):
        smaller = MultimodalFER(_smaller_config(model.config, groups)).eval()
    smaller.load_state_dict(weights)
    return smaller, _report(model, smaller, groups, evaluate)


def _groups(model: MultimodalFER, share: float) -> list[_Group]:
    config = model.config
    vision = "visual_branch.encoder.encoder.layers"
    groups = [
        _Group(
            "vision.mlp",
            config.vision.mlp,
            _left(config.vision.mlp, share),
            tuple(
                _Layer((f"{vision}.{i}.mlp.fc1",), f"{vision}.{i}.mlp.fc2")
                for i in range(config.vision.layers)
            ),
        )
    ]
    if isinstance(model.fusion.joining, Lfm2Joining) and config.fusion.layers:
        width = model.fusion.joining.lfm2.layers[0].feed_forward.w1.out_features
        feed_forwards = [
            f"fusion.joining.lfm2.layers.{i}.feed_forward" for i in range(config.fusion.layers)
        ]
        groups.append(
            _Group(
                "fusion.feed_forward",
                width,
                _left(width, share, LFM2_MULTIPLE),
                tuple(_Layer((f"{ff}.w1", f"{ff}.w3"), f"{ff}.w2") for ff in feed_forwards),
            )
        )
    linears = [
        f"classifier.mlp.{i}"
        for i, layer in enumerate(model.classifier.mlp)
        if isinstance(layer, nn.Linear)
    ]
    for place, width in enumerate(config.classifier.hidden):
        layer = _Layer((linears[place],), linears[place + 1])
        groups.append(_Group(f"classifier.hidden.{place}", width, _left(width, share), (layer,)))
    return groups


def _left(width: int, share: float, multiple: int = 1) -> int:
    return multiple * max(1, round(width * (1 - share) / multiple))


def _take_out(weights: dict[str, Tensor], layer: _Layer, kept: int) -> None:
    """Replace the weights of ``layer`` by those of its ``kept`` strongest channels."""
    out_of = weights[f"{layer.out_of}.weight"]  # (outputs, channels)
    strength = out_of.abs().sum(0)  # (channels,)
    for name in layer.into:
        strength = strength + weights[f"{name}.weight"].abs().sum(1)
    strongest = strength.topk(kept).indices.sort().values
    weights[f"{layer.out_of}.weight"] = out_of[:, strongest]
    for name in layer.into:
        for key in (f"{name}.weight", f"{name}.bias"):
            if key in weights:
                weights[key] = weights[key][strongest]


def _smaller_config(config: FERConfig, groups: list[_Group]) -> FERConfig:
    kept = {group.field: group.kept for group in groups}
    hidden = tuple(
        kept.get(f"classifier.hidden.{place}", width)
        for place, width in enumerate(config.classifier.hidden)
    )
    # LFM2 takes two thirds of what the configuration says.
    feed_forward = kept.get("fusion.feed_forward", 0) * 3 // 2 or config.fusion.feed_forward
    return dataclasses.replace(
        config,
        vision=dataclasses.replace(config.vision, mlp=kept.get("vision.mlp", config.vision.mlp)),
        fusion=dataclasses.replace(config.fusion, feed_forward=feed_forward),
        classifier=dataclasses.replace(config.classifier, hidden=hidden),
    )


def _report(
    model: MultimodalFER,
    smaller: MultimodalFER,
    groups: list[_Group],
    evaluate: Evaluate | None,
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
        tuple(Change(group.field, group.width, group.kept) for group in groups),
        Change("parameters", *parameters),
        Change("operations a hop", *operations),
        float(change.max()),
        float(change.mean()),
        Change("UAR", evaluate(model), evaluate(smaller)) if evaluate is not None else None,
    )
