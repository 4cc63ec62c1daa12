from __future__ import annotations

import struct
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.data.media_sound import read_sound


def noise(seconds: float, rate: int) -> np.ndarray:
    draw = np.random.default_rng(0)
    return (0.1 * draw.standard_normal(int(seconds * rate))).clip(-1, 1).astype(np.float32)


def loudest_s(sound: np.ndarray) -> float:
    return float(np.abs(sound).argmax()) / 16_000


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
    loud = np.abs(read_sound(write_sound("a.wav", channels))).max()
    assert loud > 1.5 * 0.5 / 6  # as one of six it would be a sixth


def test_surround_sound_is_as_loud_as_what_is_equal_in_its_channels(
    write_sound: Callable[..., Path],
) -> None:
    voice = 0.9 * np.sin(np.arange(8000) / 10)
    sound = read_sound(write_sound("a.wav", np.stack([voice] * 6)))
    np.testing.assert_allclose(sound, voice, atol=1e-3)  # and it is not clipped


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 16, 17, 20, 23, 32, 64])
def test_any_number_of_channels_can_be_heard(tmp_path: Path, channels: int) -> None:
    voice = np.round(16_000 * np.sin(np.arange(8000) / 10)).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.repeat(voice, channels).tobytes())
    sound = read_sound(tmp_path / "a.wav")
    np.testing.assert_allclose(sound, voice / 32768, atol=1e-3)


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


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_silent_and_told(
    tmp_path: Path, rate: int, odd: float
) -> None:
    samples = 0.1 * np.random.default_rng(0).standard_normal(2 * rate).astype(np.float32)
    samples[rate : rate + 10] = odd
    path, damage = tmp_path / "odd.mka", list[str]()
    with av.open(str(path), "w") as file:
        track = file.add_stream("pcm_f32le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
        frame.sample_rate = rate
        file.mux([*track.encode(frame), *track.encode(None)])
    sound = read_sound(path, on_damage=damage.append)
    assert np.isfinite(sound).all()
    assert np.abs(sound[-8000:]).max() > 0.1, "what follows is heard"
    assert len(damage) == 1
    assert "no numbers" in damage[0]


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


@pytest.mark.parametrize(("channels", "rate"), [(2, 24_000), (6, 24_000), (1, 48_000), (2, 16_000)])
def test_sound_whose_kind_changes_is_heard_to_its_end(
    write_video: Callable[..., Path], channels: int, rate: int
) -> None:
    """As on television, where mono news follow stereo films."""

    def second(name: str, rate: int, channels: int, begin_s: float) -> Path:
        tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
        times_s = [begin_s + i / 10 for i in range(10)]
        black = [np.zeros((48, 64, 3), np.uint8)] * 10
        heard = np.stack([tone] * channels) if channels > 1 else tone
        return write_video(name, black, times_s, heard, rate, begin_s)

    path = second("a.ts", 24_000, 1, 0.0)
    path.write_bytes(path.read_bytes() + second("b.ts", rate, channels, 1.0).read_bytes())
    damage: list[str] = []
    sound = read_sound(path, on_damage=damage.append)
    assert len(sound) / 16_000 == pytest.approx(2.0, abs=0.15)
    for begin in (3_000, 20_000):  # in either half
        part = sound[begin : begin + 8_000]
        assert np.sqrt(np.mean(np.square(part))) == pytest.approx(0.5 / np.sqrt(2), abs=0.02)
        assert np.abs(np.fft.rfft(part)).argmax() == 250  # 500 Hz
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
