"""The one configuration of the network, its three presets, and its form on disk.

``config.json`` beside the weights is this class written out; everything that changes an answer is
in it, thresholds and temperatures included.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from fer_core.labels import EMOTIONS
from fer_core.patches import PATCHES, ROI_PATCHES
from fer_core.typed_values import read_section

Preset = Literal["compact", "lightweight", "full"]
PRESETS: tuple[Preset, ...] = typing.get_args(Preset)
RoiPlace = Literal["after", "early", "none"]
FusionKind = Literal["lfm2", "concat", "late", "attention"]
Pooling = Literal["mean", "max", "last", "attention"]
Framing = Literal["face", "frame"]
Stem = Literal["patch", "conv"]
AudioEncoder = Literal["fastconformer", "stemmed", "convolutional"]

SIGLIP2 = "google/siglip2-base-patch16-224"
LFM2 = "LiquidAI/LFM2-700M"


@dataclass(frozen=True)
class AudioConfig:
    """The encoders that listen, and the pooling of their steps to segments.

    ``fastconformer`` is the published one on log-mel; ``stemmed`` has residual convolutions in the
    place of its subsampling, on both spectra; ``convolutional`` is that stem alone. Several listen
    side by side, begin differently and learn apart; their answers are averaged (Lakshminarayanan et
    al. 2017, "Deep Ensembles"). Encoders of different kinds err more differently. Most different of
    all are ``functionals``: no network, but what the clip's spectra are like as a whole.
    """

    upstream: str | None = None  # folder or repository of pretrained weights; None is from scratch
    encoders: tuple[AudioEncoder, ...] = ("fastconformer",)
    stem_blocks: int = 2  # residual blocks at each of the convolutional stem's three scales
    stem_width: int = 128  # channels at the last of them
    width: int = 144
    layers: int = 4  # of FastConformer
    heads: int = 4
    head_width: int | None = None  # None: width / heads
    feed_forward: int | None = None  # None: four times the width
    conv_kernel: int = 9
    subsampling_channels: int = 64
    scale_input: bool = False  # by the root of the width; NVIDIA's checkpoints say True or False
    dropout: float = 0.1
    functionals: bool = False  # also judge by means, spreads and ripples of the clip's spectra
    batch_norm: bool = False  # True for pretrained weights; their statistics are then frozen
    frozen: bool = False

    @property
    def encoded_width(self) -> int:
        """Features of a step: those of all encoders, side by side."""
        return len(self.encoders) * self.width

    @property
    def step_width(self) -> int:
        """The same and, beside them, what the clip's functionals say of the emotions."""
        return self.encoded_width + (len(EMOTIONS) if self.functionals else 0)


@dataclass(frozen=True)
class VisionConfig:
    """SigLIP's vision transformer on 224x224 pictures, 14x14 patches."""

    upstream: str | None = None  # repository or folder of pretrained weights; None is from scratch
    stem: Stem = "patch"  # how pixels become tokens: one linear map a patch, or convolutions
    stem_blocks: int = 2  # residual blocks at each of the convolutional stem's three scales
    width: int = 192
    layers: int = 12
    heads: int = 3
    head_width: int | None = None  # None: width / heads
    mlp: int = 768
    framing: Framing = "face"
    face_scale: float = 1.75  # side of the square shown, in longer sides of the face box
    frozen: bool = False


@dataclass(frozen=True)
class RoiConfig:
    """ROI token compression: 196 patch tokens to the best 64 and 4 global ones."""

    place: RoiPlace = "after"
    keep: int = 64


@dataclass(frozen=True)
class TemporalConfig:
    """Gated selective convolutions, then attention, over a clip's frames."""

    conv_layers: int = 4
    attention_layers: int = 2
    kernel: int = 4
    heads: int = 8
    head_width: int | None = None  # None: vision.width / heads
    dropout: float = 0.1


@dataclass(frozen=True)
class FusionConfig:
    """How the two branches are joined."""

    kind: FusionKind = "lfm2"
    upstream: str | None = None  # repository or folder of pretrained LFM2; None is from scratch
    width: int = 192
    layers: int = 6
    heads: int = 6
    key_value_heads: int = 2
    head_width: int | None = None  # None: width / heads
    feed_forward: int = 1152  # LFM2 takes 2/3 of it, rounded up to a multiple of 256
    out: int = 512  # width of a fused segment
    dropout: float = 0.1
    frozen: bool = False


@dataclass(frozen=True)
class ClassifierConfig:
    pooling: Pooling = "attention"
    hidden: tuple[int, ...] = (512, 256)
    dropout: float = 0.1


@dataclass(frozen=True)
class PerModality:
    """A number for each combination of modalities that an answer may rest on."""

    both: float
    audio: float  # heard, not seen
    video: float  # seen, not heard

    @staticmethod
    def in_full(values: Any) -> Any:
        """One number is one for all."""
        if type(values) in (int, float):
            return dict.fromkeys(("both", "audio", "video"), values)
        return values

    def of(self, heard: bool, seen: bool) -> float:
        """That of an answer; one that rests on nothing is read as seen."""
        if heard:
            return self.both if seen else self.audio
        return self.video

    def __str__(self) -> str:
        return (
            f"{self.both:g} with face and voice, {self.audio:g} with a voice alone, "
            f"{self.video:g} with a face alone"
        )


@dataclass(frozen=True)
class Thresholds:
    """When sound counts as absent and an answer as uncertain."""

    silence_dbfs: float = -65.0  # at -60, ten of RAVDESS's 1,140 utterances would be silence
    min_speech_s: float = 0.2
    speech_probability: float = 0.3  # of the voice activity detector, which misses shouting at 0.5
    uncertain_below: PerModality = PerModality(0.4, 0.4, 0.4)  # of the largest probability

    def __post_init__(self) -> None:
        for name, value in vars(self.uncertain_below).items():
            if not 0 <= value <= 1:
                raise ValueError(f"uncertain_below {name} is {value}, must be from 0 to 1")


@dataclass(frozen=True)
class Temperatures:
    """What logits are divided by so that probabilities mean what they say (Guo et al. 2017)."""

    clip: PerModality = PerModality(1.0, 1.0, 1.0)
    segment: PerModality = PerModality(1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for part, temperatures in vars(self).items():
            for name, value in vars(temperatures).items():
                if not 0 < value < math.inf:
                    raise ValueError(
                        f"temperature {part}.{name} is {value}, must be above 0 and finite"
                    )


@dataclass(frozen=True)
class FERConfig:
    """Everything that fixes the network's shape and how its answers are read."""

    name: str = "compact"
    trained_on: str | None = None  # one sentence with the split; None: never trained
    audio: AudioConfig = field(default_factory=AudioConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    roi: RoiConfig = field(default_factory=RoiConfig)
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    thresholds: Thresholds = field(default_factory=Thresholds)
    temperatures: Temperatures = field(default_factory=Temperatures)
    labels: tuple[str, ...] = EMOTIONS

    def __post_init__(self) -> None:
        """Refuse what no network can have, while the field can still be named."""
        parts = (self.audio, self.vision, self.roi, self.temporal, self.fusion, self.classifier)
        for part in parts:
            for name, value in vars(part).items():
                least = 0 if name.endswith("layers") else 1
                for number in value if isinstance(value, tuple) else (value,):
                    if type(number) is int and number < least:
                        raise ValueError(f"{type(part).__name__}.{name} is {number}")
                if name == "dropout" and not 0 <= value <= 1:
                    raise ValueError(f"{type(part).__name__}.{name} is {value}, must be 0 to 1")
        if not 0 < self.vision.face_scale < math.inf:
            raise ValueError(
                f"vision.face_scale is {self.vision.face_scale}, must be above 0 and finite"
            )
        # A convolutional stem before the encoder is shown the face's block of patches alone.
        block_alone = self.vision.stem == "conv" and self.roi.place == "early"
        patches = ROI_PATCHES if block_alone else PATCHES
        if self.roi.keep > patches:
            raise ValueError(f"roi.keep is {self.roi.keep}, of {patches} patches")
        for name, attending, width in (
            ("audio", self.audio, self.audio.width),
            ("vision", self.vision, self.vision.width),
            ("temporal", self.temporal, self.vision.width),
            ("fusion", self.fusion, self.fusion.width),
        ):
            if attending.head_width is None and width % attending.heads:
                raise ValueError(f"{name}.heads: {attending.heads} do not divide {width}")
            if width % head_width(attending, width):
                raise ValueError(
                    f"{name}.head_width: {attending.head_width} does not divide {width}"
                )
        if self.fusion.heads % self.fusion.key_value_heads:
            raise ValueError(
                f"fusion.key_value_heads: {self.fusion.key_value_heads} do not divide "
                f"{self.fusion.heads}"
            )
        fusion_head = head_width(self.fusion, self.fusion.width)
        if self.fusion.kind == "lfm2" and fusion_head % 2:
            # Rotary positions turn pairs of features.
            raise ValueError(f"fusion.head_width is {fusion_head}, must be even")
        if not self.audio.encoders:
            raise ValueError("audio.encoders: there must be one")
        if self.audio.upstream and self.audio.encoders != ("fastconformer",):
            raise ValueError("audio.upstream: pretrained weights are of one fastconformer")
        if self.vision.upstream and self.vision.stem == "conv":
            raise ValueError("vision.upstream: pretrained weights have no convolutional stem")
        # Normalised in eight groups.
        attends = self.audio.layers and set(self.audio.encoders) != {"convolutional"}
        if attends and not self.audio.batch_norm and self.audio.width % 8:
            raise ValueError(f"audio.width is {self.audio.width}, must be a multiple of 8")
        if self.audio.stem_width % 8:
            raise ValueError(
                f"audio.stem_width is {self.audio.stem_width}, must be a multiple of 8"
            )
        if self.audio.conv_kernel % 2 == 0:
            raise ValueError(f"audio.conv_kernel is {self.audio.conv_kernel}, must be odd")

    @classmethod
    def preset(cls, name: Preset) -> Self:
        """The configuration of ``compact``, ``lightweight`` or ``full``.

        Raises:
            ValueError: no such preset.
        """
        if name == "compact":
            # Trained on thousands of pictures, not millions: convolutions first, and 64 of 196
            # patches. At twice the face box they hold hair and chin as well.
            return cls(
                audio=AudioConfig(encoders=("stemmed",), layers=1, dropout=0.2, functionals=True),
                vision=VisionConfig(stem="conv", layers=2, face_scale=2.0),
                roi=RoiConfig(place="early"),
                fusion=FusionConfig(layers=3),
            )
        wide = AudioConfig(width=512, heads=8, subsampling_channels=256)
        siglip2 = VisionConfig(upstream=SIGLIP2, width=768, heads=12, mlp=3072)
        if name == "lightweight":
            return cls(
                name=name,
                audio=wide,
                vision=siglip2,
                fusion=FusionConfig(width=384, feed_forward=2304),
            )
        if name == "full":
            return cls(
                name=name,
                audio=dataclasses.replace(wide, layers=17),
                vision=siglip2,
                fusion=FusionConfig(
                    upstream=LFM2, width=1536, heads=24, key_value_heads=8, feed_forward=10240
                ),
            )
        raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """The configuration written by :meth:`as_json`.

        Raises:
            ValueError: a key that is unknown or a value of the wrong type, named by its path.
        """
        config = read_section(cls, values, "config")
        if config.labels != EMOTIONS:
            raise ValueError(
                f"labels are {', '.join(config.labels)}; this program knows {', '.join(EMOTIONS)}"
            )
        return config


def head_width(part: AudioConfig | VisionConfig | TemporalConfig | FusionConfig, width: int) -> int:
    """The features of one head of ``part``, which works on ``width``.

    Where heads were pruned those left keep theirs, and together they no longer fill the width. The
    poolings, which cut the width itself into heads, still have ``width // head_width`` of them.
    """
    return part.head_width or width // part.heads
