from pathlib import Path

import pytest

from fer_core.errors import UserError
from fer_desktop.playback.recent_files import MOST, RecentFiles


@pytest.fixture
def kept_in(tmp_path):
    return tmp_path / "settings" / "recent.json"


def test_the_newest_is_first_and_each_is_there_once(kept_in):
    recent = RecentFiles(kept_in)
    for name in ("a", "b", "a", "c"):
        recent.add(Path(f"/films/{name}.mp4"))
    names = [path.stem for path in RecentFiles(kept_in).all]
    assert names == ["c", "a", "b"]


def test_only_so_many_are_kept(kept_in):
    recent = RecentFiles(kept_in)
    for number in range(2 * MOST):
        recent.add(Path(f"/{number}.mp4"))
    assert [path.stem for path in RecentFiles(kept_in).all] == [
        str(number) for number in range(2 * MOST - 1, MOST - 1, -1)
    ]


def test_one_that_has_gone_and_all_can_be_forgotten(kept_in):
    recent = RecentFiles(kept_in)
    recent.add(Path("/a"))
    recent.add(Path("/b"))
    recent.remove(Path("/a"))
    assert RecentFiles(kept_in).all == (Path("/b"),)
    recent.clear()
    assert RecentFiles(kept_in).all == ()


@pytest.mark.parametrize("content", ["", "{", "7", '{"a": 1}', "[1, null]", "\x00"])
def test_a_damaged_list_is_an_empty_one(kept_in, content):
    kept_in.parent.mkdir()
    kept_in.write_text(content)
    assert RecentFiles(kept_in).all == ()
    recent = RecentFiles(kept_in)
    recent.add(Path("/b"))
    assert Path("/b") in RecentFiles(kept_in).all


def test_names_that_are_no_text_come_back(kept_in):
    odd = Path("/films/caf\udce9.mp4")
    RecentFiles(kept_in).add(odd)
    assert RecentFiles(kept_in).all == (odd,)


def test_where_nothing_can_be_written_the_list_holds_until_the_end(tmp_path):
    (tmp_path / "file").touch()
    recent = RecentFiles(tmp_path / "file" / "recent.json")
    recent.add(Path("/a"))
    assert recent.all == (Path("/a"),)


def test_the_place_in_a_file_is_kept_until_the_file_is_forgotten(kept_in):
    recent = RecentFiles(kept_in)
    for name in ("/a", "/b"):
        recent.add(Path(name))
    recent.keep_place(Path("/a"), 754.25)
    recent.keep_place(Path("/gone"), 12.0)
    again = RecentFiles(kept_in)
    assert again.all == (Path("/b"), Path("/a"))
    assert [again.place_s(Path(name)) for name in ("/a", "/b", "/gone")] == [754.25, 0, 0]
    again.add(Path("/a"))
    assert again.place_s(Path("/a")) == 754.25, "opened again it is still known"
    again.keep_place(Path("/a"), 0.0)
    assert RecentFiles(kept_in).place_s(Path("/a")) == 0
    again.keep_place(Path("/b"), 3.0)
    again.clear()
    again.add(Path("/b"))
    assert again.place_s(Path("/b")) == 0


@pytest.mark.parametrize(
    "entry", ['{"path": 3}', '{"path": "/b", "place_s": "x"}', '{"place_s": NaN}']
)
def test_a_damaged_place_costs_no_more_than_the_list(kept_in, entry):
    kept_in.parent.mkdir()
    kept_in.write_text(f'["/a", {entry}]')
    assert RecentFiles(kept_in).all == (Path("/a"),)


def test_two_windows_keep_the_files_of_both(kept_in):
    here, there = RecentFiles(kept_in), RecentFiles(kept_in)
    here.add(Path("/a"))
    there.add(Path("/b"))
    here.keep_place(Path("/a"), 7.0)
    again = RecentFiles(kept_in)
    assert again.all == (Path("/b"), Path("/a"))
    assert again.place_s(Path("/a")) == 7.0


def test_what_cannot_be_written_is_known_until_the_end(kept_in, monkeypatch):
    def full(*_):
        raise UserError("The disk is full.")

    recent = RecentFiles(kept_in)
    recent.add(Path("/a"))
    monkeypatch.setattr("fer_desktop.playback.recent_files.write_whole", full)
    recent.add(Path("/b"))
    recent.add(Path("/c"))
    assert recent.all == (Path("/c"), Path("/b"), Path("/a"))
