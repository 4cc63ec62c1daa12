from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.corpora import ravdess
from fer_core.data.item import EACH_ALONE
from fer_core.labels import EMOTIONS

Place = Callable[..., Path]


def reasons(corpus: object) -> dict[str, str]:
    return {problem.where: problem.reason for problem in corpus.problems}  # type: ignore[attr-defined]


def test_a_name_tells_everything(place: Place) -> None:
    (item,) = ravdess.read(place("Actor_12/03-01-06-02-01-02-12.wav")).items
    assert EMOTIONS[item.emotion] == "fearful"
    assert item.groups == EACH_ALONE
    assert (item.speaker, item.sex, item.difficulty) == ("12", "female", 0.25)
    assert (item.has_sound, item.has_picture, item.sound_path) == (True, False, None)
    assert item.key == "Actor_12/03-01-06-02-01-02-12.wav"


def test_strong_emotion_is_easier_and_odd_actors_are_men(place: Place) -> None:
    strong, normal = ravdess.read(
        place("03-01-05-02-01-01-01.wav", "03-01-05-01-02-01-01.wav")
    ).items[::-1]
    assert (strong.sex, normal.sex) == ("male", "male")
    assert strong.difficulty < normal.difficulty


def test_of_one_take_the_form_with_sound_and_picture_wins(place: Place) -> None:
    take = "01-03-01-01-01-07"
    folder = place(f"video/01-{take}.mp4", f"video/02-{take}.mp4", f"audio/03-{take}.wav")
    (item,) = ravdess.read(folder).items
    assert item.path == folder / f"video/01-{take}.mp4"
    assert (item.has_sound, item.has_picture, item.sound_path) == (True, True, None)


def test_silent_video_and_sound_of_one_take_are_joined(place: Place) -> None:
    take = "01-03-01-01-01-07"
    folder = place(f"video/02-{take}.mp4", f"audio/03-{take}.wav")
    (item,) = ravdess.read(folder).items
    assert item.path == folder / f"video/02-{take}.mp4"
    assert item.sound_path == folder / f"audio/03-{take}.wav"
    assert (item.has_sound, item.has_picture) == (True, True)


def test_a_broken_form_gives_way_to_the_whole_ones(place: Place) -> None:
    take = "01-03-01-01-01-07"
    folder = place(f"01-{take}.mp4", f"03-{take}.wav")
    (folder / f"01-{take}.mp4").write_bytes(b"")
    (item,) = ravdess.read(folder).items
    assert (item.path.suffix, item.has_picture) == (".wav", False)


def test_silent_video_alone_is_an_item_without_sound(place: Place) -> None:
    (item,) = ravdess.read(place("02-01-03-01-01-01-07.mp4")).items
    assert (item.has_sound, item.has_picture) == (False, True)


def test_song_needs_its_flag(place: Place) -> None:
    folder = place("03-01-03-01-01-01-07.wav", "03-02-03-01-01-01-07.wav")
    without = ravdess.read(folder)
    assert [item.key for item in without.items] == ["03-01-03-01-01-01-07.wav"]
    assert reasons(without) == {"03-02-03-01-01-01-07.wav": "song, and only speech was asked for"}
    assert len(ravdess.read(folder, song=True).items) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("angry.wav", "not a RAVDESS name"),
        ("03-01-03-01-01-07.wav", "not a RAVDESS name"),
        ("03-01-09-01-01-01-07.wav", "unknown emotion in its name"),
        ("03-01-03-01-01-01-25.wav", "unknown actor or intensity in its name"),
        ("03-01-03-01-01-01-07.mp4", "its name says another modality than its kind of file"),
        ("01-01-03-01-01-01-07.wav", "its name says another modality than its kind of file"),
    ],
)
def test_wrong_names_are_problems(place: Place, name: str, reason: str) -> None:
    corpus = ravdess.read(place(name, "03-01-03-01-01-01-01.wav"))
    assert len(corpus.items) == 1
    assert reasons(corpus) == {name: reason}


def test_of_two_clips_with_one_name_the_first_is_taken(place: Place) -> None:
    name = "03-01-03-01-01-01-07.wav"
    corpus = ravdess.read(place(f"Actor_07/{name}", f"copy/Actor_07/{name}"))
    assert [item.key for item in corpus.items] == [f"Actor_07/{name}"]
    assert reasons(corpus) == {f"copy/Actor_07/{name}": "same name as another file"}
