from pathlib import Path

import pytest

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
