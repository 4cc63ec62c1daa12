from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from fer_core.config import FERConfig, VisionConfig
from fer_core.media import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    SEGMENT_SAMPLES,
    FaceBox,
    RgbImage,
    Waveform,
)
from fer_core.model.inputs import LOG_FLOOR
from fer_core.preprocess.clip_processor import ClipProcessor

FACE = FaceBox(100, 60, 80, 80, 0.9)
EVERYTHING = np.ones(CLIP_SAMPLES, bool)


@pytest.fixture(scope="module")
def processor() -> ClipProcessor:
    return ClipProcessor(FERConfig())


def image() -> RgbImage:
    return np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)


def test_a_frame_is_pixels_and_the_patches_on_its_face(processor: ClipProcessor) -> None:
    picture = processor.picture(image(), FACE)
    assert picture.pixels.shape == (3, 224, 224)
    assert picture.pixels.dtype == torch.float32
    assert picture.roi.sum() == 64


def test_everything_heard_is_given(processor: ClipProcessor, voice: Waveform) -> None:
    sound = processor.sound(voice, EVERYTHING)
    assert sound.spectra.shape == (301, 160)
    assert sound.audio_mask.all()
    assert sound.speech > 0.7
    rms = np.sqrt(np.mean(voice.astype(float) ** 2))
    assert sound.level_dbfs == pytest.approx(20 * np.log10(rms))


def test_pixels_are_red_green_blue_planes_from_minus_one_to_one(processor: ClipProcessor) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[..., 0], image[..., 2] = 255, 51
    pixels = processor.picture(image, FACE).pixels
    for plane, value in zip(pixels, (1.0, -1.0, -0.6), strict=True):
        torch.testing.assert_close(plane, torch.full((224, 224), value))


def test_framing_is_the_configurations() -> None:
    whole = ClipProcessor(FERConfig(vision=VisionConfig(framing="frame"))).picture(image(), FACE)
    rows = whole.pixels[:, :20]  # above the picture: its first row goes on
    torch.testing.assert_close(rows, rows[:, :1].expand_as(rows), rtol=0, atol=0.02)


def test_no_sound_at_all_has_no_level(processor: ClipProcessor, silence: Waveform) -> None:
    sound = processor.sound(silence, ~EVERYTHING)
    assert sound.level_dbfs is None
    assert sound.speech == 0
    assert not sound.audio_mask.any()
    np.testing.assert_allclose(sound.spectra, LOG_FLOOR, rtol=1e-6)


def test_digital_silence_counts_as_absent(processor: ClipProcessor, silence: Waveform) -> None:
    sound = processor.sound(silence, EVERYTHING)
    assert sound.level_dbfs == -120
    assert not sound.audio_mask.any()


def test_whisper_under_the_threshold_counts_as_absent(
    processor: ClipProcessor, voice: Waveform
) -> None:
    loud = processor.sound(voice, EVERYTHING)
    assert loud.level_dbfs is not None
    limit = FERConfig().thresholds.silence_dbfs
    for margin, heard in ((1, True), (-1, False)):
        gain = np.float32(10 ** ((limit - loud.level_dbfs + margin) / 20))
        assert bool(processor.sound(gain * voice, EVERYTHING).audio_mask.any()) is heard


def test_loud_sound_without_a_voice_counts_as_absent(
    processor: ClipProcessor, noise: Waveform
) -> None:
    sound = processor.sound(noise, EVERYTHING)
    assert sound.level_dbfs == pytest.approx(-20, abs=0.1)
    assert sound.speech == 0
    assert not sound.audio_mask.any()


@pytest.mark.parametrize(("seconds", "heard"), [(0.19, False), (0.4, True)])
def test_a_word_too_short_counts_as_absent(
    processor: ClipProcessor, voice: Waveform, seconds: float, heard: bool
) -> None:
    """The sentence has just begun; its first sound is loud enough, and half a segment long."""
    sound = np.zeros(CLIP_SAMPLES, np.float32)
    begin = CLIP_SAMPLES - int(seconds * SAMPLE_RATE)
    sound[begin:] = voice[: CLIP_SAMPLES - begin]
    processed = processor.sound(sound, EVERYTHING)
    assert processed.level_dbfs is not None
    assert processed.level_dbfs > -40
    assert 0 < processed.speech * 3 <= seconds + 0.001
    assert bool(processed.audio_mask.any()) is heard


def test_silent_segment_between_words_is_hidden(processor: ClipProcessor, voice: Waveform) -> None:
    sound = voice.copy()
    sound[3 * SEGMENT_SAMPLES : 4 * SEGMENT_SAMPLES] = 0
    heard = processor.sound(sound, EVERYTHING).audio_mask
    assert heard.tolist() == 3 * [True] + [False] + 4 * [True]


def test_hidden_samples_change_nothing_even_if_they_are_no_numbers(
    processor: ClipProcessor, voice: Waveform
) -> None:
    mask = EVERYTHING.copy()
    mask[:10_000] = False
    clean = processor.sound(voice, mask)
    for rubbish in (np.nan, np.inf, 1000.0):
        spoilt = voice.copy()
        spoilt[:10_000] = rubbish
        sound = processor.sound(spoilt, mask)
        assert torch.equal(sound.spectra, clean.spectra)
        assert torch.equal(sound.audio_mask, clean.audio_mask)
        assert (sound.level_dbfs, sound.speech) == (clean.level_dbfs, clean.speech)


def test_real_samples_that_are_no_numbers_are_refused(
    processor: ClipProcessor, voice: Waveform
) -> None:
    spoilt = voice.copy()
    spoilt[7:9] = np.nan, np.inf
    with pytest.raises(ValueError, match="2 samples are not finite"):
        processor.sound(spoilt, EVERYTHING)


def test_what_it_is_given_is_not_changed(processor: ClipProcessor, voice: Waveform) -> None:
    seen, heard, mask = image(), voice.copy(), EVERYTHING.copy()
    mask[:1000] = False
    processor.picture(seen, FACE)
    processor.sound(heard, mask)
    np.testing.assert_array_equal(seen, image())
    np.testing.assert_array_equal(heard, voice)


def test_it_can_be_sent_to_a_worker_after_use(processor: ClipProcessor, voice: Waveform) -> None:
    sound = processor.sound(voice, EVERYTHING)
    again = pickle.loads(pickle.dumps(processor)).sound(voice, EVERYTHING)
    assert torch.equal(again.spectra, sound.spectra)
    assert again.speech == sound.speech
