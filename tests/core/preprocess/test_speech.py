from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES, Waveform
from fer_core.preprocess import speech
from fer_core.preprocess.speech import CHUNK, speech_by_segment, speech_probabilities

EVERYTHING = np.ones(CLIP_SAMPLES, bool)


def test_probabilities_are_those_of_the_librarys_own_wrapper(voice: Waveform) -> None:
    threads = torch.get_num_threads()
    from silero_vad import load_silero_vad

    torch.set_num_threads(threads)  # the import changes it, which is why the program avoids it
    wrapper = load_silero_vad(onnx=True)
    padded = np.pad(voice, (0, -len(voice) % CHUNK))
    expected = [wrapper(torch.from_numpy(c), SAMPLE_RATE).item() for c in padded.reshape(-1, CHUNK)]
    np.testing.assert_allclose(speech_probabilities(voice), expected, atol=1e-4)


def test_long_sound_is_heard_in_parts_with_the_same_answers(
    voice: Waveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = speech_probabilities(voice)
    monkeypatch.setattr(speech, "CHUNKS_AT_ONCE", 7)
    np.testing.assert_allclose(speech_probabilities(voice), at_once, atol=1e-5)
    assert at_once.max() > 0.9


def test_detecting_speech_leaves_torchs_threads_alone() -> None:
    code = (
        "import sys, torch, numpy; torch.set_num_threads(2)\n"
        "from fer_core.preprocess.speech import speech_probabilities\n"
        "speech_probabilities(numpy.zeros(48000, 'f4'))\n"
        "sys.exit(torch.get_num_threads() != 2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_voice_is_speech_and_other_sounds_are_not(voice: Waveform, noise: Waveform) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(CLIP_SAMPLES) / SAMPLE_RATE)).astype("f4")
    assert speech_by_segment(voice, EVERYTHING, 0.5).mean() > 0.7
    for sound in (noise, tone, np.zeros(CLIP_SAMPLES, np.float32)):
        assert speech_by_segment(sound, EVERYTHING, 0.5).sum() == 0


def test_speech_is_counted_in_the_segment_in_which_it_is(voice: Waveform) -> None:
    sound = np.zeros(CLIP_SAMPLES, np.float32)
    sound[5 * SEGMENT_SAMPLES : 7 * SEGMENT_SAMPLES] = voice[: 2 * SEGMENT_SAMPLES]
    share = speech_by_segment(sound, EVERYTHING, 0.5)
    assert share[:5].sum() == 0
    assert (share[5:7] > 0.5).all()


def test_only_real_samples_count_as_speech(voice: Waveform) -> None:
    mask = EVERYTHING.copy()
    mask[SEGMENT_SAMPLES:] = False
    share = speech_by_segment(voice, mask, 0.5)
    assert share[0] > 0.5
    assert share[1:].sum() == 0


def test_no_probability_reaches_a_threshold_above_one(voice: Waveform) -> None:
    assert speech_by_segment(voice, EVERYTHING, 1.01).sum() == 0
    np.testing.assert_array_equal(speech_by_segment(voice, EVERYTHING, 0.0), np.ones(8))


def test_speech_is_found_where_an_actor_speaks(real_clips: Path) -> None:
    """RAVDESS: silence, one sentence, silence."""
    av = pytest.importorskip("av")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(real_clips / "01-01-06-02-02-02-05.mp4")) as file:
        blocks = [b.to_ndarray()[0] for f in file.decode(audio=0) for b in resampler.resample(f)]
    sound = np.concatenate(blocks)[:CLIP_SAMPLES].astype(np.float32)
    share = speech_by_segment(sound, EVERYTHING, 0.5)
    assert share[0] == 0
    assert share[3:6].min() > 0.8
