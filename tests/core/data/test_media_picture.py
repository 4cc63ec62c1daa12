from __future__ import annotations

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.data.media_info import probe
from fer_core.data.media_picture import frames, turned
from fer_core.media import RgbImage
from fer_core.preprocess.opencv import cv2

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


def with_exif(entry: bytes) -> bytes:
    """The four colours as JPEG with one entry of EXIF, little-endian."""
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(four_colours(), cv2.COLOR_RGB2BGR))
    exif = b"Exif\0\0II*\0\x08\0\0\0" + b"\x01\0" + entry + bytes(4)
    content = coded.tobytes()
    return content[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + content[2:]


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


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
@pytest.mark.parametrize("keys", [1, 3])
def test_without_an_index_and_with_few_key_frames_a_part_begins_there_too(
    write_video: Callable[..., Path], name: str, keys: int
) -> None:
    pictures = [np.full((48, 64, 3), number, np.uint8) for number in range(60)]
    times_s = [number / 25 for number in range(60)]
    path = write_video(name, pictures, times_s, gop=60 // keys)
    damage: list[str] = []
    whole = list(frames(path))
    for place in (0, 19, 41, 59):
        part = frames(path, whole[place].time_s + 0.01, on_damage=damage.append)
        assert [frame.index for frame in part] == [frame.index for frame in whole[place:]]
    assert damage == []


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


def test_frames_of_another_size_are_fitted_into_the_first_ones(
    write_video: Callable[..., Path],
) -> None:
    """As on television: half the size behind a second, and the same shape; then a narrow one."""
    times_s, later_s = [i / 10 for i in range(10)], [1 + i / 10 for i in range(10)]
    narrow = np.full((48, 32, 3), 255, np.uint8)
    large, small, last = (
        write_video(name, [picture] * 10, begin_s)
        for name, picture, begin_s in (
            ("a.ts", four_colours().repeat(2, 0).repeat(2, 1), times_s),
            ("b.ts", four_colours(), later_s),
            ("c.ts", narrow, [1 + time_s for time_s in later_s]),
        )
    )
    large.write_bytes(large.read_bytes() + small.read_bytes() + last.read_bytes())
    found = list(frames(large))
    assert {frame.image.shape for frame in found} == {(96, 128, 3)}
    assert probe(large).size == (128, 96)
    assert [corners(frame.image) for frame in found[:20]] == 20 * [[RED, GREEN, BLUE, WHITE]]
    bright = found[-1].image.mean(axis=(0, 2))
    assert bright[64] > 250
    assert max(bright[8], bright[-8]) < 5
    part = list(frames(large, 1.55))
    assert [frame.index for frame in part] == [frame.index for frame in found[15:]]
    np.testing.assert_array_equal(part[0].image, found[15].image)


def test_a_crooked_angle_is_left_alone() -> None:
    picture = four_colours()
    assert turned(picture, [50_000, 42_000, 0, -42_000, 50_000, 0, 0, 0, 1 << 30]) is picture


def test_frames_come_from_containers_without_presentation_times(
    write_video: Callable[..., Path],
) -> None:
    path = write_video("a.avi", codec="mpeg4", times_s=[i / 1000 for i in range(5)])
    assert [round(1000 * frame.time_s) for frame in frames(path)] == [0, 1, 2, 3, 4]


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


def test_no_frame_outlives_its_use_until_the_garbage_collector_comes(
    write_video: Callable[..., Path],
) -> None:
    path = write_video("a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 30)
    gc.collect()
    gc.disable()
    try:
        shown = sum(1 for _ in frames(path))
        left = sum(type(one) is av.VideoFrame for one in gc.get_objects())
    finally:
        gc.enable()
    assert shown == 30
    assert left == 0


def test_frames_with_notes_of_the_camera_are_shown_all_the_same(tmp_path: Path) -> None:
    """A camera's Motion JPEG has EXIF in each frame, for which PyAV has no name."""
    # The maker's name: eight bytes from the beginning.
    marked = with_exif(b"\x0f\x01\x02\0\x04\0\0\0abc\0")
    path = tmp_path / "camera.avi"
    with av.open(str(path), "w") as file:
        track = file.add_stream("mjpeg", rate=10)
        track.width, track.height, track.pix_fmt = 64, 48, "yuvj420p"
        for number in range(2):
            packet = av.Packet(marked)
            packet.stream, packet.pts, packet.dts = track, number, number
            packet.time_base = Fraction(1, 10)
            file.mux(packet)
    found = list(frames(path))
    assert [frame.image.shape for frame in found] == 2 * [(48, 64, 3)]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_a_photograph_is_turned_as_its_camera_noted(
    tmp_path: Path, orientation: int, expected: list[object]
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(with_exif(b"\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0])))
    (found,) = frames(path)
    assert corners(found.image) == expected
    assert probe(path).size == found.image.shape[1::-1]
