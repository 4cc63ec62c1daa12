from __future__ import annotations

import pickle

import numpy as np
import pytest

from fer_core.media import CLIP_SAMPLES, SEGMENT_SAMPLES, Waveform
from fer_core.preprocess import speech, speech_listener
from fer_core.preprocess.speech import CHUNK, speech_probabilities
from fer_core.preprocess.speech_listener import SpeechListener

EVERYTHING = np.ones(CLIP_SAMPLES, bool)
HOPS = 9


@pytest.fixture
def stream(voice: Waveform) -> Waveform:
    """Somebody speaks, pauses and speaks on."""
    sound = np.zeros(CLIP_SAMPLES + HOPS * SEGMENT_SAMPLES, np.float32)
    sound[:CLIP_SAMPLES] = voice[:CLIP_SAMPLES]
    rest = len(sound) - CLIP_SAMPLES - SEGMENT_SAMPLES
    sound[-rest:] = voice[:rest]
    return sound


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples the detector was given in each call."""
    counts: list[int] = []

    def counted(waveform: Waveform, memory: speech.Memory) -> object:
        counts.append(len(waveform))
        return speech.listen_on(waveform, memory)

    monkeypatch.setattr(speech_listener, "listen_on", counted)
    return counts


def of_clip(stream: Waveform, first: int) -> np.ndarray:
    """The share of each segment as a detector says it that hears the stream from its beginning."""
    spoken = np.repeat(speech_probabilities(stream[: first + CLIP_SAMPLES]) >= 0.5, CHUNK)
    return spoken[first : first + CLIP_SAMPLES].reshape(8, -1).mean(1)


def test_clips_are_heard_as_the_stream_they_are_cut_from(stream: Waveform) -> None:
    listener = SpeechListener()
    shares = []
    for hop in range(HOPS + 1):
        first = hop * SEGMENT_SAMPLES
        clip = stream[first : first + CLIP_SAMPLES]
        shares.append(listener.by_segment(first, clip, EVERYTHING, 0.5))
        np.testing.assert_allclose(shares[-1], of_clip(stream, first), atol=1e-6)
    assert 0.2 < np.mean(shares) < 0.95


def test_each_sample_is_listened_to_about_once(stream: Waveform, listened: list[int]) -> None:
    listener = SpeechListener()
    for hop in range(HOPS + 1):
        first = hop * SEGMENT_SAMPLES
        listener.by_segment(first, stream[first : first + CLIP_SAMPLES], EVERYTHING, 0.5)
    assert sum(listened) < len(stream) + (HOPS + 1) * CHUNK


def test_sound_that_comes_late_is_heard_when_it_has_come(stream: Waveform) -> None:
    listener = SpeechListener()
    late = EVERYTHING.copy()
    late[-3000:] = False
    listener.by_segment(0, np.where(late, stream[:CLIP_SAMPLES], 0), late, 0.5)
    first = SEGMENT_SAMPLES
    share = listener.by_segment(first, stream[first : first + CLIP_SAMPLES], EVERYTHING, 0.5)
    np.testing.assert_allclose(share, of_clip(stream, first), atol=1e-6)


@pytest.mark.parametrize("first", [-SEGMENT_SAMPLES, 0, CHUNK, CLIP_SAMPLES, 10 * CLIP_SAMPLES])
def test_another_sound_is_listened_to_anew(
    stream: Waveform, noise: Waveform, listened: list[int], first: int
) -> None:
    """Earlier, at the same place, overlapping, and behind."""
    listener = SpeechListener()
    listener.by_segment(0, noise[:CLIP_SAMPLES], EVERYTHING, 0.5)
    listened.clear()
    clip = stream[:CLIP_SAMPLES]
    share = listener.by_segment(first, clip, EVERYTHING, 0.5)
    np.testing.assert_allclose(share, of_clip(stream, 0), atol=1e-6)
    assert sum(listened) == CLIP_SAMPLES


def test_only_real_samples_count_as_speech(stream: Waveform) -> None:
    nothing = SpeechListener().by_segment(0, stream[:CLIP_SAMPLES], ~EVERYTHING, 0.0)
    assert nothing.sum() == 0
    half = EVERYTHING.copy()
    half[CLIP_SAMPLES // 2 :] = False
    share = SpeechListener().by_segment(0, stream[:CLIP_SAMPLES], half, 0.0)
    np.testing.assert_array_equal(share, [1, 1, 1, 1, 0, 0, 0, 0])


def test_memory_does_not_grow(noise: Waveform) -> None:
    listener = SpeechListener()
    long = np.tile(noise[:CLIP_SAMPLES], 4)
    for first in range(0, len(long) - CLIP_SAMPLES, SEGMENT_SAMPLES):
        listener.by_segment(first, long[first : first + CLIP_SAMPLES], EVERYTHING, 0.5)
        assert len(pickle.dumps(listener)) < 4 * (CLIP_SAMPLES + CHUNK) + 4096
