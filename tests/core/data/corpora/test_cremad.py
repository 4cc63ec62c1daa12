from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.data.corpora import cremad
from fer_core.data.item import NEUTRAL_OR_CALM
from fer_core.labels import EMOTIONS

Place = Callable[..., Path]


def test_a_name_tells_emotion_speaker_and_level(place: Place) -> None:
    low, high, unknown = cremad.read(
        place("1001_DFA_ANG_LO.wav", "1002_DFA_ANG_HI.wav", "1040_ITH_SAD_X.wav")
    ).items
    assert [item.speaker for item in (low, high, unknown)] == ["1001", "1002", "1040"]
    assert [EMOTIONS[item.emotion] for item in (low, high, unknown)] == ["angry", "angry", "sad"]
    assert low.difficulty > unknown.difficulty > high.difficulty


def test_neutral_means_neutral_or_calm(place: Place) -> None:
    (item,) = cremad.read(place("1001_IEO_NEU_XX.wav")).items
    assert item.groups == NEUTRAL_OR_CALM
    assert EMOTIONS[item.emotion] == "neutral"


def test_of_one_take_the_video_wins_over_its_sound(place: Place) -> None:
    folder = place("AudioWAV/1001_DFA_ANG_XX.wav", "VideoFlash/1001_DFA_ANG_XX.flv")
    corpus = cremad.read(folder)
    (item,) = corpus.items
    assert item.path.suffix == ".flv"
    assert (item.has_sound, item.has_picture) == (True, True)
    assert corpus.problems == ()


def test_sexes_come_from_the_demographics_if_they_are_there(place: Place) -> None:
    folder = place("1001_DFA_ANG_XX.wav", "1002_DFA_ANG_XX.wav", "1003_DFA_ANG_XX.wav")
    assert {item.sex for item in cremad.read(folder).items} == {None}
    (folder / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Other,Other\n1002,21,Female,Other,Other\n"
    )
    assert [item.sex for item in cremad.read(folder).items] == ["male", "female", None]


def test_wrong_names_and_copies_are_problems(place: Place) -> None:
    corpus = cremad.read(
        place("1001_DFA_ANG_XX.wav", "b/1001_DFA_ANG_XX.wav", "1001_DFA_SUR_XX.wav", "angry.wav")
    )
    assert [item.key for item in corpus.items] == ["1001_DFA_ANG_XX.wav"]
    assert {problem.where: problem.reason for problem in corpus.problems} == {
        "b/1001_DFA_ANG_XX.wav": "same name as another file",
        "1001_DFA_SUR_XX.wav": "unknown emotion in its name",
        "angry.wav": "not a CREMA-D name",
    }
