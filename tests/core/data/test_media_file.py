from __future__ import annotations

import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.data.media_file import frames, probe, read_sound, turned
from fer_core.errors import UserError
from fer_core.media import RgbImage

CLIPS = Path(__file__).parents[4] / "shared" / "data" / "clips"
needs_clips = pytest.mark.skipif(not CLIPS.is_dir(), reason="the real clips are not here")

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FULL = 1 << 16


def four_colours() -> RgbImage:
    """(48, 64, 3): red and green above blue and white."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[:24, 32:] = RED, GREEN
    picture[24:, :32], picture[24:, 32:] = BLUE, WHITE
    return picture


def corners(picture: RgbImage) -> list[tuple[int, ...]]:
    """The colours near the corners: above left, above right, below left, below right."""
    rounded = np.round(picture / 255) * 255
    return [tuple(int(v) for v in rounded[y, x]) for y in (8, -8) for x in (8, -8)]


def noise(seconds: float, rate: int) -> np.ndarray:
    draw = np.random.default_rng(0)
    return (0.1 * draw.standard_normal(int(seconds * rate))).clip(-1, 1).astype(np.float32)


def loudest_s(sound: np.ndarray) -> float:
    return float(np.abs(sound).argmax()) / 16_000


# Sound


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_mono_sound_at_16_khz_comes_back_sample_by_sample(
    write_sound: Callable[..., Path], name: str
) -> None:
    stored = np.round(noise(0.7, 16_000) * 32768) / 32768
    sound = read_sound(write_sound(name, stored))
    assert sound.dtype == np.float32
    np.testing.assert_array_equal(sound, stored.astype(np.float32))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_any_sample_rate_becomes_16_khz(write_sound: Callable[..., Path], rate: int) -> None:
    time_s = np.arange(rate) / rate
    sound = read_sound(write_sound("a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time_s), rate))
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert len(sound) == pytest.approx(16_000, abs=1)
    np.testing.assert_allclose(sound[500:15_500], expected[500:15_500], atol=2e-3)


def test_two_channels_are_averaged(write_sound: Callable[..., Path]) -> None:
    left, right = np.full(8000, 0.5), np.full(8000, 0.25)
    sound = read_sound(write_sound("a.wav", np.stack([left, right])))
    np.testing.assert_allclose(sound, 0.375, atol=1e-4)


def test_the_centre_of_surround_sound_is_not_drowned(write_sound: Callable[..., Path]) -> None:
    channels = np.zeros((6, 8000))
    channels[2] = 0.5  # where dialogue is
    assert np.abs(read_sound(write_sound("a.wav", channels))).max() > 0.3


@pytest.mark.parametrize(
    ("width", "silence", "full"), [(1, 128, 255), (2, 0, 32767), (4, 0, 2**31 - 1)]
)
def test_samples_of_any_width_lie_between_minus_one_and_one(
    tmp_path: Path, width: int, silence: int, full: int
) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, width, 16_000, 0, "NONE", ""))
        kind = {1: "u1", 2: "<i2", 4: "<i4"}[width]
        file.writeframes(np.array([silence] * 100 + [full] * 100, kind).tobytes())
    sound = read_sound(tmp_path / "a.wav")
    np.testing.assert_allclose(sound, [0] * 100 + [1] * 100, atol=0.01)


def test_sound_that_starts_late_begins_with_zeros(write_video: Callable[..., Path]) -> None:
    click = np.zeros(16_000)
    click[100:140] = 0.9
    path = write_video("a.mp4", sound=click, sound_starts_s=0.5)
    sound = read_sound(path)
    assert loudest_s(sound) == pytest.approx(0.5 + 120 / 16_000, abs=0.01)
    assert np.abs(sound[:7000]).max() < 0.01


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("a.m4a", 44_100),
        ("a.mp3", 44_100),
        ("a.flac", 48_000),
        ("a.wav", 22_050),
        ("a.ts", 48_000),
        ("a.aac", 48_000),
    ],
)
def test_a_part_is_what_the_whole_holds_there(
    write_sound: Callable[..., Path], name: str, rate: int
) -> None:
    time_s = np.arange(6 * rate) / rate  # no noise: AAC makes up its own at each decoding
    path = write_sound(name, 0.5 * np.sin(2 * np.pi * (100 + 300 * time_s) * time_s), rate)
    damage: list[str] = []
    whole = read_sound(path, on_damage=damage.append)
    part = read_sound(path, 3.21, 4.5, on_damage=damage.append)
    assert damage == []
    assert len(part) == round(1.29 * 16_000)
    start = round(3.21 * 16_000)
    np.testing.assert_allclose(part, whole[start : start + len(part)], atol=1e-3)


@pytest.mark.parametrize("name", ["a.mka", "a.flv"])
def test_containers_that_count_milliseconds_are_right_to_one(
    write_sound: Callable[..., Path], name: str
) -> None:
    clicks = np.zeros(6 * 44_100)
    clicks[22_050::44_100] = 0.9  # at 0.5, 1.5 ... s
    path = write_sound(name, clicks, 44_100)
    first_s = loudest_s(read_sound(path, 0.0, 1.0))  # 23 ms late in FLV: what AAC puts in front
    for start_s in (2.1, 3.21, 4.4):
        click_s = start_s + loudest_s(read_sound(path, start_s, start_s + 1))
        assert click_s % 1 == pytest.approx(first_s, abs=0.0015)


def test_a_part_beyond_the_end_is_shorter(write_sound: Callable[..., Path]) -> None:
    path = write_sound("a.wav")  # 0.5 s
    damage: list[str] = []
    assert len(read_sound(path, 0.25, 3.0, damage.append)) == 4000
    assert len(read_sound(path, 2.0, on_damage=damage.append)) == 0
    assert damage == []


def test_a_hole_in_the_sound_stays_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 8000):  # 0.1 s each, half a second apart
            block = av.AudioFrame.from_ndarray(np.full((1, 1600), 9999, np.int16), "s16", "mono")
            block.sample_rate, block.pts = 16_000, start
            file.mux(track.encode(block))
        file.mux(track.encode(None))
    sound = read_sound(path)
    assert len(sound) == 9600
    assert not sound[1700:7900].any()
    assert sound[8100:9500].all()


def test_a_broken_time_makes_no_hours_of_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 1600, 3600 * 16_000):
            block = av.AudioFrame.from_ndarray(np.full((1, 1600), 9999, np.int16), "s16", "mono")
            block.sample_rate, block.pts = 16_000, start
            file.mux(track.encode(block))
        file.mux(track.encode(None))
    content = path.read_bytes()
    told, length = b"\x44\x89\x88", struct.pack(">d", 300.0)  # the duration, in milliseconds
    at = content.index(told) + len(told)
    path.write_bytes(content[:at] + length + content[at + 8 :])
    damage: list[str] = []
    assert len(read_sound(path, on_damage=damage.append)) == 4800
    assert damage == ["some of its times lie after its end"]


# Picture


def test_frames_have_the_times_they_are_shown_at(write_video: Callable[..., Path]) -> None:
    times_s = [0.0, 0.1, 0.15, 0.5, 0.52]  # a changing rate
    pictures = [np.full((48, 64, 3), 50 * i, np.uint8) for i in range(5)]
    found = list(frames(write_video("a.mp4", pictures, times_s)))
    assert [frame.time_s for frame in found] == pytest.approx(times_s)
    means = [frame.image.mean() for frame in found]
    assert means == pytest.approx([0, 50, 100, 150, 200], abs=4)


def test_a_part_begins_with_the_frame_shown_there(write_video: Callable[..., Path]) -> None:
    path = write_video("a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 30)  # one each 0.1 s
    part = list(frames(path, 1.25, 1.5))
    assert [frame.time_s for frame in part] == pytest.approx([1.2, 1.3, 1.4])
    whole = {frame.time_s: frame.index for frame in frames(path)}
    assert [whole[frame.time_s] for frame in part] == [frame.index for frame in part]


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "expected"),
    [
        (FULL, 0, 0, FULL, [RED, GREEN, BLUE, WHITE]),
        (0, FULL, -FULL, 0, [BLUE, RED, WHITE, GREEN]),  # clockwise, as a phone held upright
        (0, -FULL, FULL, 0, [GREEN, WHITE, RED, BLUE]),
        (-FULL, 0, 0, -FULL, [WHITE, BLUE, GREEN, RED]),
        (-FULL, 0, 0, FULL, [GREEN, RED, WHITE, BLUE]),  # mirrored, as a selfie
    ],
)
def test_pictures_are_turned_as_the_file_asks(
    write_video: Callable[..., Path], a: int, b: int, c: int, d: int, expected: list[object]
) -> None:
    matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    path = write_video("a.mp4", [four_colours()] * 3, matrix=matrix)
    image = next(iter(frames(path))).image
    assert corners(image) == expected
    assert probe(path).size == image.shape[1::-1]


def test_pixels_that_are_not_square_are_made_so(write_video: Callable[..., Path]) -> None:
    path = write_video("a.mp4", [four_colours()] * 3, pixel_aspect=Fraction(3, 2))
    image = next(iter(frames(path))).image
    assert image.shape == (48, 96, 3)
    assert corners(image) == [RED, GREEN, BLUE, WHITE]
    assert probe(path).size == (96, 48)


def test_a_crooked_angle_is_left_alone() -> None:
    picture = four_colours()
    assert turned(picture, [50_000, 42_000, 0, -42_000, 50_000, 0, 0, 0, 1 << 30]) is picture


def test_frames_come_from_containers_without_presentation_times(
    write_video: Callable[..., Path],
) -> None:
    path = write_video("a.avi", codec="mpeg4", times_s=[i / 1000 for i in range(5)])
    assert [round(1000 * frame.time_s) for frame in frames(path)] == [0, 1, 2, 3, 4]


# What a file is


def test_probe_tells_what_is_there(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    info = probe(write_video("a.mp4", sound=noise(0.5, 16_000)))
    assert (info.has_sound, info.has_picture, info.size) == (True, True, (64, 48))
    assert info.duration_s == pytest.approx(0.5, abs=0.15)
    info = probe(write_sound("a.wav"))
    assert (info.has_sound, info.has_picture, info.size, info.fps) == (True, False, None, None)
    assert info.duration_s == pytest.approx(0.5)


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


# Damage


def test_a_whole_file_has_no_damage(
    write_video: Callable[..., Path], write_sound: Callable[..., Path]
) -> None:
    damage: list[str] = []
    read_sound(write_sound("a.flac", noise(2, 16_000)), on_damage=damage.append)
    path = write_video("a.mp4", [four_colours()] * 20, sound=noise(2, 16_000))
    read_sound(path, on_damage=damage.append)
    list(frames(path, on_damage=damage.append))
    list(frames(path, 1.0, on_damage=damage.append))
    assert damage == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_of_cut_off_sound_the_rest_is_read_and_the_damage_told(
    write_sound: Callable[..., Path], name: str
) -> None:
    path = write_sound(name, noise(4, 16_000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    damage: list[str] = []
    sound = read_sound(path, on_damage=damage.append)
    assert 1.5 < len(sound) / 16_000 < 2.1
    assert len(damage) == 1


def test_damage_nobody_asked_for_is_logged(
    write_sound: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = write_sound("a.wav", noise(4, 16_000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    read_sound(path)
    assert "ends before it should" in caplog.text
    assert "a.wav" in caplog.text


def test_of_a_cut_off_video_the_first_frames_are_read(
    write_video: Callable[..., Path], tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    whole = write_video("whole.mp4", pictures, contents_first=True).read_bytes()
    path = tmp_path / "a.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    damage: list[str] = []
    found = list(frames(path, on_damage=damage.append))
    assert 5 < len(found) < 15
    assert damage


# Real files


@needs_clips
@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        ("01-01-01-01-02-01-05.mp4", (1280, 720), 93),
        ("cremad_sad.mp4", (480, 360), 106),
        ("grid_bbaf2n.mpg", (360, 288), 75),
    ],
)
def test_real_clips_are_read_whole(name: str, size: tuple[int, int], count: int) -> None:
    damage: list[str] = []
    path = CLIPS / name
    info, sound = probe(path), read_sound(path, on_damage=damage.append)
    assert info.size == size
    assert len(sound) / 16_000 == pytest.approx(info.duration_s, abs=0.03)
    assert sum(1 for _ in frames(path, on_damage=damage.append)) == count
    np.testing.assert_array_equal(read_sound(path, 1.0, 2.0), sound[16_000:32_000])
    assert damage == []
