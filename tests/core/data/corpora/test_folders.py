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
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert read_table(tmp_path / "t.csv") == [{"path": "a.wav", "speaker": "Zoë"}]


def test_a_quoted_cell_may_hold_the_separator_and_a_new_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text,emotion\n"Oh, no!\nReally?",joy\n')
    assert read_table(tmp_path / "t.csv") == [{"text": "Oh, no!\nReally?", "emotion": "joy"}]


@pytest.mark.parametrize("content", ["", "path,emotion\n"])
def test_a_table_may_be_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert read_table(tmp_path / "t.csv") == []


def test_an_unreadable_table_is_said_and_among_others_a_problem(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "t.csv")
    problems: list[Problem] = []
    assert located_rows(tmp_path, tmp_path / "t.csv", problems) == []
    assert problems == [Problem("t.csv", "unreadable table")]
