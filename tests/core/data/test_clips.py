from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from fer_core.config import FERConfig, Thresholds, VisionConfig
from fer_core.data.augment.picture import PictureAugmentation
from fer_core.data.augment.sound import SoundAugmentation
from fer_core.data.batch import Sample
from fer_core.data.clips import (
    Augmentation,
    ClipCutter,
    Modalities,
    random_start,
    spectra_statistics,
)
from fer_core.data.datasets import EpochBatches, FreshSamples, TrainingClips, Windows
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.pairs import paired
from fer_core.data.store import MediaStore, Prepared
from fer_core.media import SAMPLE_RATE, TICK_SECONDS
from fer_core.preprocess.speech import CHUNK

SILENT = SoundAugmentation(**{field.name: 0 for field in fields(SoundAugmentation)})
STILL = PictureAugmentation(**{field.name: 0.0 for field in fields(PictureAugmentation)})
HEARS, SEES = Modalities(video=False), Modalities(audio=False)


@pytest.fixture
def utterance(write_sound: Callable[..., Path]) -> Item:
    """4.5 s, loud from 1.5 s on."""
    random = np.random.default_rng(0)
    sound = 0.1 * random.standard_normal(int(4.5 * SAMPLE_RATE))
    sound[: int(1.5 * SAMPLE_RATE)] *= 1e-4
    path = write_sound("utterance.wav", sound)
    return Item("u", path, "recording", True, False, one_emotion(3), EACH_ALONE)


@pytest.fixture
def face(tmp_path: Path) -> Item:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    np.savez(tmp_path / "faces.npz", images=images)
    path = tmp_path / "faces.npz"
    return Item("f", path, "still", False, True, one_emotion(2), NEUTRAL_OR_CALM, index=2)


@pytest.fixture
def cutter(tmp_path: Path, tiny_config: FERConfig) -> ClipCutter:
    config = replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))
    blank = torch.linspace(-9.0, -5.0, 160)
    return ClipCutter(MediaStore(tmp_path / "cache", VisionConfig()), config, blank)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def assert_equal(one: Sample, other: Sample) -> None:
    for field in fields(Sample):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        same = torch.equal(mine, theirs) if isinstance(mine, torch.Tensor) else mine == theirs
        assert same, field.name


@pytest.fixture
def credulous(tmp_path: Path, tiny_config: FERConfig) -> ClipCutter:
    """It takes everything for speech, noise too."""
    limits = Thresholds(min_speech_s=0.0, speech_probability=0.0)
    config = replace(tiny_config, thresholds=limits)
    return ClipCutter(MediaStore(tmp_path / "cache", VisionConfig()), config, torch.zeros(160))


@pytest.fixture
def both(utterance: Item, write_sound: Callable[..., Path]) -> list[Item]:
    """Two utterances of one speaker."""
    sound = 0.1 * np.random.default_rng(1).standard_normal(SAMPLE_RATE * 4)
    own = replace(utterance, speaker="s")
    return [own, replace(own, key="o", path=write_sound("other.wav", sound))]


def test_talk_that_goes_on_is_another_clip_and_shows_nothing(
    credulous: ClipCutter, both: list[Item]
) -> None:
    one, other = both
    alone = credulous.varied(one, Modalities(), None, rng())
    talk = credulous.varied(one, Modalities(), None, rng(), followed_by=[other])
    assert talk.item == one
    assert talk.spectra is not None
    assert alone.spectra is not None
    assert not talk.spectra.equal(alone.spectra)
    assert talk.pictures is None


def test_voices_go_on_where_asked_for(credulous: ClipCutter, both: list[Item]) -> None:
    going_on = FreshSamples(credulous, None, 1.0, both)
    for item, other in zip(both, both[::-1], strict=True):
        talk = credulous.varied(item, HEARS, None, _after_one(rng()), followed_by=[other])
        assert_equal(going_on.sample(item, HEARS, 0, rng()), talk)
        alone = credulous.varied(item, Modalities(), None, _after_one(rng(), drawn=0))
        assert_equal(going_on.sample(item, Modalities(), 0, rng()), alone)


def _after_one(generator: np.random.Generator, drawn: int = 1) -> np.random.Generator:
    """Having drawn whether a speaker goes on, and with whom."""
    for _ in range(drawn):
        generator.random()
        generator.permutation(1)
    return generator


@pytest.mark.parametrize("how", [None, Augmentation()])
def test_equal_seeds_give_equal_samples(
    cutter: ClipCutter, utterance: Item, face: Item, how: Augmentation | None
) -> None:
    for item in (utterance, face):
        one = cutter.varied(item, Modalities(), how, rng(1))
        assert_equal(one, cutter.varied(item, Modalities(), how, rng(1)))
        other = cutter.varied(item, Modalities(), how, rng(2))
        if how is not None or item is utterance:
            with pytest.raises(AssertionError):
                assert_equal(one, other)


def test_switched_off_augmentation_changes_nothing(
    cutter: ClipCutter, utterance: Item, face: Item
) -> None:
    off = Augmentation(SILENT, STILL)
    seen = cutter.varied(face, Modalities(), off, rng())
    assert_equal(seen, cutter.varied(face, Modalities(), None, rng()))
    assert_equal(seen, cutter.window(face, 0.0, Modalities()))
    # From 4.5 s a random crop is taken; of less than three there is one.
    short = replace(utterance, start_s=2.0)
    heard = cutter.varied(short, Modalities(), off, rng())
    assert_equal(heard, cutter.varied(short, Modalities(), None, rng()))
    assert_equal(heard, cutter.window(short, 0.0, Modalities()))


def test_a_sample_holds_what_was_wanted_and_the_item_has(
    cutter: ClipCutter, utterance: Item, face: Item
) -> None:
    heard = cutter.varied(utterance, Modalities(), None, rng())
    assert heard.spectra is not None
    assert heard.spectra.shape == (301, 160)
    assert heard.pictures is None
    assert not heard.frame_mask.any()
    seen = cutter.varied(face, Modalities(), None, rng())
    assert seen.spectra is None
    assert seen.pictures is not None
    assert seen.pictures.shape == (1, 3, 224, 224)
    assert seen.rois is not None
    assert seen.rois.sum() == 64
    assert seen.frame_mask.all()
    assert cutter.varied(utterance, SEES, None, rng()).spectra is None
    assert cutter.window(face, 0.0, HEARS).pictures is None


def test_a_crop_in_which_nobody_speaks_is_tried_again(
    cutter: ClipCutter, utterance: Item, write_sound: Callable[..., Path]
) -> None:
    sound = np.zeros(9 * SAMPLE_RATE)
    sound[: SAMPLE_RATE * 3 // 2] = 0.1 * rng().standard_normal(SAMPLE_RATE * 3 // 2)
    mostly_silent = replace(utterance, path=write_sound("pause.wav", sound))
    heard = sum(
        bool(cutter.varied(mostly_silent, HEARS, None, rng(seed)).audio_mask.any())
        for seed in range(40)
    )
    assert 14 < heard < 40  # 8 or 9 of the first crops reach into the loud part
    silence = replace(utterance, end_s=1.4)
    assert not cutter.varied(silence, HEARS, None, rng()).audio_mask.any()


def test_speech_is_known_of_the_part_that_is_heard_however_fast_it_is_played(
    cutter: ClipCutter, utterance: Item, tiny_config: FERConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = (0.1 * rng().standard_normal(6 * SAMPLE_RATE)).astype(np.float32)
    speech = np.zeros(-(-len(noise) // CHUNK), np.float32)
    speech[int(4.1 * SAMPLE_RATE / CHUNK) : int(4.25 * SAMPLE_RATE / CHUNK)] = 1.0
    recording = replace(prepared(6.0), waveform=noise, speech=speech)
    monkeypatch.setattr(MediaStore, "prepared", lambda *_: recording)
    monkeypatch.setattr("fer_core.data.clips.random_start", lambda *_: 1.0)
    config = replace(tiny_config, thresholds=Thresholds(min_speech_s=0.05))
    listening = ClipCutter(cutter._store, config, torch.zeros(160))
    for seconds, heard in ((3.0, False), (3.3, True)):  # from 1.0 s on
        monkeypatch.setattr("fer_core.data.clips.stretched_seconds", lambda *_, s=seconds: s)
        sample = listening.varied(utterance, HEARS, Augmentation(SILENT, STILL), rng())
        assert bool(sample.audio_mask.any()) == heard


def test_a_pair_is_heard_window_by_window_and_shows_the_same_face(
    cutter: ClipCutter, utterance: Item, face: Item
) -> None:
    pair = paired(utterance, face)
    assert cutter.starts(pair) == cutter.starts(utterance) == [0.0, 0.375, 0.75, 1.125, 1.5]
    shown = cutter.window(face, 0.0, Modalities())
    for start_s in (0.0, 1.5):
        both, heard = (cutter.window(own, start_s, Modalities()) for own in (pair, utterance))
        assert both.item == pair
        assert torch.equal(both.spectra, heard.spectra)
        assert torch.equal(both.audio_mask, heard.audio_mask)
        assert torch.equal(both.pictures, shown.pictures)
        assert both.frame_mask.all()


def test_specaugment_hides_with_the_mean_the_cutter_was_given(
    cutter: ClipCutter, utterance: Item
) -> None:
    how = Augmentation(replace(SILENT, time_masks=4, time_mask_frames=100), STILL)
    part = replace(utterance, start_s=2.0)
    plain, varied = (
        cutter.varied(part, HEARS, own, rng()).spectra for own in (Augmentation(SILENT, STILL), how)
    )
    assert plain is not None
    assert varied is not None
    hidden = (plain != varied).any(1)
    assert 0 < hidden.sum() < 301
    assert torch.equal(varied[hidden], torch.linspace(-9.0, -5.0, 160).expand(301, 160)[hidden])


def test_the_roi_is_flipped_with_the_picture(cutter: ClipCutter, face: Item) -> None:
    how = Augmentation(SILENT, replace(STILL, flip=1.0))
    plain = cutter.window(face, 0.0, SEES)
    flipped = cutter.varied(face, SEES, how, rng())
    assert plain.pictures is not None
    assert flipped.pictures is not None
    assert plain.rois is not None
    assert flipped.rois is not None
    assert torch.equal(flipped.pictures, plain.pictures.flip(-1))
    assert torch.equal(flipped.rois, plain.rois.view(1, 14, 14).flip(-1).flatten(1))


def prepared(seconds: float) -> Prepared:
    return Prepared(seconds, None, [], np.zeros((0, 196), bool), np.zeros(0), np.zeros(0))


def test_crops_with_pictures_begin_on_a_tick_and_others_anywhere(utterance: Item) -> None:
    both = replace(utterance, has_picture=True)
    starts = {random_start(both, prepared(4.5), rng(seed)) for seed in range(200)}
    assert starts == {TICK_SECONDS * k for k in range(9)}
    anywhere = [random_start(utterance, prepared(4.5), rng(seed)) for seed in range(200)]
    assert len(set(anywhere)) == 200
    assert 0 <= min(anywhere) < 0.1
    assert 1.4 < max(anywhere) <= 1.5
    assert random_start(utterance, prepared(3.0), rng()) == 0.0
    assert random_start(both, prepared(1.0), rng()) == 0.0


def test_the_windows_of_all_items_come_in_batches_of_one_kind(
    cutter: ClipCutter, utterance: Item, face: Item
) -> None:
    windows = Windows([face, utterance, face], cutter, Modalities(), batch_size=4)
    batches = [windows[index] for index in range(len(windows))]
    # 4.5 s: at 0, 0.375, 0.75, 1.125 and 1.5.
    assert [places for _, places in batches] == [[1, 1, 1, 1], [1], [0, 2]]
    assert batches[0][0].pictures is None
    assert batches[2][0].spectra is None


def test_the_statistics_of_the_spectra_are_over_all_frames_one_sample_at_a_time() -> None:
    random = torch.Generator().manual_seed(0)
    samples = [4 * torch.randn(frames, 160, generator=random) - 7 for frames in (10, 30, 60)]
    statistics = spectra_statistics(iter(samples))
    assert statistics is not None
    frames = torch.cat(samples)
    torch.testing.assert_close(statistics, (frames.mean(0), frames.std(0)))
    assert spectra_statistics(iter(())) is None
    flat = spectra_statistics(iter([torch.zeros(10, 160)]))
    assert flat is not None
    assert (flat[1] > 0).all()  # it is divided by


def test_samples_are_the_same_on_any_number_of_workers(
    cutter: ClipCutter, utterance: Item, face: Item
) -> None:
    items = [replace(utterance, start_s=start_s) for start_s in (0.0, 0.5, 1.0)] + [face] * 3
    clips = TrainingClips(items, FreshSamples(cutter, Augmentation()), Modalities(), seed=5)
    batches = EpochBatches(items, 2, seed=5)
    alone = DataLoader(clips, sampler=batches, batch_size=None)
    among = DataLoader(
        clips, sampler=batches, batch_size=None, num_workers=2, multiprocessing_context="spawn"
    )
    for one, other in zip(alone, among, strict=True):
        for name in ("frame_mask", "audio_mask", "pictures", "rois", "spectra"):
            mine, theirs = getattr(one, name), getattr(other, name)
            assert (mine is None) == (theirs is None)
            assert mine is None or torch.equal(mine, theirs)
        assert torch.equal(one.targets.shares, other.targets.shares)
