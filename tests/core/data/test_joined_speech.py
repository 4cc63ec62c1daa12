from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.data.joined_speech import AT_MOST, SHORTEST_SECONDS, follow, joined
from fer_core.data.store import Prepared
from fer_core.media import SAMPLE_RATE
from fer_core.preprocess.speech import CHUNK


def said(value: float, chunks: int, pause: int = 20) -> Prepared:
    """``chunks`` of 32 ms in which all samples are ``value``, between two pauses of -1."""
    samples = np.full((pause + chunks + pause, CHUNK), -1, np.float32)
    speech = np.zeros(len(samples), np.float32)
    samples[pause : pause + chunks], speech[pause : pause + chunks] = value, 0.9
    nothing = np.zeros(0)
    seconds = samples.size / SAMPLE_RATE
    rois = np.zeros((0, 196), np.bool_)
    return Prepared(seconds, samples.ravel(), [], rois, nothing, nothing, speech)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_joined_speech_has_no_pause_and_lasts_three_seconds_at_most() -> None:
    for seed in range(20):
        talk = joined([said(0.1, 60), said(0.2, 60), said(0.3, 60)], 0.5, rng(seed))
        assert talk.waveform is not None
        assert talk.waveform.min() > 0
        assert SHORTEST_SECONDS - 0.02 < talk.duration_s < 3.02
        assert len(talk.waveform) == len(talk.speech) * CHUNK == talk.duration_s * SAMPLE_RATE


def test_joined_speech_may_begin_and_end_within_any_of_its_parts() -> None:
    parts = [said(0.1, 60), said(0.2, 60), said(0.3, 60)]
    talks = [joined(parts, 0.5, rng(seed)).waveform for seed in range(40)]
    first = {round(float(talk[0]), 1) for talk in talks if talk is not None}
    last = {round(float(talk[-1]), 1) for talk in talks if talk is not None}
    assert first == last == {0.1, 0.2, 0.3}


def test_speech_shorter_than_the_cut_is_kept_whole() -> None:
    talk = joined([said(0.1, 5), said(0.2, 6)], 0.5, rng())
    assert talk.duration_s == 11 * CHUNK / SAMPLE_RATE


def test_parts_in_which_nobody_speaks_leave_the_first_as_it_is() -> None:
    silent = said(0.1, 0)
    assert joined([silent, said(0.2, 0)], 0.5, rng()) is silent


def test_a_sound_that_ends_within_a_chunk_keeps_in_step_with_its_speech() -> None:
    part = said(0.1, 40, pause=0)
    assert part.waveform is not None
    talk = joined([replace(part, waveform=part.waveform[:-100])], 0.5, rng())
    assert talk.waveform is not None
    assert len(talk.waveform) == len(talk.speech) * CHUNK


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Two speakers, two emotions, six utterances of each."""
    return [
        Item(
            f"{speaker}-{emotion}-{take}", tmp_path / f"{speaker}{emotion}{take}.wav", "recording",
            True, False, one_emotion(emotion), EACH_ALONE, speaker=speaker,
        )
        for speaker in ("a", "b")
        for emotion in (2, 3)
        for take in range(6)
    ]  # fmt: skip


def test_a_speaker_goes_on_with_other_utterances_of_the_same_emotion(items: list[Item]) -> None:
    followers = {item for seed in range(30) for item in follow(items[0], items, rng(seed))}
    assert followers == set(items[1:6])
    assert len(follow(items[0], items, rng())) == AT_MOST - 1


def test_nobody_follows_a_speaker_who_is_not_known(items: list[Item]) -> None:
    unknown = [replace(item, speaker=None) for item in items]
    assert follow(unknown[0], unknown, rng()) == []
