from __future__ import annotations

import dataclasses
import json

import pytest

from fer_core.config import (
    PRESETS,
    AudioConfig,
    ClassifierConfig,
    FERConfig,
    FusionConfig,
    PerModality,
    Preset,
    RoiConfig,
    Temperatures,
    TemporalConfig,
    Thresholds,
    VisionConfig,
    head_width,
)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_survives_json(preset: Preset) -> None:
    config = FERConfig.preset(preset)
    assert FERConfig.from_json(json.loads(json.dumps(config.as_json()))) == config


def test_only_full_and_lightweight_need_pretrained_weights() -> None:
    assert FERConfig.preset("compact").vision.upstream is None
    assert FERConfig.preset("lightweight").vision.upstream == "google/siglip2-base-patch16-224"
    assert FERConfig.preset("full").fusion.upstream == "LiquidAI/LFM2-700M"


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="no preset 'huge'"):
        FERConfig.preset("huge")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], "expected an object, got list"),
        ({"colour": 1}, "config: unknown colour"),
        ({"audio": {"colour": 1}}, r"config\.audio: unknown colour"),
        ({"audio": {"width": "144"}}, r"config\.audio\.width: expected int, got '144'"),
        ({"audio": {"batch_norm": 1}}, r"config\.audio\.batch_norm: expected bool"),
        ({"audio": {"width": True}}, r"config\.audio\.width: expected int"),
        ({"roi": {"place": "before"}}, r"config\.roi\.place: 'before' is not one of"),
        ({"classifier": {"hidden": 3}}, r"config\.classifier\.hidden: expected"),
        ({"temperature": 1.5}, "config: unknown temperature"),  # one for all, of earlier versions
        ({"temperatures": {"clip": "1"}}, r"config\.temperatures\.clip: expected an object"),
        ({"temperatures": {"clip": {"both": 1.5}}}, r"\.temperatures\.clip: audio, video missing"),
        ({"labels": ["happy", "sad"]}, "labels are happy, sad; this program knows neutral"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(values: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        FERConfig.from_json(values)


def test_a_whole_number_may_stand_for_a_float() -> None:
    values = {"temperatures": {"clip": {"both": 1.0, "audio": 2, "video": 1.0}}}
    config = FERConfig.from_json(values)
    assert config.temperatures.clip == PerModality(both=1.0, audio=2.0, video=1.0)
    assert isinstance(config.temperatures.clip.audio, float)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"audio": AudioConfig(width=0)}, r"AudioConfig\.width is 0"),
        ({"audio": AudioConfig(heads=5)}, r"audio\.heads: 5 do not divide 144"),
        ({"audio": AudioConfig(conv_kernel=8)}, "conv_kernel is 8, must be odd"),
        ({"audio": AudioConfig(encoders=())}, "there must be one"),
        ({"audio": AudioConfig(upstream="x", encoders=("stemmed",))}, "are of one fastconformer"),
        ({"audio": AudioConfig(stem_width=12)}, "stem_width is 12, must be a multiple of 8"),
        ({"temporal": TemporalConfig(heads=9)}, r"temporal\.heads: 9 do not divide 192"),
        ({"audio": AudioConfig(head_width=35)}, r"audio\.head_width: 35 does not divide 144"),
        (
            {"temporal": TemporalConfig(head_width=9)},
            r"temporal\.head_width: 9 does not divide 192",
        ),
        ({"vision": VisionConfig(head_width=0)}, r"VisionConfig\.head_width is 0"),
        ({"audio": AudioConfig(feed_forward=0)}, r"AudioConfig\.feed_forward is 0"),
        ({"fusion": FusionConfig(key_value_heads=4)}, r"fusion\.key_value_heads: 4 do not"),
        ({"fusion": FusionConfig(head_width=3)}, r"fusion\.head_width is 3, must be even"),
        ({"fusion": FusionConfig(width=150)}, r"fusion\.head_width is 25, must be even"),
        ({"audio": AudioConfig(width=100)}, r"audio\.width is 100, must be a multiple of 8"),
        (
            {"vision": VisionConfig(upstream="x", stem="conv")},
            r"vision\.upstream: pretrained weights have no convolutional stem",
        ),
        ({"roi": RoiConfig(keep=197)}, "197, of 196"),
        (
            {"roi": RoiConfig(place="early", keep=65), "vision": VisionConfig(stem="conv")},
            "65, of 64",
        ),
        ({"vision": VisionConfig(face_scale=0.0)}, r"vision\.face_scale is 0"),
        ({"vision": VisionConfig(face_scale=float("nan"))}, r"vision\.face_scale is nan"),
        ({"audio": AudioConfig(dropout=2.0)}, r"AudioConfig\.dropout is 2"),
        (
            {"classifier": ClassifierConfig(dropout=float("nan"))},
            r"ClassifierConfig\.dropout is nan",
        ),
        ({"classifier": ClassifierConfig(hidden=(512, -1))}, r"ClassifierConfig\.hidden is -1"),
    ],
)
def test_a_network_that_cannot_be_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(FERConfig(), **changes)  # type: ignore[arg-type]


def test_heads_need_not_divide_the_width_where_their_own_is_given() -> None:
    audio = AudioConfig(heads=5, head_width=36)  # 5 * 36 is more than the width
    config = dataclasses.replace(FERConfig(), audio=audio)
    assert head_width(config.audio, config.audio.width) == 36
    assert FERConfig.from_json(config.as_json()) == config


@pytest.mark.parametrize("preset", PRESETS)
def test_a_configuration_from_before_heads_had_a_width_is_read(preset: Preset) -> None:
    config = FERConfig.preset(preset)
    values = config.as_json()
    for part in ("audio", "vision", "temporal", "fusion"):
        del values[part]["head_width"]
    del values["audio"]["feed_forward"]
    assert FERConfig.from_json(values) == config


def test_a_configuration_from_before_doubt_was_threefold_is_read() -> None:
    values = FERConfig.preset("compact").as_json()
    values["thresholds"]["uncertain_below"] = 0.319
    below = FERConfig.from_json(values).thresholds.uncertain_below
    assert below == PerModality(0.319, 0.319, 0.319)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_doubt_that_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="uncertain_below audio is"):
        Thresholds(uncertain_below=PerModality(both=0.4, audio=value, video=0.4))


@pytest.mark.parametrize(
    ("heard", "seen", "below"),
    [(True, True, 0.6), (True, False, 0.5), (False, True, 0.3), (False, False, 0.3)],
)
def test_doubt_depends_on_what_an_answer_rests_on(heard: bool, seen: bool, below: float) -> None:
    assert PerModality(both=0.6, audio=0.5, video=0.3).of(heard, seen) == below


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_no_probability_survives_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"temperature segment\.audio is"):
        Temperatures(segment=PerModality(both=1.0, audio=value, video=1.0))
