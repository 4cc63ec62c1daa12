from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from fer_core.config import FERConfig, Thresholds
from fer_core.data.batch import Batch, Sample, collate
from fer_core.data.clips import Modalities
from fer_core.data.item import NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.store import MediaStore
from fer_core.evaluation.evaluate import answers_to, evaluate
from fer_core.media import CLIP_SAMPLES, Clip
from fer_core.model.inputs import ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.predictor import Predictor
from fer_core.preprocess.opencv import cv2
from fer_core.weights import new_model

BOTH = Modalities()


@pytest.fixture
def model(corrected: Callable[..., MultimodalFER], tiny_config: FERConfig) -> MultimodalFER:
    """Noise may be heard: a voice detector of its own is not what is tested here."""
    config = dataclasses.replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))
    return corrected(new_model(config, seed=1))


@pytest.fixture
def store(tmp_path: Path, model: MultimodalFER) -> MediaStore:
    return MediaStore(tmp_path / "cache", model.config.vision)


@pytest.fixture
def voice(tmp_path: Path) -> Item:
    """3.5 s of noise: three windows, at 0, 0.375 and 0.5 s."""
    samples = (3000 * np.random.default_rng(0).standard_normal((1, 56_000))).astype(np.int16)
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, layout="mono")
        frame.sample_rate = 16_000
        file.mux([*track.encode(frame), *track.encode(None)])
    groups = tuple(range(8))
    return Item("voice", path, "recording", True, False, one_emotion(3), groups, "a", "female")


@pytest.fixture
def face(tmp_path: Path) -> Item:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (48, 48), np.uint8))
    return Item("face", path, "still", False, True, one_emotion(0), NEUTRAL_OR_CALM)


def test_windows_are_answered_as_live(model: MultimodalFER, store: MediaStore, voice: Item) -> None:
    answers = evaluate(model, [voice], store, BOTH)
    assert answers.item.tolist() == [0, 0, 0]
    waveform = store.prepared(voice).waveform
    assert waveform is not None
    for window, start in enumerate((0, 6_000, 8_000)):
        nothing = (None,) * 16
        heard = waveform[start : start + CLIP_SAMPLES]
        clip = Clip(start / 16_000, nothing, nothing, heard, np.ones(CLIP_SAMPLES, bool))
        live = Predictor(model).predict(clip)
        assert live is not None
        np.testing.assert_allclose(
            answers.logits[window].softmax(-1), live.probabilities, atol=1e-5
        )
        np.testing.assert_allclose(
            answers.segment_logits[window].softmax(-1), live.segment_probabilities, atol=1e-5
        )
        assert answers.heard[window].tolist() == live.segment_audio.tolist()
        assert answers.seen[window].tolist() == live.segment_video.tolist()


def test_a_still_is_one_window_that_is_only_seen(
    model: MultimodalFER, store: MediaStore, face: Item
) -> None:
    answers = evaluate(model, [face], store, BOTH)
    assert answers.item.tolist() == [0]
    assert answers.seen.all()
    assert not answers.heard.any()
    picture = store.prepared(face)
    shown = torch.from_numpy(picture.pictures[0]).permute(2, 0, 1) / 127.5 - 1
    sixteen = ModelInputs(
        pixels=shown.expand(1, 16, -1, -1, -1),
        frame_mask=torch.ones(1, 16, dtype=torch.bool),
        roi=torch.from_numpy(picture.rois).expand(1, 16, -1),
        spectra=torch.zeros(1, 301, 160),
        audio_mask=torch.zeros(1, 8, dtype=torch.bool),
    )
    with torch.inference_mode():
        torch.testing.assert_close(answers.logits, model(sixteen).logits, atol=1e-5, rtol=0)


def test_items_of_all_kinds_are_answered_together(
    model: MultimodalFER, store: MediaStore, voice: Item, face: Item
) -> None:
    """In the order of the items, whatever order the windows come in."""
    together = evaluate(model, [face, voice], store, BOTH).log_probabilities()
    for place, item in enumerate([face, voice]):
        alone = evaluate(model, [item], store, BOTH).log_probabilities()
        torch.testing.assert_close(together[place], alone[0], atol=1e-5, rtol=0)


def test_what_is_not_wanted_is_not_shown(
    model: MultimodalFER, store: MediaStore, voice: Item, face: Item
) -> None:
    answers = evaluate(model, [voice, face], store, Modalities(audio=False))
    assert answers.answered.tolist() == [False, True]


def test_progress_is_told(model: MultimodalFER, store: MediaStore, voice: Item, face: Item) -> None:
    told: list[tuple[int, int]] = []
    evaluate(model, [voice, face], store, BOTH, on_batch=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("hidden", ["some frames", "all frames", "all sound"])
def test_only_what_is_there_is_encoded_and_the_answer_is_the_networks(
    model: MultimodalFER,
    make_inputs: Callable[..., ModelInputs],
    voice: Item,
    hidden: str,
) -> None:
    inputs = make_inputs(2)
    frame_mask, audio_mask = inputs.frame_mask.clone(), inputs.audio_mask.clone()
    if hidden == "some frames":
        frame_mask[0, 3:9] = False
        frame_mask[1, 0] = False
    elif hidden == "all frames":
        frame_mask[:] = False
    else:
        audio_mask[:] = False
    inputs = dataclasses.replace(inputs, frame_mask=frame_mask, audio_mask=audio_mask)
    assert inputs.roi is not None
    batch: Batch = collate(
        [
            Sample(
                voice,
                frame_mask[i],
                audio_mask[i],
                pictures=inputs.pixels[i],
                rois=inputs.roi[i],
                spectra=inputs.spectra[i],
            )
            for i in range(2)
        ]
    )
    answers = answers_to(model.train(), [voice], [(batch, [0, 0])])
    with torch.inference_mode():
        whole = model.eval()(inputs)
    torch.testing.assert_close(answers.logits, whole.logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(answers.segment_logits, whole.segment_logits, atol=1e-5, rtol=0)
