from __future__ import annotations

import numpy as np
import pytest

from fer_core.config import Thresholds
from fer_core.media import SAMPLE_RATE
from fer_core.preprocess.face import FaceDetector
from fer_desktop.capture.resampler import StreamResampler
from fer_desktop.capture.synthetic import SyntheticCamera, SyntheticMicrophone, draw_face, speech
from fer_desktop.capture.synthetic_face import EXPRESSIONS
from fer_desktop.capture.synthetic_voice import PHRASE_SECONDS, PROSODIES, VOICE_RATE, openness


class Clock:
    """Time passes by itself with each look at it: more than a frame or a block needs."""

    def __init__(self, now: float, step: float = 0.04) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_the_face_finder_finds_the_drawn_face_at_every_moment():
    with FaceDetector() as detector:
        for t in np.arange(0, 40, 0.23):
            faces = detector.detect(draw_face(t))
            assert len(faces) == 1, f"{len(faces)} faces at {t:.2f} s"
            assert faces[0].contains(320, 250)
            assert faces[0].score > 0.7


def test_the_drawn_face_moves_blinks_and_speaks():
    assert np.array_equal(draw_face(3.0), draw_face(3.0))
    assert draw_face(0.0).shape == (480, 640, 3)
    for early, late in ((0.0, 1.0), (3.40, 3.55), (0.0, 0.125)):
        changed = np.abs(draw_face(early).astype(int) - draw_face(late)).max()
        assert changed > 60


def test_any_stretch_of_the_voice_is_the_same_however_it_is_cut():
    whole = speech(1.0, VOICE_RATE // 2)
    parts = [speech(1.0 + i * 0.02, VOICE_RATE // 50) for i in range(25)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    assert np.abs(whole).max() < 1


def test_every_expression_has_a_prosody_of_its_own_and_no_phrase_is_too_loud():
    assert len(PROSODIES) == len(EXPRESSIONS) == len(set(PROSODIES))
    samples = round(PHRASE_SECONDS * VOICE_RATE)
    phrases = [speech(i * PHRASE_SECONDS, samples) for i in range(len(PROSODIES))]
    assert max(np.abs(phrase).max() for phrase in phrases) < 1
    levels = [float(np.sqrt((phrase**2).mean())) for phrase in phrases]
    assert levels[3] == min(levels), "sad is soft"


@pytest.mark.parametrize("start_s", [0.0, 123_456.75])
def test_a_voice_detector_hears_speech_in_phrases_and_silence_in_pauses(start_s):
    torch = pytest.importorskip("torch")
    from silero_vad import load_silero_vad

    model = load_silero_vad(onnx=True)
    resampler = StreamResampler()
    microphone = SyntheticMicrophone(Clock(start_s))
    microphone.open()
    blocks = [resampler.process(microphone.read(1.0)) for _ in range(1050)]  # every prosody
    sound = np.concatenate([block.samples for block in blocks])
    speaking, enough = [], Thresholds().speech_probability
    for i in range(0, len(sound) - 512, 512):
        speaking.append(float(model(torch.from_numpy(sound[i : i + 512]), SAMPLE_RATE)) > enough)
    times = blocks[0].time_s + (np.arange(len(speaking)) + 0.5) * 512 / SAMPLE_RATE
    phrase = times % PHRASE_SECONDS
    heard = np.array(speaking)
    for spoken in range(len(PROSODIES)):
        own = times // PHRASE_SECONDS % len(PROSODIES) == spoken
        assert heard[own & (phrase > 0.3) & (phrase < 2.7)].mean() > 0.8, PROSODIES[spoken]
        assert heard[own & (phrase > 3.2) & (phrase < 3.95)].mean() < 0.05, PROSODIES[spoken]


def test_the_mouth_is_shut_in_pauses_and_open_in_syllables():
    assert openness(np.array([0.125]))[0] > 0.5
    assert openness(np.array([2.8, 3.5])).max() == 0


def test_the_synthetic_camera_keeps_its_pace_and_a_slow_reader_misses_frames():
    clock = Clock(100.0, step=0.01)
    camera = SyntheticCamera(clock)
    camera.open()
    frames = [camera.read() for _ in range(3)]
    assert [frame.index - frames[0].index for frame in frames] == [0, 1, 2]
    assert frames[1].time_s - frames[0].time_s == pytest.approx(1 / 30)
    clock.now += 1.0
    assert camera.read().index - frames[0].index > 30


def test_the_synthetic_microphone_misses_nothing():
    clock = Clock(50.0)
    microphone = SyntheticMicrophone(clock)
    microphone.open()
    blocks = [microphone.read(1.0)]
    clock.now += 1.0
    blocks += [microphone.read(1.0) for _ in range(20)]
    ends = [block.time_s + len(block.samples) / block.sample_rate for block in blocks]
    assert [block.time_s for block in blocks[1:]] == pytest.approx(ends[:-1])
    assert blocks[0].sample_rate == 48_000


def test_a_read_that_would_take_too_long_gives_up():
    microphone = SyntheticMicrophone(lambda: 10.0)
    microphone.open()
    assert microphone.read(0.001) is None
