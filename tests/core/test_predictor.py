from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.config import (
    FERConfig,
    PerModality,
    RoiConfig,
    Temperatures,
    Thresholds,
)
from fer_core.errors import UserError
from fer_core.media import CLIP_SAMPLES, SEGMENT_SAMPLES, Clip, FaceBox, VideoFrame
from fer_core.model.inputs import ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.prediction import Prediction
from fer_core.predictor import Predictor
from fer_core.weights import new_model, save_checkpoint

FACE = FaceBox(100, 60, 80, 80, 0.9)
NO_FACES = 16 * (None,)


@pytest.fixture
def config(tiny_config: FERConfig) -> FERConfig:
    """Noise may be heard: a voice detector of its own is not what is tested here."""
    return dataclasses.replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))


@pytest.fixture
def model(corrected: Callable[..., MultimodalFER], config: FERConfig) -> MultimodalFER:
    return corrected(new_model(config, seed=1))


@pytest.fixture
def clip() -> Clip:
    """Noise to see and hear."""
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (16, 240, 320, 3), np.uint8)
    frames = tuple(VideoFrame(image, 0.1875 * k, k) for k, image in enumerate(images))
    sound = (0.1 * random.standard_normal(CLIP_SAMPLES)).astype(np.float32)
    return Clip(4.5, frames, 16 * (FACE,), sound, np.ones(CLIP_SAMPLES, bool))


def answer(model: MultimodalFER, clip: Clip) -> Prediction:
    prediction = Predictor(model).predict(clip)
    assert prediction is not None
    return prediction


def without_sound(clip: Clip) -> Clip:
    return dataclasses.replace(clip, waveform_mask=np.zeros(CLIP_SAMPLES, bool))


@pytest.mark.parametrize("seen", [True, False], ids=["face and voice", "voice"])
def test_answer_is_that_of_the_whole_network_to_the_clip(
    model: MultimodalFER,
    clip: Clip,
    inputs_of: Callable[[Clip, FERConfig], ModelInputs],
    seen: bool,
) -> None:
    clip = clip if seen else dataclasses.replace(clip, faces=NO_FACES)
    prediction = answer(model, clip)
    with torch.inference_mode():
        output = model.eval()(inputs_of(clip, model.config))
    expected = output.logits[0].softmax(-1)
    np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)
    segments = output.segment_logits[0].softmax(-1)
    np.testing.assert_allclose(prediction.segment_probabilities, segments, atol=1e-5)
    np.testing.assert_allclose(prediction.segment_weights, output.segment_weights[0], atol=1e-5)


def test_answer_is_plain_values_that_say_what_it_rests_on(model: MultimodalFER, clip: Clip) -> None:
    prediction = answer(model, clip)
    assert prediction.clip_end_s == 7.5
    assert prediction.probabilities.dtype == np.float32
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.segment_probabilities.sum(axis=1) == pytest.approx(np.ones(8))
    assert prediction.segment_weights.sum() == pytest.approx(1)
    assert prediction.modalities == ("audio", "video")
    assert prediction.face == FACE
    assert len(set(prediction.kept_patches)) == 64
    assert {type(patch) for patch in prediction.kept_patches} == {int}
    assert prediction.audio_level_dbfs == pytest.approx(-20, abs=0.1)
    assert not prediction.segment_speech.any()
    assert prediction.took_ms > 0


def test_threads_lent_to_the_sound_encoder_come_back(
    model: MultimodalFER, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when what is heard cannot be used."""
    numbers: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    faces = 15 * (None,) + (FACE,)
    Predictor(model).predict(dataclasses.replace(clip, faces=faces))
    assert sorted(numbers[:2]) == [2, 2]
    assert numbers[2:] == [4]
    numbers.clear()
    noise = np.full(CLIP_SAMPLES, np.nan, np.float32)
    with pytest.raises(ValueError, match="not finite"):
        Predictor(model).predict(dataclasses.replace(clip, faces=faces, waveform=noise))
    assert numbers[-1] == 4


def test_equal_clips_give_equal_answers(model: MultimodalFER, clip: Clip) -> None:
    predictor = Predictor(model.train())  # dropout would make them differ
    first, second = predictor.predict(clip), predictor.predict(clip)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_nothing_to_see_and_to_hear_is_no_answer(model: MultimodalFER, clip: Clip) -> None:
    blind = dataclasses.replace(clip, faces=NO_FACES)
    predictor = Predictor(model)
    assert predictor.predict(without_sound(blind)) is None
    quiet = dataclasses.replace(blind, waveform=np.zeros(CLIP_SAMPLES, np.float32))
    assert predictor.predict(quiet) is None


def test_face_alone_is_enough(model: MultimodalFER, clip: Clip) -> None:
    prediction = answer(model, without_sound(clip))
    assert prediction.modalities == ("video",)
    assert prediction.audio_level_dbfs is None
    assert np.isfinite(prediction.probabilities).all()


def test_voice_alone_is_enough(model: MultimodalFER, clip: Clip) -> None:
    prediction = answer(model, dataclasses.replace(clip, faces=NO_FACES))
    assert prediction.modalities == ("audio",)
    assert prediction.face is None
    assert prediction.kept_patches == ()
    assert np.isfinite(prediction.probabilities).all()


def test_each_modality_counts(model: MultimodalFER, clip: Clip) -> None:
    both = answer(model, clip).probabilities
    for less in (without_sound(clip), dataclasses.replace(clip, faces=NO_FACES)):
        assert np.abs(answer(model, less).probabilities - both).max() > 1e-6


def test_sound_without_speech_does_not_sway_the_answer(tiny_config: FERConfig, clip: Clip) -> None:
    model = new_model(tiny_config, seed=1)
    noisy, mute = answer(model, clip), answer(model, without_sound(clip))
    assert noisy.modalities == ("video",)
    np.testing.assert_allclose(noisy.probabilities, mute.probabilities, atol=1e-6)


def test_segments_say_what_was_there(model: MultimodalFER, clip: Clip) -> None:
    mask = np.ones(CLIP_SAMPLES, bool)
    mask[:SEGMENT_SAMPLES] = False
    faces = (FACE, None, None, None, *clip.faces[4:])
    prediction = answer(model, dataclasses.replace(clip, faces=faces, waveform_mask=mask))
    assert prediction.segment_audio.tolist() == [False] + 7 * [True]
    assert prediction.segment_video.tolist() == [True, False] + 6 * [True]


def test_hidden_samples_that_are_no_numbers_change_nothing(
    model: MultimodalFER, clip: Clip
) -> None:
    mask = np.ones(CLIP_SAMPLES, bool)
    mask[20_000:30_000] = False
    spoilt = clip.waveform.copy()
    spoilt[20_000:30_000] = np.nan
    clean = answer(model, dataclasses.replace(clip, waveform_mask=mask))
    same = answer(model, dataclasses.replace(clip, waveform=spoilt, waveform_mask=mask))
    np.testing.assert_array_equal(clean.probabilities, same.probabilities)


def test_frames_without_a_face_change_nothing(model: MultimodalFER, clip: Clip) -> None:
    faces = (*clip.faces[:5], None, *clip.faces[6:])
    hidden = dataclasses.replace(clip, faces=faces)
    frames = (*clip.frames[:5], None, *clip.frames[6:])
    gone = dataclasses.replace(hidden, frames=frames)
    np.testing.assert_array_equal(
        answer(model, hidden).probabilities, answer(model, gone).probabilities
    )


def test_face_is_the_newest_one_and_its_patches_with_it(model: MultimodalFER, clip: Clip) -> None:
    elsewhere = FaceBox(10, 10, 40, 70, 0.8)
    faces = (*clip.faces[:13], elsewhere, None, None)
    prediction = answer(model, dataclasses.replace(clip, faces=faces))
    assert prediction.face == elsewhere
    alone = answer(model, dataclasses.replace(clip, faces=(*NO_FACES[:13], elsewhere, None, None)))
    assert prediction.kept_patches == alone.kept_patches
    assert prediction.kept_patches != answer(model, clip).kept_patches


@pytest.mark.parametrize("place", ["after", "early", "none"])
def test_every_place_of_compression_answers(config: FERConfig, clip: Clip, place: str) -> None:
    placed = dataclasses.replace(config, roi=RoiConfig(place=place))  # type: ignore[arg-type]
    prediction = answer(new_model(placed, seed=1), clip)
    assert len(prediction.kept_patches) == (196 if place == "none" else 64)


def all_but(**temperatures: float) -> PerModality:
    """Temperatures of 1 but for these."""
    return dataclasses.replace(PerModality(1.0, 1.0, 1.0), **temperatures)


def with_temperatures(model: MultimodalFER, **temperatures: PerModality) -> MultimodalFER:
    model.config = dataclasses.replace(model.config, temperatures=Temperatures(**temperatures))
    return model


def showing(present: str, clip: Clip) -> Clip:
    """``clip`` with "both" modalities, or with "audio" or "video" alone."""
    if present == "audio":
        return dataclasses.replace(clip, faces=NO_FACES)
    return without_sound(clip) if present == "video" else clip


def root(probabilities: np.ndarray) -> np.ndarray:
    """What temperature 2 makes of them."""
    roots = np.sqrt(probabilities)
    return np.asarray(roots / roots.sum(-1, keepdims=True))


@pytest.mark.parametrize("present", ["both", "audio", "video"])
def test_temperature_is_that_of_what_was_present(
    model: MultimodalFER, clip: Clip, present: str
) -> None:
    clip = showing(present, clip)
    sharp = answer(model, clip)
    flat = answer(with_temperatures(model, clip=all_but(**{present: 2.0})), clip)
    np.testing.assert_allclose(flat.probabilities, root(sharp.probabilities), rtol=1e-4)
    np.testing.assert_array_equal(flat.segment_probabilities, sharp.segment_probabilities)

    others = {other: 9.0 for other in ("both", "audio", "video") if other != present}
    same = answer(with_temperatures(model, clip=all_but(**others)), clip)
    np.testing.assert_array_equal(same.probabilities, sharp.probabilities)


def test_each_segment_has_the_temperature_of_what_it_holds(
    model: MultimodalFER, clip: Clip
) -> None:
    """The first is seen only, the second heard only, the others are both."""
    mask = np.ones(CLIP_SAMPLES, bool)
    mask[:SEGMENT_SAMPLES] = False
    faces = (FACE, None, None, None, *clip.faces[4:])
    clip = dataclasses.replace(clip, faces=faces, waveform_mask=mask)
    sharp = answer(model, clip)
    before = sharp.segment_probabilities
    for temperature, flattened in (("video", {0}), ("audio", {1}), ("both", set(range(2, 8)))):
        model = with_temperatures(model, segment=all_but(**{temperature: 2.0}))
        flat = answer(model, clip)
        after = flat.segment_probabilities
        for segment in range(8):
            expected = root(before[segment]) if segment in flattened else before[segment]
            np.testing.assert_allclose(after[segment], expected, rtol=1e-4)
        np.testing.assert_array_equal(flat.probabilities, sharp.probabilities)


@pytest.mark.parametrize("present", ["both", "audio", "video"])
def test_uncertain_means_under_the_models_threshold_for_what_was_present(
    model: MultimodalFER, clip: Clip, present: str
) -> None:
    clip = showing(present, clip)
    largest = float(answer(model, clip).probabilities.max())
    for threshold, other, uncertain in (
        (largest - 0.01, 1.0, False),
        (largest, 1.0, False),
        (largest + 0.01, 0.0, True),
    ):
        below = PerModality(
            **dict.fromkeys(("both", "audio", "video"), other) | {present: threshold}
        )
        limits = Thresholds(min_speech_s=0.0, uncertain_below=below)
        model.config = dataclasses.replace(model.config, thresholds=limits)
        assert answer(model, clip).uncertain is uncertain


def test_clips_answered_together_are_answered_as_one_by_one(
    model: MultimodalFER, clip: Clip
) -> None:
    nothing = dataclasses.replace(without_sound(clip), faces=NO_FACES)
    clips = [
        nothing,
        dataclasses.replace(clip, waveform=clip.waveform[::-1].copy(), faces=NO_FACES),
        without_sound(clip),
        dataclasses.replace(clip, start_s=5.0, faces=(*NO_FACES[:9], *clip.faces[9:])),
        clip,
    ]
    largest = [answer(model, own).probabilities.max() for own in clips[1:]]
    between = float(np.mean(sorted(largest)[1:3]))  # so that some are uncertain
    limits = Thresholds(min_speech_s=0.0, uncertain_below=PerModality(between, between, between))
    model.config = dataclasses.replace(model.config, thresholds=limits)
    predictor = Predictor(model)
    seen = predictor.encode_faces(list(zip(clip.frames, clip.faces, strict=True)), {})
    for own, together in zip(clips, predictor.answers(clips, seen), strict=True):
        alone = predictor.predict(own)
        if alone is None or together is None:
            assert own is nothing
            assert alone is together is None
            continue
        for field in dataclasses.fields(Prediction):
            if field.name != "took_ms":
                one, other = getattr(together, field.name), getattr(alone, field.name)
                if isinstance(one, np.ndarray):
                    np.testing.assert_allclose(one, other, atol=1e-5, err_msg=field.name)
                else:
                    assert one == other, field.name


def test_where_nobody_is_heard_the_network_does_not_listen(
    model: MultimodalFER, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened: list[int] = []
    encode = MultimodalFER.encode_audio

    def counted(self: MultimodalFER, spectra: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        listened.append(len(spectra))
        return encode(self, spectra, mask)

    monkeypatch.setattr(MultimodalFER, "encode_audio", counted)
    Predictor(model).encode_sound([without_sound(clip), clip, without_sound(clip)])
    Predictor(model).encode_sound([without_sound(clip)])
    assert listened == [1]


def test_where_nobody_is_seen_the_network_does_not_watch(
    model: MultimodalFER, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[int] = []
    forward = type(model.temporal_encoder).forward
    monkeypatch.setattr(
        type(model.temporal_encoder),
        "forward",
        lambda own, *inputs: watched.append(1) or forward(own, *inputs),
    )
    answer(model, dataclasses.replace(clip, faces=NO_FACES))
    assert not watched
    answer(model, clip)
    assert watched == [1]


def test_a_face_that_is_remembered_keeps_no_others_alive(model: MultimodalFER, clip: Clip) -> None:
    seen = Predictor(model).encode_faces(list(zip(clip.frames, clip.faces, strict=True)), {})
    assert len(seen) == 16
    for face in seen.values():
        assert face.vector.untyped_storage().nbytes() == face.vector.nbytes


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_broken_network_gives_no_answer(model: MultimodalFER, clip: Clip, value: float) -> None:
    with torch.no_grad():
        list(model.classifier.parameters())[-1].fill_(value)
    with pytest.raises(ValueError, match="the network answered with logits"):
        Predictor(model).predict(clip)


def test_saved_model_answers_as_before(model: MultimodalFER, clip: Clip, tmp_path: Path) -> None:
    save_checkpoint(model, tmp_path)
    loaded = Predictor.load(tmp_path, "cpu")
    prediction = loaded.predict(clip)
    assert prediction is not None
    np.testing.assert_allclose(prediction.probabilities, answer(model, clip).probabilities)
    assert loaded.config == model.config


def test_missing_model_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model"):
        Predictor.load(tmp_path, "cpu")
