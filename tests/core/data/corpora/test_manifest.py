from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.check import check
from fer_core.data.corpora import manifest
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM
from fer_core.data.splits import split
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS

Place = Callable[..., Path]


def write_table(folder: Path, text: str) -> Path:
    table = folder / "mine.csv"
    table.write_text(text, encoding="utf-8-sig")
    return table


def test_a_row_tells_everything(place: Place) -> None:
    folder = place("sub/a.mp4", "b.wav", "c.png")
    table = write_table(
        folder,
        "path;emotion;speaker;start;end;sex;split\n"
        "sub\\a.mp4;Joy;Zoë;0,1;0,4;F;dev\n"
        "b.wav;anger;Max;;;male;train\n"
        "c.png;fear;Max;;;m;test\n",
    )
    corpus = manifest.read(table)
    assert corpus.problems == ()
    video = corpus.items[0]
    assert (video.speaker, video.sex, video.official_split) == ("Zoë", "female", "valid")
    assert (video.start_s, video.end_s, video.key) == (0.1, 0.4, "sub/a.mp4#0.1")
    assert [(i.kind, i.has_sound, i.has_picture) for i in corpus.items] == [
        ("recording", True, True),
        ("recording", True, False),
        ("still", False, True),
    ]
    assert [EMOTIONS[i.emotion] for i in corpus.items] == ["happy", "angry", "fearful"]


def test_columns_of_votes_become_shares(place: Place) -> None:
    folder = place("a.wav", "b.wav", "c.wav")
    table = write_table(
        folder,
        "path,neutral,happiness,surprise,comment\na.wav,1,3,0,x\nb.wav,0,,2,y\nc.wav,0,0,0,z\n",
    )
    corpus = manifest.read(table)
    first, second = corpus.items
    assert first.shares == (0.25, 0, 0.75, 0, 0, 0, 0, 0)
    assert second.shares == (0, 0, 0, 0, 0, 0, 0, 1)
    assert (first.difficulty, second.difficulty) == (0.25, 0)
    assert [(p.where, p.reason) for p in corpus.problems] == [
        ("comment", "column not used"),
        ("row 4: c.wav", "no votes"),
    ]


def test_votes_for_one_emotion_in_several_columns_are_added_up(place: Place) -> None:
    rows = "path,happy,joy,sad\na.wav,3,2,4\n"
    (item,) = manifest.read(write_table(place("a.wav"), rows)).items
    assert item.shares == tuple({"happy": 5 / 9, "sad": 4 / 9}.get(name, 0) for name in EMOTIONS)


def test_where_two_emotions_tie_neither_is_the_truth(place: Place) -> None:
    rows = "path,neutral,calm,happy,sad\na.wav,0,0,2,2\nb.wav,0,0,3,2\nc.wav,1,1,1,0\n"
    corpus = manifest.read(write_table(place("a.wav", "b.wav", "c.wav"), rows))
    assert [item.scored for item in corpus.items] == [False, True, False]
    rows = "path,neutral,happy\na.wav,1,1\nb.wav,2,1\n"
    corpus = manifest.read(write_table(place("a.wav", "b.wav"), rows))
    assert [item.scored for item in corpus.items] == [False, True]
    corpus = manifest.read(write_table(place("a.wav"), "path,emotion\na.wav,sad\n"))
    assert [item.scored for item in corpus.items] == [True]


@pytest.mark.parametrize(
    ("table", "unused"),
    [
        ("path,disgust,contempt,id\na.wav,2,8,x", ["contempt", "id"]),
        ("path,emotion,happy,spaeker\na.wav,sad,1,Ann", ["happy", "spaeker"]),
        ("path,emotion,speaker,start,end,sex,split,,\na.wav,sad", []),
    ],
)
def test_columns_that_are_not_used_are_listed(place: Place, table: str, unused: list[str]) -> None:
    checked = check(manifest.read(write_table(place("a.wav"), table)))
    assert [problem.where for problem in checked.corpus.problems] == unused
    assert (f"column not used: {', '.join(unused)}" in checked.as_text()) == bool(unused)


def test_two_columns_of_one_name_are_refused(place: Place) -> None:
    folder = place("a.wav")
    with pytest.raises(UserError, match="two columns “happy”"):
        manifest.read(write_table(folder, "path,happy,Happy\na.wav,1,2\n"))
    manifest.read(write_table(folder, "path,happy,note,note\na.wav,1,x,y\n"))


def test_neutral_is_neutral_alone_only_where_calm_is_told_too(place: Place) -> None:
    folder = place("a.wav", "b.wav")
    table = write_table(folder, "path,emotion\na.wav,neutral\nb.wav,calm\n")
    assert {item.groups for item in manifest.read(table).items} == {EACH_ALONE}
    table = write_table(folder, "path,emotion\na.wav,neutral\nb.wav,sad\n")
    assert {item.groups for item in manifest.read(table).items} == {NEUTRAL_OR_CALM}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("missing.wav,joy,,", "no such file"),
        (",joy,,", "no path"),
        ("empty.wav,joy,,", "empty file"),
        ("notes.txt,joy,,", "not a sound or video file"),
        ("a.wav,bored,,", "unknown emotion"),
        ("a.wav,joy,x,", "not a number"),
        ("a.wav,joy,2,1", "its end is not after its start"),
        ("a.wav,joy,-1,", "a time before 0"),
        ("b.wav,joy,,", "listed twice"),
    ],
)
def test_rows_that_cannot_be_used_are_problems(place: Place, row: str, reason: str) -> None:
    folder = place("a.wav", "b.wav")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "notes.txt").write_text("hello " * 99)
    table = write_table(folder, f"path,emotion,start,end\nb.wav,sad,,\n{row}\n")
    corpus = manifest.read(table)
    assert [item.key for item in corpus.items] == ["b.wav"]
    assert [problem.reason for problem in corpus.problems] == [reason]


def test_parts_of_one_recording_are_items_of_their_own(place: Place) -> None:
    table = write_table(
        place("a.wav"), "path,emotion,start,end\na.wav,joy,0,0.2\na.wav,sad,0.2,0.4\n"
    )
    assert [item.key for item in manifest.read(table).items] == ["a.wav", "a.wav#0.2"]


def test_parts_of_a_recording_of_hours_are_told_apart(place: Place) -> None:
    table = write_table(
        place("a.wav"), "path,emotion,start,end\na.wav,joy,12345.61,12345.63\na.wav,sad,12345.64,\n"
    )
    corpus = manifest.read(table)
    assert [item.key for item in corpus.items] == ["a.wav#12345.61", "a.wav#12345.64"]
    assert corpus.problems == ()


@pytest.mark.parametrize(
    "row", ["./a.wav,", "sub/../a.wav,", "sub//../a.wav,", "same.wav,", "a.wav,0", "a.wav,0.0"]
)
def test_one_recording_is_one_item_however_it_is_written(place: Place, row: str) -> None:
    folder = place("a.wav", "sub/b.wav")
    (folder / "same.wav").symlink_to(folder / "a.wav")
    rows = f"path,emotion,split,start\na.wav,sad,train,\n{row.replace(',', ',joy,test,')}\n"
    corpus = manifest.read(write_table(folder, rows))
    assert [item.key for item in corpus.items] == ["a.wav"]
    assert [problem.reason for problem in corpus.problems] == ["listed twice"]


def test_keys_are_without_detours(place: Place) -> None:
    folder = place("sub/b.wav")
    corpus = manifest.read(write_table(folder, "path,emotion\n./sub//b.wav,sad\n"))
    assert [item.key for item in corpus.items] == ["sub/b.wav"]


def test_one_person_is_one_however_the_name_is_written(place: Place) -> None:
    folder = place("a.wav", "b.wav", "c.wav")
    rows = "path,emotion,speaker,split\na.wav,joy,Zoë,train\nb.wav,sad,ZOË,test\nc.wav,sad,,train\n"
    corpus = manifest.read(write_table(folder, rows))
    assert [item.speaker for item in corpus.items] == ["Zoë", "Zoë", None]
    (fold,) = split(corpus, "official")
    assert fold.leaks_speakers


def test_a_folder_with_one_table_is_enough(place: Place) -> None:
    folder = place("a.wav")
    with pytest.raises(UserError, match="holds no tables"):
        manifest.read(folder)
    write_table(folder, "path,emotion\na.wav,joy\n")
    assert len(manifest.read(folder).items) == 1
    (folder / "other.csv").write_text("path,emotion\na.wav,joy\n")
    with pytest.raises(UserError, match="holds 2 tables"):
        manifest.read(folder)


def test_a_table_without_rows_is_said(place: Place) -> None:
    with pytest.raises(UserError, match="has no rows"):
        manifest.read(write_table(place("a.wav"), "path,emotion\n"))


def test_a_table_with_other_columns_is_said(place: Place) -> None:
    table = write_table(place("a.wav"), "file,label\na.wav,joy\n")
    with pytest.raises(UserError, match="it has file, label"):
        manifest.read(table)


def test_columns_are_those_of_the_heading_however_short_the_first_row_is(place: Place) -> None:
    table = write_table(place("a.wav", "b.wav"), "path,emotion,speaker\na.wav\nb.wav,joy,Max\n")
    corpus = manifest.read(table)
    assert [item.speaker for item in corpus.items] == ["Max"]
    assert [(p.where, p.reason) for p in corpus.problems] == [("row 2: a.wav", "unknown emotion")]


def test_who_is_in_no_part_of_a_table_that_has_parts_is_left_out_and_listed(place: Place) -> None:
    folder = place("a.wav", "b.wav")
    corpus = manifest.read(write_table(folder, "path,emotion,split\na.wav,joy,train\nb.wav,sad,\n"))
    assert [item.key for item in corpus.items] == ["a.wav"]
    assert [p.reason for p in corpus.problems] == ["no split, which other rows have"]
    corpus = manifest.read(write_table(folder, "path,emotion,split\na.wav,joy,\nb.wav,sad,\n"))
    assert len(corpus.items) == 2, "nobody is in a part, so none is fixed"
