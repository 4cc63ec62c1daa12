"""One pipeline: a clip gets the same answers as a file, live, and where models are trained.

Everything is real: decoder, detector, tracker, resampler and the bundled network. Live, every
frame comes at its own time and is searched for faces, and the sound comes in small blocks at the
file's own rate.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_core.analysis.analysis import Analysis
from fer_core.analysis.model import LoadedModel
from fer_core.data.batch import collate
from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.data.media_picture import frames
from fer_core.data.store import MediaStore
from fer_core.evaluation.evaluate import answer, seen_segments
from fer_core.media import CLIP_SECONDS, HOP_SECONDS, AudioBlock
from fer_core.media_writer import MediaWriter
from fer_core.model.temperature import calibrated_logits
from fer_core.predictor import Predictor
from fer_core.preprocess.face import FaceDetector, FaceTracker
from fer_core.streaming import StreamingPredictor
from fer_desktop.capture.resampler import StreamResampler
from fer_desktop.capture.synthetic import draw_face, speech
from fer_desktop.capture.synthetic_voice import VOICE_RATE
from fer_desktop.live.recent_media import RecentMedia

BLOCK = 480  # samples, as a sound card brings them

Windows = dict[float, tuple[NDArray, NDArray]]  # by start: probabilities (8,) and (8, 8)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    torch.set_num_threads(1)
    return LoadedModel.load(None, "cpu")


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4.2 s of the drawn face at a rate that changes, with the made-up voice."""
    path = tmp_path_factory.mktemp("talking") / "talking.mp4"
    steps_s = np.random.default_rng(0).uniform(0.02, 0.06, 200).cumsum()
    with MediaWriter(path, draw_face(0.0).shape[1::-1], VOICE_RATE) as file:
        for time_s in steps_s[steps_s < 4.2] - steps_s[0]:
            file.write_frame(draw_face(time_s), time_s)
        file.write_sound(speech(0.0, round(4.2 * VOICE_RATE)), 0.0)
    return path


class _Noting(Predictor):
    """Remembers what it answered."""

    said: Windows

    def answers(self, clips, seen, listener=None):
        answers = super().answers(clips, seen, listener)
        for clip, found in zip(clips, answers, strict=True):
            if found is not None:
                self.said[clip.start_s] = (found.probabilities, found.segment_probabilities)
        return answers


def as_file(path: Path, model: LoadedModel) -> Windows:
    noting = _Noting(model.predictor._model)
    noting.said = {}
    for _ in Analysis(path, LoadedModel(noting, model.used)).segments():
        pass
    return noting.said


def live(path: Path, model: LoadedModel) -> Windows:
    recent, tracker, resampler = RecentMedia(), FaceTracker(), StreamResampler()
    blocks = sound_card(path)
    predictor = StreamingPredictor(model.predictor)
    said: Windows = {}

    def answer_until(time_s: float) -> None:
        """All clips that end before, as the inference thread does."""
        while (end_s := CLIP_SECONDS + len(said) * HOP_SECONDS) < time_s:
            found = predictor.predict(recent.clip(end_s))
            assert found is not None
            said[end_s - CLIP_SECONDS] = (found.probabilities, found.segment_probabilities)

    heard_s = 0.0
    with FaceDetector() as detector:
        for frame in frames(path):
            while heard_s < frame.time_s + 0.1 and (block := next(blocks, None)) is not None:
                recent.add_audio(resampler.process(block))
                heard_s = block.time_s + BLOCK / block.sample_rate
            answer_until(frame.time_s)
            faces = detector.detect(frame.image)
            recent.add_frame(frame, tracker.follow(faces, frame.time_s))
    return said


def sound_card(path: Path):
    """The file's sound at its own rate in one channel, in small blocks."""
    with av.open(str(path)) as file:
        rate = file.streams.audio[0].rate
        to_float = av.AudioResampler(format="fltp")
        sound = np.concatenate(
            [p.to_ndarray().mean(0) for f in file.decode(audio=0) for p in to_float.resample(f)]
        ).astype(np.float32)
    for begin in range(0, len(sound), BLOCK):
        yield AudioBlock(sound[begin : begin + BLOCK], rate, begin / rate)


@torch.inference_mode()
def in_training(path: Path, model: LoadedModel, cache: Path) -> Windows:
    network, config = model.predictor._model, model.predictor.config
    cutter = ClipCutter(MediaStore(cache, config.vision), config, torch.zeros(160))
    item = Item("a", path, "recording", True, True, one_emotion(0), EACH_ALONE)
    starts = cutter.starts(item)
    batch = collate([cutter.window(item, start_s, Modalities()) for start_s in starts])
    output = answer(network, batch)
    clip, segments = calibrated_logits(
        output.logits, output.segment_logits, batch.audio_mask, seen_segments(batch.frame_mask),
        config.temperatures,
    )  # fmt: skip
    both = zip(clip.softmax(-1).numpy(), segments.softmax(-1).numpy(), strict=True)
    return dict(zip(starts, both, strict=True))


def assert_the_same(path: Path, model: LoadedModel, cache: Path) -> None:
    file, stream, training = (
        as_file(path, model),
        live(path, model),
        in_training(path, model, cache),
    )
    assert file.keys() == training.keys()
    assert len(stream) >= 1
    assert stream.keys() <= file.keys()
    for start_s, (probabilities, segments) in file.items():
        for other in (training, stream):
            if start_s in other:
                np.testing.assert_allclose(other[start_s][0], probabilities, atol=1e-4)
                np.testing.assert_allclose(other[start_s][1], segments, atol=1e-4)


@pytest.mark.timeout(300)
def test_a_made_clip_gets_the_same_answers_everywhere(
    talking: Path, model: LoadedModel, tmp_path: Path
) -> None:
    assert_the_same(talking, model, tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["cremad_sad.mp4", "01-01-06-02-02-02-05.mp4"])
def test_a_real_clip_gets_the_same_answers_everywhere(
    name: str, model: LoadedModel, tmp_path: Path, real_clips: Path
) -> None:
    assert_the_same(real_clips / name, model, tmp_path)
