from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from fer_core.data.digest import content_digest
from fer_core.errors import UserError


def test_a_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    moved = tmp_path / "b"
    shutil.copy(tmp_path / "a", moved)
    assert content_digest(moved) == hashlib.sha256(b"one").hexdigest()
    moved.write_bytes(b"two")
    os.utime(moved, (0, 0))
    assert content_digest(moved) == hashlib.sha256(b"two").hexdigest()


def test_a_folder_of_frames_has_that_of_its_frames_in_their_order(tmp_path: Path) -> None:
    def written(folder: str, **frames: bytes) -> str:
        (tmp_path / folder).mkdir()
        for number, content in frames.items():
            (tmp_path / folder / f"{number[1:]}.jpg").write_bytes(content)
        return content_digest(tmp_path / folder)

    first = written("first", f2=b"one", f10=b"two")
    assert written("moved", f002=b"one", f010=b"two") == first
    assert written("turned", f2=b"two", f10=b"one") != first


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        content_digest(tmp_path / "missing")
