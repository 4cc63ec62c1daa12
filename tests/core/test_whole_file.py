"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.whole_file import whole, write_whole


@pytest.mark.parametrize("length", [1, 255])
def test_any_name_a_file_can_have_can_be_written(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("a" * length)
    write_whole(b"first", path)
    write_whole(b"second", path)
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(b"old", path)

    def interrupted() -> None:
        with whole(path) as draft:
            draft.write_bytes(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_have_a_draft_each(tmp_path: Path) -> None:
    with whole(tmp_path / "a") as first, whole(tmp_path / "a") as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert (tmp_path / "a").read_bytes() == b"first"  # the last to end
