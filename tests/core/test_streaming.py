from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from fer_core.config import FERConfig, Thresholds
from fer_core.media import (
    CLIP_SAMPLES,
    HOP_SECONDS,
    SAMPLE_RATE,
    Clip,
    FaceBox,
    VideoFrame,
    sample_frames,
)
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.visual_branch import VisualBranch
from fer_core.predictor import EncodedSound, Predictor
from fer_core.preprocess.speech_listener import SpeechListener
from fer_core.streaming import StreamingPredictor
from fer_core.weights import new_model

RATE = 25  # frames a second
SECONDS = 6
HOPS = int((SECONDS - 3) / HOP_SECONDS) + 1


class Recording:
    """Six seconds of noise; each face moves, and ``lost`` frames have none."""

    def __init__(self, rate: float = RATE, lost: tuple[int, ...] = ()) -> None:
        random = np.random.default_rng(5)
        count = int(rate * SECONDS)
        images = random.integers(0, 256, (count, 60, 80, 3), np.uint8)
        self.frames = [VideoFrame(image, k / rate, k) for k, image in enumerate(images)]
        self.sound = (0.1 * random.standard_normal(SECONDS * SAMPLE_RATE)).astype(np.float32)
        self.lost = lost

    def face(self, frame: VideoFrame | None) -> FaceBox | None:
        if frame is None or frame.index in self.lost:
            return None
        return FaceBox(10 + frame.index % 7, 8, 30, 36, 0.9)

    def clips(self) -> Iterator[Clip]:
        for hop in range(HOPS):
            frames = sample_frames(self.frames, hop * HOP_SECONDS)
            faces = tuple(self.face(frame) for frame in frames)
            first = int(hop * HOP_SECONDS * SAMPLE_RATE)
            sound = self.sound[first : first + CLIP_SAMPLES]
            yield Clip(hop * HOP_SECONDS, frames, faces, sound, np.ones(CLIP_SAMPLES, bool))


@pytest.fixture
def encoded() -> Iterator[list[int]]:
    """How many frames each call gave to a vision encoder, counted where they enter it."""
    calls: list[int] = []

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, VisualBranch):
            calls.append(len(inputs[0]))

    # For all modules, because a predictor answers with a copy of the model's.
    hook = register_module_forward_pre_hook(count)
    yield calls
    hook.remove()


@pytest.fixture
def model(corrected: Callable[..., MultimodalFER], tiny_config: FERConfig) -> MultimodalFER:
    heard = dataclasses.replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))
    return corrected(new_model(heard, seed=1))


def test_stream_gives_the_answers_of_single_clips(model: MultimodalFER) -> None:
    recording = Recording(lost=(*range(20, 40), 97))
    del recording.frames[110:130]  # the camera stalls
    alone, stream = Predictor(model), StreamingPredictor(Predictor(model))
    distinct = set()
    for clip in recording.clips():
        expected, streamed = alone.predict(clip), stream.predict(clip)
        assert expected is not None
        assert streamed is not None
        for name in ("probabilities", "segment_probabilities", "segment_weights"):
            np.testing.assert_allclose(
                getattr(streamed, name), getattr(expected, name), atol=1e-5, err_msg=name
            )
        for name in ("face", "kept_patches", "audio_level_dbfs", "clip_end_s", "modalities"):
            assert getattr(streamed, name) == getattr(expected, name)
        np.testing.assert_array_equal(streamed.segment_video, expected.segment_video)
        distinct.add(streamed.probabilities.tobytes())
    assert len(distinct) == HOPS


def test_a_hop_encodes_two_frames(model: MultimodalFER, encoded: list[int]) -> None:
    stream = StreamingPredictor(Predictor(model))
    for clip in Recording().clips():
        stream.predict(clip)
    assert encoded == [16] + (HOPS - 1) * [2]


def test_slow_camera_has_each_frame_encoded_once(model: MultimodalFER, encoded: list[int]) -> None:
    stream = StreamingPredictor(Predictor(model))
    recording = Recording(rate=3)
    clips = list(recording.clips())
    for clip in clips:
        stream.predict(clip)
    shown = {frame.index for clip in clips for frame in clip.frames if frame is not None}
    assert sum(encoded) == len(shown)


def test_same_clip_again_encodes_nothing(model: MultimodalFER, encoded: list[int]) -> None:
    stream = StreamingPredictor(Predictor(model))
    clip = next(Recording().clips())
    first, second = stream.predict(clip), stream.predict(clip)
    assert encoded == [16]
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_frame_is_encoded_again_when_another_face_is_looked_at(
    model: MultimodalFER, encoded: list[int]
) -> None:
    stream = StreamingPredictor(Predictor(model))
    clip = next(Recording().clips())
    stream.predict(clip)
    somebody = FaceBox(40, 20, 20, 20, 0.7)
    stream.predict(dataclasses.replace(clip, faces=(*clip.faces[:-1], somebody)))
    assert encoded == [16, 1]


def test_only_the_newest_clips_faces_are_remembered(
    model: MultimodalFER, encoded: list[int]
) -> None:
    stream = StreamingPredictor(Predictor(model))
    clips = list(Recording().clips())
    stream.predict(clips[0])
    stream.predict(clips[-1])  # 3 s later, all frames are others
    stream.predict(clips[0])
    assert encoded == [16, 16, 16]


def test_clip_without_anything_forgets_too(model: MultimodalFER, encoded: list[int]) -> None:
    stream = StreamingPredictor(Predictor(model))
    clip = next(Recording().clips())
    stream.predict(clip)
    nothing = dataclasses.replace(
        clip, faces=16 * (None,), waveform_mask=np.zeros(CLIP_SAMPLES, bool)
    )
    assert stream.predict(nothing) is None
    stream.predict(clip)
    assert encoded == [16, 16]


def test_another_source_may_count_its_frames_from_zero_again(model: MultimodalFER) -> None:
    stream = StreamingPredictor(Predictor(model))
    clip = next(Recording().clips())
    stream.predict(clip)
    other = dataclasses.replace(
        clip,
        frames=tuple(
            frame and dataclasses.replace(frame, image=255 - frame.image) for frame in clip.frames
        ),
    )
    stream.reset()
    expected, streamed = Predictor(model).predict(other), stream.predict(other)
    assert expected is not None
    assert streamed is not None
    np.testing.assert_allclose(streamed.probabilities, expected.probabilities, atol=1e-5)


def test_hearing_beside_looking_changes_nothing_but_the_time(
    model: MultimodalFER, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = list(Recording().clips())[:3]
    expected = [Predictor(model).predict(clip) for clip in clips]
    beside: list[str] = []
    encode_sound = Predictor.encode_sound

    def noted(
        self: Predictor, clips: Sequence[Clip], listener: SpeechListener | None = None
    ) -> list[EncodedSound]:
        beside.append(threading.current_thread().name)
        return encode_sound(self, clips, listener)

    monkeypatch.setattr(Predictor, "encode_sound", noted)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    stream = StreamingPredictor(Predictor(model))
    for clip, alone in zip(clips, expected, strict=True):
        prediction = stream.predict(clip)
        assert prediction is not None
        assert alone is not None
        np.testing.assert_allclose(prediction.probabilities, alone.probabilities, atol=1e-5)
    # The first clip has 16 new frames, which need both threads.
    assert [name.startswith("sound encoder") for name in beside] == [False, True, True]
