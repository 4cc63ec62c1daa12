"""Which parts of the network a stage trains, and which are never trained."""

from __future__ import annotations

from torch import nn

from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.config import StageName

# What each stage trains; everything else is frozen.
TRAINED: dict[StageName, tuple[str, ...]] = {
    "audio": ("audio_branch", "audio_pooling", "audio_head"),
    "functionals": ("audio_branch.discriminant",),
    "visual": ("visual_branch", "temporal_encoder", "video_pooling", "video_head"),
    # The audio branch is left as it is: what it says of those who taught it is too good, and would
    # be made better still. The temporal encoder sees here for the first time faces that move.
    "fusion": ("temporal_encoder", "video_pooling", "video_head", "fusion", "classifier"),
    "joint": (
        "audio_branch",
        "audio_pooling",
        "audio_head",
        "visual_branch",
        "temporal_encoder",
        "video_pooling",
        "video_head",
        "fusion",
        "classifier",
    ),
}


def trained_by(stage: StageName, model: MultimodalFER) -> list[nn.Parameter]:
    """What ``stage`` trains of ``model``, without what the configuration freezes."""
    frozen = {id(p) for part in _frozen_parts(model) for p in part.parameters()}
    parts = [model.get_submodule(name) for name in TRAINED[stage]]
    return [p for part in parts for p in part.parameters() if id(p) not in frozen]


def _frozen_parts(model: MultimodalFER) -> list[nn.Module]:
    config = model.config
    # A pretrained encoder's batch norms, whose statistics stay.
    modules = model.audio_branch.modules()
    parts: list[nn.Module] = [part for part in modules if isinstance(part, nn.BatchNorm1d)]
    for frozen, part in (
        (config.audio.frozen, model.audio_branch.encoders),
        (config.vision.frozen, model.visual_branch.encoder),
        (config.fusion.frozen, model.fusion.joining),
    ):
        parts += [part] if frozen else []
    return parts
