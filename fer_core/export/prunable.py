"""What can be taken out of a network, and where in its weights it lies.

A unit is an inner channel of a feed-forward or of the classifier, or a head of an attention. With
grouped queries it is a key-value head with the query heads that it serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from fer_core.config import AudioConfig, FERConfig, FusionConfig, VisionConfig, head_width
from fer_core.model.joining import AttentionJoining, Lfm2Joining, lfm2_config
from fer_core.model.multimodal_fer import MultimodalFER

LFM2_MULTIPLE = 256  # LFM2 rounds the width of its feed-forward up to a multiple


@dataclass(frozen=True, slots=True)
class PrunableLayer:
    """Where the units of a layer lie: in order, and all equally long."""

    into: tuple[str, ...]  # linear layers whose outputs are the units, and parameters alike
    out_of: str  # the linear layer whose inputs they are
    content: tuple[str, ...]  # of ``into``, what gives the units their content, not where to look
    packed: int = 1  # times that the units lie in each of ``into``; the content is the last


@dataclass(frozen=True, slots=True)
class PrunableGroup:
    """Layers that must keep equally many units, because the configuration has one number."""

    field: str  # that number's, for people
    units: int
    kept: int
    layers: tuple[PrunableLayer, ...]
    section: str  # of the configuration
    changes: dict[str, Any]  # fields of the section, once only ``kept`` are left


def prunable_groups(model: MultimodalFER, share: float) -> list[PrunableGroup]:
    """All groups that lose some units where each gives up ``share``, or the nearest it can."""
    config = model.config
    groups = [
        *_audio(config.audio, share),
        *_vision(config.vision, share),
        *_temporal(config, share),
        *_fusion(model.fusion.joining, config.fusion, share),
        *_classifier(model, share),
    ]
    return [group for group in groups if group.layers and group.kept < group.units]


def _left(units: int, share: float, multiple: int = 1) -> int:
    return multiple * max(1, round(units * (1 - share) / multiple))


def _audio(config: AudioConfig, share: float) -> Iterator[PrunableGroup]:
    layers = [
        f"audio_branch.encoders.{encoder}.layers.{i}"
        for encoder, kind in enumerate(config.encoders)
        if kind != "convolutional"
        for i in range(config.layers)
    ]
    heads = _left(config.heads, share)
    projections = ("q_proj", "k_proj", "v_proj", "relative_k_proj", "bias_u", "bias_v")
    yield PrunableGroup(
        "audio.heads",
        config.heads,
        heads,
        tuple(_attention(f"{layer}.self_attn", projections, "o_proj") for layer in layers),
        "audio",
        {"heads": heads, "head_width": head_width(config, config.width)},
    )
    width = config.feed_forward or 4 * config.width
    feed_forward = _left(width, share)
    both = [f"{layer}.feed_forward{i}" for layer in layers for i in (1, 2)]
    yield PrunableGroup(
        "audio.feed_forward",
        width,
        feed_forward,
        tuple(_channels(f"{part}.linear2", f"{part}.linear1") for part in both),
        "audio",
        {"feed_forward": feed_forward},
    )


def _vision(config: VisionConfig, share: float) -> Iterator[PrunableGroup]:
    layers = [f"visual_branch.encoder.encoder.layers.{i}" for i in range(config.layers)]
    heads = _left(config.heads, share)
    projections = ("q_proj", "k_proj", "v_proj")
    yield PrunableGroup(
        "vision.heads",
        config.heads,
        heads,
        tuple(_attention(f"{layer}.self_attn", projections, "out_proj") for layer in layers),
        "vision",
        {"heads": heads, "head_width": head_width(config, config.width)},
    )
    mlp = _left(config.mlp, share)
    yield PrunableGroup(
        "vision.mlp",
        config.mlp,
        mlp,
        tuple(_channels(f"{layer}.mlp.fc2", f"{layer}.mlp.fc1") for layer in layers),
        "vision",
        {"mlp": mlp},
    )


def _temporal(config: FERConfig, share: float) -> Iterator[PrunableGroup]:
    temporal = config.temporal
    heads = _left(temporal.heads, share)
    yield PrunableGroup(
        "temporal.heads",
        temporal.heads,
        heads,
        tuple(
            _packed_attention(f"temporal_encoder.attentions.{i}")
            for i in range(temporal.attention_layers)
        ),
        "temporal",
        {"heads": heads, "head_width": head_width(temporal, config.vision.width)},
    )


def _fusion(joining: nn.Module, config: FusionConfig, share: float) -> Iterator[PrunableGroup]:
    width_of_head = head_width(config, config.width)
    if isinstance(joining, AttentionJoining):
        heads = _left(config.heads, share)
        yield PrunableGroup(
            "fusion.heads",
            config.heads,
            heads,
            tuple(_packed_attention(f"fusion.joining.layers.{i}") for i in range(config.layers)),
            "fusion",
            {"heads": heads, "key_value_heads": heads, "head_width": width_of_head},
        )
    elif isinstance(joining, Lfm2Joining) and config.layers:
        layers = [f"fusion.joining.lfm2.layers.{i}" for i in range(config.layers)]
        kinds = lfm2_config(config).layer_types or []
        attending = [
            layer for layer, kind in zip(layers, kinds, strict=True) if kind == "full_attention"
        ]
        shared = _left(config.key_value_heads, share)
        projections = ("q_proj", "k_proj", "v_proj")
        yield PrunableGroup(
            "fusion.key_value_heads",
            config.key_value_heads,
            shared,
            tuple(_attention(f"{layer}.self_attn", projections, "out_proj") for layer in attending),
            "fusion",
            {
                "heads": config.heads // config.key_value_heads * shared,
                "key_value_heads": shared,
                "head_width": width_of_head,
            },
        )
        width = joining.lfm2.layers[0].feed_forward.w1.out_features
        kept = _left(width, share, LFM2_MULTIPLE)
        parts = [f"{layer}.feed_forward" for layer in layers]
        yield PrunableGroup(
            "fusion.feed_forward",
            width,
            kept,
            tuple(_channels(f"{part}.w2", f"{part}.w1", f"{part}.w3") for part in parts),
            "fusion",
            {"feed_forward": kept * 3 // 2},  # of which LFM2 takes two thirds
        )


def _classifier(model: MultimodalFER, share: float) -> Iterator[PrunableGroup]:
    widths = model.config.classifier.hidden
    left = tuple(_left(width, share) for width in widths)
    linears = [
        f"classifier.mlp.{i}"
        for i, layer in enumerate(model.classifier.mlp)
        if isinstance(layer, nn.Linear)
    ]
    for place, (width, kept) in enumerate(zip(widths, left, strict=True)):
        layer = _channels(linears[place + 1], linears[place])
        yield PrunableGroup(
            f"classifier.hidden.{place}", width, kept, (layer,), "classifier", {"hidden": left}
        )


def _channels(out_of: str, *into: str) -> PrunableLayer:
    return PrunableLayer(into, out_of, content=into)


def _attention(prefix: str, into: tuple[str, ...], out_of: str) -> PrunableLayer:
    return PrunableLayer(
        tuple(f"{prefix}.{name}" for name in into), f"{prefix}.{out_of}", (f"{prefix}.v_proj",)
    )


def _packed_attention(prefix: str) -> PrunableLayer:
    packed = (f"{prefix}.query_key_value",)
    return PrunableLayer(packed, f"{prefix}.out", content=packed, packed=3)
