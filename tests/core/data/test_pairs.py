from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.data.item import EACH_ALONE, Item
from fer_core.data.pairs import paired, pairs_of, voice_of, with_pairs

NEUTRAL, CALM, HAPPY, SAD = range(4)

MakeItem = Callable[..., Item]


@pytest.fixture
def items(voice_item: MakeItem, face_item: MakeItem) -> list[Item]:
    voices = [voice_item(emotion, n) for emotion in (NEUTRAL, CALM, HAPPY, SAD) for n in range(3)]
    faces = [face_item(emotion, n) for emotion in (NEUTRAL, HAPPY) for n in range(5)]
    return [*voices, *faces]


def test_each_emotion_that_is_heard_and_seen_has_as_many_pairs(items: list[Item]) -> None:
    pairs = pairs_of(items, 7)
    assert [pair.emotion for pair in pairs] == 7 * [NEUTRAL] + 7 * [CALM] + 7 * [HAPPY]


def test_the_face_shows_what_the_voice_says(items: list[Item]) -> None:
    for pair in pairs_of(items, 20):
        assert pair.face is not None
        assert pair.face.emotion == (NEUTRAL if pair.emotion == CALM else pair.emotion)
        assert (pair.has_sound, pair.has_picture, pair.groups) == (True, True, EACH_ALONE)


def test_the_same_items_are_paired_alike_each_time(items: list[Item]) -> None:
    assert pairs_of(items, 20) == pairs_of(items, 20)


def test_what_the_protocol_leaves_out_is_in_no_pair(items: list[Item]) -> None:
    unscored = [replace(item, scored=item.kind != "still") for item in items]
    assert pairs_of(unscored, 5) == ()


def test_the_voice_of_a_pair_is_heard_alone(voice_item: MakeItem, face_item: MakeItem) -> None:
    alone = voice_of(paired(voice_item(SAD), face_item(SAD)))
    assert (alone.has_picture, alone.face, alone.path) == (False, None, Path("voice.wav"))


def test_faces_come_from_where_they_are_asked_for_and_voices_from_nowhere_else(
    items: list[Item], voice_item: MakeItem, face_item: MakeItem
) -> None:
    faces = [face_item(HAPPY, n, key=f"wanted-{n}") for n in range(2)]
    others = [*faces, voice_item(HAPPY, key="a voice among them")]
    pairs = pairs_of(items, 9, faces=others)
    assert {pair.face for pair in pairs} == {*faces}
    assert all("a voice among them" not in pair.key for pair in pairs)


def test_who_is_heard_and_seen_anyway_needs_no_pairs(items: list[Item]) -> None:
    filmed = replace(items[0], has_picture=True)
    assert with_pairs([*items, filmed]) == (*items, filmed)
    assert len(with_pairs(items)) == len(items) + 300
