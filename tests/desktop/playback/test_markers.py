from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.analysis.timeline import Marker
from fer_core.errors import UserError
from fer_desktop.playback.markers import Markers, markers_folder

ONE, OTHER = "1" * 64, "2" * 64


def test_markers_are_there_again_for_the_same_content_only(tmp_path: Path) -> None:
    markers = Markers(tmp_path)
    markers.open(ONE)
    markers.add(7.0, "später “quoted”")
    markers.add(2.5)
    again = Markers(tmp_path)
    again.open(ONE)
    assert again.all == (Marker(2.5, ""), Marker(7.0, "später “quoted”"))
    again.open(OTHER)
    assert again.all == ()


def test_notes_are_changed_and_markers_removed(tmp_path: Path) -> None:
    markers = Markers(tmp_path)
    markers.open(ONE)
    first, second = markers.add(1.0), markers.add(2.0)
    markers.change(first, "smiles")
    markers.remove(second)
    again = Markers(tmp_path)
    again.open(ONE)
    assert again.all == (Marker(1.0, "smiles"),)


def test_the_same_moment_is_marked_once(tmp_path: Path) -> None:
    markers = Markers(tmp_path)
    markers.open(ONE)
    first = markers.add(1.0, "kept")
    assert markers.add(1.02) == first
    assert len(markers.all) == 1


def test_what_is_marked_before_the_content_is_known_is_kept(tmp_path: Path) -> None:
    kept = Markers(tmp_path)
    kept.open(ONE)
    kept.add(5.0)
    markers = Markers(tmp_path)
    markers.add(1.0, "early")
    markers.open(ONE)
    assert [marker.time_s for marker in markers.all] == [1.0, 5.0]
    assert len(json.loads((tmp_path / f"{ONE}.json").read_text())["markers"]) == 2


def test_a_closed_file_takes_no_marks_along(tmp_path: Path) -> None:
    markers = Markers(tmp_path)
    markers.open(ONE)
    markers.add(1.0)
    markers.close()
    markers.open(OTHER)
    assert markers.all == ()


@pytest.mark.parametrize("content", ["{", "[]", '{"markers": [{"note": "x"}]}'])
def test_damaged_markers_are_put_aside_and_told(tmp_path: Path, content: str) -> None:
    (tmp_path / f"{ONE}.json").write_text(content)
    markers = Markers(tmp_path)
    markers.add(5.0, "early")
    with pytest.raises(UserError, match="damaged"):
        markers.open(ONE)
    assert (tmp_path / f"{ONE}.damaged").read_text() == content
    markers.add(3.0)
    again = Markers(tmp_path)
    again.open(ONE)
    assert again.all == (Marker(3.0), Marker(5.0, "early"))


def test_an_unwritable_folder_is_told_and_the_marker_holds(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    markers = Markers(tmp_path / "file" / "markers")  # a folder cannot be made in a file
    markers.add(5.0)
    with pytest.raises(UserError):
        markers.open(ONE)
    markers.add(1.0)
    assert [marker.time_s for marker in markers.all] == [1.0, 5.0]


def test_they_are_kept_where_data_of_the_program_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "settings.json"))
    assert markers_folder() == tmp_path / "markers"
    monkeypatch.delenv("FER_DESKTOP_SETTINGS")
    assert markers_folder().parent.name == "fer-desktop"


def test_two_windows_with_one_file_keep_the_markers_of_both(tmp_path: Path) -> None:
    here, there = Markers(tmp_path), Markers(tmp_path)
    here.open(ONE)
    there.open(ONE)
    mine, yours = here.add(1.0), there.add(2.0)
    here.change(mine, "smiles")
    there.remove(yours)
    here.add(3.0)
    again = Markers(tmp_path)
    again.open(ONE)
    assert again.all == here.all == (Marker(1.0, "smiles"), Marker(3.0))


def test_what_cannot_be_written_holds_until_the_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    markers = Markers(tmp_path)
    markers.open(ONE)
    markers.add(1.0)
    with monkeypatch.context() as full:
        full.setattr("fer_desktop.playback.markers.write_whole", _full)
        for time_s in (2.0, 3.0):
            with pytest.raises(UserError):
                markers.add(time_s)
    assert [marker.time_s for marker in markers.all] == [1.0, 2.0, 3.0]
    markers.add(4.0)  # there is room again
    again = Markers(tmp_path)
    again.open(ONE)
    assert [marker.time_s for marker in again.all] == [1.0, 2.0, 3.0, 4.0]


def _full(*_: object) -> None:
    raise UserError("The disk is full.")
