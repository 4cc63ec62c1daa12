from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.data.media_info import probe
from fer_core.data.media_picture import frames
from fer_core.data.media_sound import read_sound
from fer_core.errors import UserError


def test_a_missing_track_is_said(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    with pytest.raises(UserError, match="no sound track"):
        read_sound(write_video("a.mp4"))
    with pytest.raises(UserError, match="no picture"):
        list(frames(write_sound("a.wav")))


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        probe(tmp_path / "missing.mp4")
    with pytest.raises(UserError, match="is a folder"):
        probe(tmp_path)
    for name, content in (("a.mp4", b""), ("b.wav", b"hello " * 99), ("c.txt", b"hello " * 99)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="not a sound or video file"):
            probe(tmp_path / name)


def test_a_file_that_may_not_be_read_is_said(
    write_sound: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write_sound("a.wav")
    monkeypatch.setattr(av, "open", refused)  # the superuser, who runs some tests, may read all
    with pytest.raises(UserError, match="may not be read"):
        read_sound(path)


def test_a_playlist_reaches_no_other_address(tmp_path: Path) -> None:
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:10\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(UserError, match="not a sound or video file"):
        probe(playlist)


def test_a_name_with_a_colon_is_a_file(write_sound: Callable[..., Path]) -> None:
    assert probe(write_sound("12:30.wav")).has_sound


def test_a_whole_file_has_no_damage(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(32_000)
    damage: list[str] = []
    read_sound(write_sound("a.flac", noise), on_damage=damage.append)
    path = write_video("a.mp4", [np.full((48, 64, 3), 128, np.uint8)] * 20, sound=noise)
    read_sound(path, on_damage=damage.append)
    list(frames(path, on_damage=damage.append))
    list(frames(path, 1.0, on_damage=damage.append))
    assert damage == []


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        ("01-01-01-01-02-01-05.mp4", (1280, 720), 93),
        ("cremad_sad.mp4", (480, 360), 106),
        ("grid_bbaf2n.mpg", (360, 288), 75),
    ],
)
def test_real_clips_are_read_whole(
    name: str, size: tuple[int, int], count: int, real_clips: Path
) -> None:
    damage: list[str] = []
    path = real_clips / name
    info, sound = probe(path), read_sound(path, on_damage=damage.append)
    assert info.size == size
    assert len(sound) / 16_000 == pytest.approx(info.duration_s, abs=0.03)
    assert sum(1 for _ in frames(path, on_damage=damage.append)) == count
    np.testing.assert_array_equal(read_sound(path, 1.0, 2.0), sound[16_000:32_000])
    assert damage == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {}\n"),
    ],
)
def test_a_list_of_files_is_no_file_as_it_may_name_an_address(
    write_video: Callable[..., Path], name: str, text: str
) -> None:
    film = write_video("a.ts" if name.endswith("m3u8") else "a.mp4")
    path = film.with_name(name)
    path.write_text(text.format(film.name))
    with pytest.raises(UserError, match="not a sound or video file"):
        probe(path)
