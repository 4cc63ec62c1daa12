from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.corpora.folders import SOUND_SUFFIXES, located_rows, media_files, read_table
from fer_core.data.item import Problem
from fer_core.errors import UserError


def test_media_are_found_at_any_depth_in_order_without_hidden_ones(
    place: Callable[..., Path],
) -> None:
    folder = place(
        "b/c/2.WAV".lower(), "a.wav", "b/1.flac", "._a.wav", ".x/3.wav", "__MACOSX/4.wav"
    )
    (folder / "notes.txt").write_text("hello")
    problems: list[Problem] = []
    found = media_files(folder, SOUND_SUFFIXES, problems)
    assert [path.relative_to(folder).as_posix() for path in found] == [
        "a.wav",
        "b/1.flac",
        "b/c/2.wav",
    ]
    assert problems == []


def test_broken_media_are_problems(place: Callable[..., Path]) -> None:
    folder = place("a.wav", "b/c.wav")
    (folder / "b/c.wav").write_bytes(b"")
    problems: list[Problem] = []
    assert media_files(folder, SOUND_SUFFIXES, problems) == [folder / "a.wav"]
    assert problems == [Problem("b/c.wav", "empty file")]


@pytest.mark.parametrize(
    "content",
    [
        "Path,Speaker\na.wav,Zoë\n".encode(),
        "\ufeffPath;Speaker\r\n\r\na.wav;Zoë\r\n".encode(),
        "Path\tSpeaker \na.wav\tZoë ".encode("cp1252"),
        "Path\tSpeaker\r\na.wav\tZoë\r\n".encode("utf-16"),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert [*read_table(tmp_path / "t.csv").rows.values()] == [{"path": "a.wav", "speaker": "Zoë"}]


def test_a_quoted_cell_may_hold_the_separator_and_a_new_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text,emotion\n"Oh, no!\nReally?",joy\n')
    assert read_table(tmp_path / "t.csv").rows == {
        2: {"text": "Oh, no!\nReally?", "emotion": "joy"}
    }


def test_rows_end_where_the_file_has_a_new_line_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,emotion\nOh\u2028no\x85!,joy\n", encoding="utf-8")
    assert read_table(tmp_path / "t.csv").rows == {2: {"text": "Oh\u2028no\x85!", "emotion": "joy"}}


def test_rows_have_the_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\na,b\n1,"x\ny"\n\n,\n2\n')
    table = read_table(tmp_path / "t.csv")
    assert table.columns == ("a", "b")
    assert table.rows == {3: {"a": "1", "b": "x\ny"}, 6: {"a": "2"}}


def test_a_quotation_mark_without_end_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text,emotion\n"Oh,joy\nNo,sad\n')
    with pytest.raises(UserError, match="quotation mark that is not closed"):
        read_table(tmp_path / "t.csv")


def test_quotation_marks_inside_of_a_cell_mean_themselves(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text,emotion\nhe said "no",joy\n')
    assert read_table(tmp_path / "t.csv").rows == {2: {"text": 'he said "no"', "emotion": "joy"}}


@pytest.mark.parametrize("content", ["", "path,emotion\n"])
def test_a_table_may_be_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert not read_table(tmp_path / "t.csv").rows


def test_an_unreadable_table_is_said_and_among_others_a_problem(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "t.csv")
    problems: list[Problem] = []
    assert located_rows(tmp_path, tmp_path / "t.csv", problems) == []
    assert problems == [Problem("t.csv", "unreadable table")]


def test_what_holds_no_text_is_no_table_and_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "film.csv").write_bytes(b"\x00\x00\x00 ftypisom\x1b[2J")
    with pytest.raises(UserError, match="it holds no text") as error:
        read_table(tmp_path / "film.csv")
    assert "\x1b" not in str(error.value), "a terminal would obey it"
