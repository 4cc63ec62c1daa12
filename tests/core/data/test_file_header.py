from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.file_header import CUT_OFF, EMPTY, WRONG_HEADER, quick_fault

Place = Callable[..., Path]
NAMES = ["a.wav", "a.flac", "a.mp3", "a.mp4", "a.mov", "a.avi", "a.flv", "a.mkv", "a.png"]


@pytest.mark.parametrize("name", NAMES)
def test_whole_files_have_no_fault(place: Place, name: str) -> None:
    assert quick_fault(place(name) / name) is None


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_is_told(place: Place, name: str) -> None:
    path = place(name) / name
    path.write_bytes(b"")
    assert quick_fault(path) == EMPTY


@pytest.mark.parametrize("name", [name for name in NAMES if name != "a.mp3"])
def test_a_web_page_saved_as_media_is_told(place: Place, name: str) -> None:
    path = place(name) / name
    path.write_bytes(b"<html>You have no access to this file.</html>")
    assert quick_fault(path) == WRONG_HEADER


@pytest.mark.parametrize("name", ["a.wav", "a.mp4", "a.mov", "a.avi"])
def test_half_a_download_is_told(place: Place, name: str) -> None:
    path = place(name) / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert quick_fault(path) == CUT_OFF


def test_a_recording_whose_length_was_never_written_is_no_fault(place: Place) -> None:
    path = place("a.wav") / "a.wav"
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert quick_fault(path) is None


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    assert quick_fault(tmp_path / "missing.wav") == "cannot be read: No such file or directory"
