from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from numpy.random import Generator, default_rng

from fer_core.data.batch import Sample, collate
from fer_core.data.clips import Modalities
from fer_core.data.datasets import Draw, EpochBatches, PairedClips, TrainingClips
from fer_core.data.item import Item

NEUTRAL, CALM, HAPPY, SAD = 0, 1, 2, 3

MakeItem = Callable[..., Item]


class Numbered:
    """Samples whose contents tell which item they are of: its number in what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Item, Modalities, int]] = []

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
        self.asked.append((item, wanted, epoch))
        wanted = wanted.of(item)
        mark = torch.tensor([float(rng.random())])
        sample = Sample(item, torch.full((16,), wanted.video), torch.full((8,), wanted.audio))
        if wanted.audio:
            sample = replace(sample, steps=mark)
        if wanted.video:
            sample = replace(sample, vectors=mark.view(1, 1))
        return sample


def drawn(batches: EpochBatches) -> list[list[int]]:
    return [[draw.place for draw in batch] for batch in batches]


def test_an_epoch_shows_every_item_once_but_the_rest_that_fills_no_batch(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [voice_item(i % 8, i) for i in range(10)] + [face_item(HAPPY, i) for i in range(9)]
    batches = EpochBatches(items, 4, seed=0)
    shown = Counter(place for batch in drawn(batches) for place in batch)
    assert set(shown.values()) == {1}
    assert sum(place < 10 for place in shown) == 8
    assert sum(place >= 10 for place in shown) == 8
    assert len(batches) == len(list(batches)) == 4


def test_a_batch_is_of_one_kind_and_the_kinds_are_mixed_over_the_epoch(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [voice_item(i % 8, i) for i in range(40)] + [face_item(HAPPY, i) for i in range(40)]
    kinds = []
    for batch in drawn(EpochBatches(items, 4, seed=0)):
        (kind,) = {items[place].kind for place in batch}
        kinds.append(kind)
    assert kinds != sorted(kinds)


def test_the_order_is_that_of_the_seed_and_the_epoch_alone(voice_item: MakeItem) -> None:
    items = [voice_item(i % 8, i) for i in range(20)]
    ahead = EpochBatches(items, 4, seed=1)
    for epoch in range(4):
        ahead.set_epoch(epoch)
        list(ahead)
    resumed = EpochBatches(items, 4, seed=1)
    resumed.set_epoch(3)
    assert drawn(ahead) == drawn(resumed)
    assert {draw.epoch for batch in resumed for draw in batch} == {3}
    resumed.set_epoch(2)
    assert drawn(ahead) != drawn(resumed)
    assert drawn(EpochBatches(items, 4, seed=2)) != drawn(EpochBatches(items, 4, seed=1))


@pytest.mark.parametrize("curriculum_epochs", [0, 3])
def test_processes_share_out_the_global_batch(
    curriculum_epochs: int, voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [voice_item(i % 8, i, difficulty=i / 30) for i in range(30)] + [
        face_item(HAPPY, i) for i in range(3)
    ]
    settings = {"batch_size": 6, "seed": 3, "curriculum_epochs": curriculum_epochs}
    whole = EpochBatches(items, **settings)
    shares = [EpochBatches(items, **settings, rank=rank, processes=2) for rank in (0, 1)]
    recordings = [batch for batch in whole if items[batch[0].place].kind == "recording"]
    first, second = (
        [batch for batch in share if items[batch[0].place].kind == "recording"] for share in shares
    )
    assert [len(batch) for batch in first] == [len(batch) for batch in second]
    for batch, one, other in zip(recordings, first, second, strict=True):
        assert sorted(one + other) == sorted(batch)
    # Three stills are one batch for one process, and two of them for two.
    assert [len(share) for share in shares] == [len(whole)] * 2


def test_fewer_items_than_a_batch_are_one_batch(voice_item: MakeItem) -> None:
    items = [voice_item(i, i) for i in range(3)]
    assert [sorted(batch) for batch in drawn(EpochBatches(items, 16, seed=0))] == [[0, 1, 2]]
    alone = EpochBatches(items[:1], 16, seed=0, processes=2)
    assert len(alone) == 0


def test_the_curriculum_begins_with_the_easier_half_of_each_emotion_and_ends_with_all(
    voice_item: MakeItem,
) -> None:
    items = [voice_item(emotion, i, difficulty=i / 8) for emotion in (2, 3) for i in range(8)]
    batches = EpochBatches(items, 4, seed=0, curriculum_epochs=4)
    hardest = []
    for epoch in range(5):
        batches.set_epoch(epoch)
        shown = {place for batch in drawn(batches) for place in batch}
        assert {items[place].emotion for place in shown} == {2, 3}
        hardest.append(max(items[place].difficulty for place in shown))
        # Lightning counts the batches once: as many in the first epoch as in the last.
        assert len(batches) == 4
    assert hardest == [3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8]
    assert len(shown) == 16


def test_among_equally_easy_clips_the_curriculum_draws(voice_item: MakeItem) -> None:
    """By their order in the corpus, the first people alone would be shown."""
    items = [voice_item(HAPPY, i) for i in range(40)]
    first = EpochBatches(items, 4, seed=0, curriculum_epochs=4)
    shown = {place for batch in drawn(first) for place in batch}
    assert len(shown) == 20
    assert 5 < sum(place < 20 for place in shown) < 15


def test_what_the_curriculum_shows_twice_is_varied_anew(voice_item: MakeItem) -> None:
    items = [voice_item(2, i, difficulty=i / 4) for i in range(4)]
    batches = EpochBatches(items, 4, seed=0, curriculum_epochs=2)
    (batch,) = list(batches)
    assert Counter(draw.place for draw in batch) == {0: 2, 1: 2}
    assert len(set(batch)) == 4
    clips = PairedClips(items, Numbered(), seed=0, modality_dropout=0.0)
    steps = clips[[Draw(0, 0, 0), Draw(0, 0, 1)]].steps
    assert steps is not None
    assert steps[0] != steps[1]


def test_each_epoch_and_each_turn_varies_a_clip_anew(voice_item: MakeItem) -> None:
    items = [voice_item(HAPPY, i) for i in range(2)]
    clips = TrainingClips(items, Numbered(), Modalities(), seed=0)
    draws = [Draw(0, 0), Draw(0, 1), Draw(1, 0), Draw(0, 0, 1)]
    steps = clips[draws].steps
    assert steps is not None
    assert len(steps.unique()) == 4
    assert torch.equal(clips[draws[2:3]].steps, steps[2:3])
    other = TrainingClips(items, Numbered(), Modalities(), seed=1)
    assert not torch.equal(other[draws[:1]].steps, steps[:1])


def test_a_batch_may_hold_stills_and_clips_that_move(face_item: MakeItem) -> None:
    still = Numbered().sample(face_item(HAPPY), Modalities(), 0, default_rng(0))
    film = Still().sample(
        replace(face_item(HAPPY), kind="recording"), Modalities(), 0, default_rng(0)
    )
    for samples, place in (([still, film], 0), ([film, still], 1)):
        vectors = collate(samples).vectors
        assert vectors is not None
        assert vectors.shape == (2, 16, 1)
        assert torch.equal(vectors[place], still.vectors.expand(16, 1))


def test_a_sample_does_not_depend_on_what_was_drawn_before(voice_item: MakeItem) -> None:
    clips = PairedClips(
        [voice_item(HAPPY, i) for i in range(4)], Numbered(), 7, modality_dropout=0.5
    )
    alone, among = clips[[Draw(3, 2)]], clips[[Draw(3, 0), Draw(3, 2)]]
    assert torch.equal(alone.steps[0], among.steps[1])
    assert not torch.equal(clips[[Draw(4, 2)]].steps, alone.steps)


def test_a_voice_is_paired_with_faces_of_its_emotion_another_one_each_epoch(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    source = Numbered()
    items = [voice_item(emotion) for emotion in range(8)]
    items += [face_item(emotion, i) for emotion in (0, 2, 3, 4, 5, 6, 7) for i in range(4)]
    clips = PairedClips(items, source, seed=0, modality_dropout=0.0)
    assert [item.emotion for item in clips.items] == list(range(8))
    partners: dict[int, set[str]] = {emotion: set() for emotion in range(8)}
    for epoch in range(12):
        batch = clips[[Draw(epoch, place) for place in range(8)]]
        assert batch.frame_mask.all()
        assert batch.audio_mask.all()
        assert torch.equal(batch.targets.shares, torch.eye(8))  # the voice's label
        # The faces' own: of a still nobody knows whether it is neutral or calm.
        assert batch.shown.shares.argmax(1).tolist() == [0, 0, *range(2, 8)]
    for voiced, seen in zip(source.asked[::2], source.asked[1::2], strict=True):
        assert voiced[0].kind == "recording"
        assert not seen[1].audio
        partners[voiced[0].emotion].add(seen[0].key)
    for emotion, keys in partners.items():
        # A face that is neutral or calm may be either.
        assert len(keys) > 1
        assert all(key.startswith(f"face-{0 if emotion == CALM else emotion}-") for key in keys)


def test_in_a_share_of_pairs_one_of_the_two_is_at_rest_and_the_other_one_tells(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    voices = [voice_item(emotion, i) for emotion in (NEUTRAL, HAPPY) for i in range(100)]
    faces = [face_item(emotion) for emotion in (NEUTRAL, *range(HAPPY, 8))]
    clips = PairedClips([*voices, *faces], Numbered(), 0, modality_dropout=0.0, at_rest=0.4)
    batch = clips[[Draw(0, place) for place in range(200)]]
    told, shown = batch.targets.shares.argmax(1), batch.shown.shares.argmax(1)
    heard = torch.tensor([item.emotion for item in clips.items])
    resting = (shown == NEUTRAL) != (heard == NEUTRAL)
    assert 0.3 < resting[:100].float().mean() < 0.5
    assert 0.3 < resting[100:].float().mean() < 0.5
    assert torch.equal(told[:100], shown[:100])
    assert (told[100:] == HAPPY).all()
    assert len(set(shown[:100].tolist())) == 7
    assert torch.equal(batch.heard.shares.argmax(1), heard)


def test_a_voice_at_rest_whose_face_is_hidden_is_neutral(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [*(voice_item(NEUTRAL, i) for i in range(100)), face_item(HAPPY), face_item(SAD)]
    clips = PairedClips(items, Numbered(), 0, modality_dropout=1.0, at_rest=1.0)
    batch = clips[[Draw(0, place) for place in range(100)]]
    unseen = ~batch.frame_mask.any(1)
    assert unseen.sum() > 20
    assert (batch.targets.shares.argmax(1)[unseen] == NEUTRAL).all()


def test_a_recording_with_both_is_its_own_pair_and_may_be_the_face_of_another(
    voice_item: MakeItem,
) -> None:
    source = Numbered()
    clips = PairedClips(
        [replace(voice_item(CALM, 99), has_picture=True, key="recording"), voice_item(CALM)],
        source,
        seed=0,
        modality_dropout=0.0,
    )
    batch = clips[[Draw(0, 0), Draw(0, 1)]]
    assert [item.key for item, _, _ in source.asked] == [
        "recording",
        "voice-1-0",
        "recording",
    ]
    assert batch.frame_mask.all()


def test_a_doubtful_face_is_nobodys_partner(voice_item: MakeItem, face_item: MakeItem) -> None:
    doubtful = replace(face_item(HAPPY), shares=(0.0, 0.0, 0.4, 0.3, 0.3, 0.0, 0.0, 0.0))
    clips = PairedClips([voice_item(HAPPY), doubtful], Numbered(), seed=0, modality_dropout=0.0)
    batch = clips[[Draw(0, 0)]]
    assert batch.vectors is None
    assert not batch.frame_mask.any()


def test_modality_dropout_takes_one_of_both_in_its_share_and_never_the_only_one(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [voice_item(HAPPY, i) for i in range(400)] + [face_item(HAPPY)]
    batch = PairedClips(items, Numbered(), seed=0, modality_dropout=0.3)[
        [Draw(0, place) for place in range(400)]
    ]
    deaf, blind = ~batch.audio_mask.any(1), ~batch.frame_mask.any(1)
    assert not (deaf & blind).any()
    assert 0.1 < deaf.float().mean() < 0.2
    assert 0.1 < blind.float().mean() < 0.2
    alone = PairedClips(
        [voice_item(HAPPY), face_item(CALM - 1)], Numbered(), 0, modality_dropout=1.0
    )
    assert alone[[Draw(0, 0)]].audio_mask.all()


def test_of_a_pair_in_which_nobody_speaks_the_face_is_never_taken(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    class Silent(Numbered):
        def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
            own = super().sample(item, wanted, epoch, rng)
            return replace(own, audio_mask=torch.zeros(8, dtype=torch.bool))

    clips = PairedClips([voice_item(HAPPY), face_item(HAPPY)], Silent(), 0, modality_dropout=1.0)
    assert clips[[Draw(epoch, 0) for epoch in range(20)]].frame_mask.all()


def test_a_clip_without_its_sound_has_the_label_of_its_face(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    items = [voice_item(CALM, i) for i in range(50)] + [face_item(NEUTRAL)]
    clips = PairedClips(items, Numbered(), seed=0, modality_dropout=1.0)
    batch = clips[[Draw(0, place) for place in range(50)]]
    deaf = ~batch.audio_mask.any(1)
    assert 0 < deaf.sum() < 50
    assert (batch.targets.shares[deaf].argmax(1) == NEUTRAL).all()
    assert (batch.targets.groups[deaf, NEUTRAL, CALM] == 1).all()
    assert (batch.targets.shares[~deaf].argmax(1) == CALM).all()


def test_without_voices_faces_are_shown_alone(face_item: MakeItem) -> None:
    clips = PairedClips(
        [face_item(HAPPY, i) for i in range(3)], Numbered(), 0, modality_dropout=1.0
    )
    batch = clips[[Draw(0, place) for place in range(3)]]
    assert len(clips.items) == 3
    assert batch.steps is None
    assert batch.frame_mask.all()
    assert batch.vectors is not None


class Still:
    """Every face is a row of ones in all sixteen places, a neutral one of zeros."""

    def sample(self, item: Item, wanted: Modalities, epoch: int, rng: Generator) -> Sample:
        sample = Sample(item, torch.ones(16, dtype=torch.bool), torch.ones(8, dtype=torch.bool))
        if item.has_sound:
            return replace(sample, steps=torch.zeros(38, 1))
        return replace(sample, vectors=torch.full((16, 1), float(item.emotion != NEUTRAL)))


def test_every_other_still_face_rises_from_a_neutral_one_to_its_emotion(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    clips = PairedClips([voice_item(HAPPY), face_item(HAPPY), face_item(NEUTRAL)], Still(), 0, 0.0)
    batch = clips[[Draw(epoch, 0) for epoch in range(200)]]
    assert batch.vectors is not None
    shown = batch.vectors.squeeze(-1)  # (200, 16)
    moving = (shown < 1).any(1)
    assert 70 < moving.sum() < 130
    assert ((shown >= 0) & (shown <= 1)).all()
    assert ((shown == 1).sum(1) >= 3).all()  # and stays there a while
    assert ((shown > 0.5).sum(1) >= 6).all()


def test_alone_a_face_comes_as_often_as_in_its_corpus(
    voice_item: MakeItem, face_item: MakeItem
) -> None:
    faces = [face_item(HAPPY, n) for n in range(9)] + [face_item(NEUTRAL)]
    clips = PairedClips([voice_item(NEUTRAL), *faces], Still(), 0, 1.0)
    batch = clips[[Draw(epoch, 0) for epoch in range(400)]]
    alone = ~batch.audio_mask.any(1)
    happy = batch.targets.shares[alone].argmax(1) == HAPPY
    assert 0.8 < happy.float().mean() < 0.97
    assert (batch.targets.shares[~alone].argmax(1) == NEUTRAL).all()
