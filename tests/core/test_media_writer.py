from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.errors import UserError
from fer_core.media import RgbImage
from fer_core.media_writer import MediaWriter


def picture(grey: int, size: tuple[int, int] = (64, 48)) -> RgbImage:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def tone(seconds: float, rate: int = 16_000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def shown(path: Path) -> list[tuple[float, RgbImage]]:
    with av.open(str(path)) as file:
        return [(f.time, f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]


def heard(path: Path) -> tuple[float, np.ndarray]:
    """When the sound begins, and its first channel."""
    with av.open(str(path)) as file:
        blocks = [(f.time, f.to_ndarray()[0]) for f in file.decode(audio=0)]
    return blocks[0][0], np.concatenate([samples for _, samples in blocks])


def boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost parts."""
    content, names, place = path.read_bytes(), [], 0
    while place < len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        if length == 1:  # a long one
            (length,) = struct.unpack_from(">Q", content, place + 8)
        names.append(name.decode())
        place += length
    return names


def test_frames_are_shown_at_their_own_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.033, 0.2, 0.21, 1.5]
    with MediaWriter(tmp_path / "a.mp4", (64, 48)) as file:
        for number, time_s in enumerate(times_s):
            file.write_frame(picture(50 * number), time_s)
    found = shown(tmp_path / "a.mp4")
    assert [time_s for time_s, _ in found] == pytest.approx(times_s, abs=1e-4)
    assert [int(image.mean()) for _, image in found] == pytest.approx([0, 50, 100, 150, 200], abs=3)


@pytest.mark.parametrize("begins_s", [0.0, 0.7])
@pytest.mark.parametrize("fps", [3.0, 30.0, 120.0])
def test_times_stay_true_across_fragments_whatever_the_rate(
    tmp_path: Path, fps: float, begins_s: float
) -> None:
    steps_s = np.random.default_rng(0).exponential(1 / 25, 100).clip(0.005)
    times_s = begins_s + np.cumsum(steps_s) - steps_s[0]
    with MediaWriter(tmp_path / "a.mp4", (64, 48), 16_000, fps=fps) as file:
        for number, time_s in enumerate(times_s):
            file.write_frame(picture(number), time_s)
            file.write_sound(np.zeros(640, np.float32), 0.04 * number)
    assert [time_s for time_s, _ in shown(tmp_path / "a.mp4")] == pytest.approx(times_s, abs=1e-3)


def test_a_frame_that_comes_too_late_is_left_out(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", (64, 48)) as file:
        for time_s in (0.0, 0.5, 0.4, 0.5, 0.6):
            file.write_frame(picture(9), time_s)
    assert [time_s for time_s, _ in shown(tmp_path / "a.mp4")] == pytest.approx([0, 0.5, 0.6])


def test_sound_lies_where_its_time_says(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", sample_rate=16_000) as file:
        file.write_sound(tone(0.5), -0.25)  # its first half is before the beginning
        file.write_sound(tone(0.5), 1.0)  # after a hole
        file.write_sound(tone(0.5), 1.25)  # its first half was heard already
    begins_s, sound = heard(tmp_path / "a.mp4")
    assert begins_s == pytest.approx(0, abs=0.001)
    loud = np.sqrt((sound[:28_000].reshape(-1, 400) ** 2).mean(axis=1)) > 0.1  # by 25 ms
    np.testing.assert_array_equal(loud[1:9], True)
    np.testing.assert_array_equal(loud[12:39], False)
    np.testing.assert_array_equal(loud[42:69], True)
    assert len(sound) == pytest.approx(28_000, abs=1024)


def test_clocks_that_drift_a_little_make_no_clicks(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", sample_rate=16_000) as file:
        for number in range(20):
            late_s = 0.04 * (-1) ** number
            file.write_sound(np.ones(1600, np.float32) * 0.1, 0.1 * number + late_s)
    _, sound = heard(tmp_path / "a.mp4")
    assert len(sound) == pytest.approx(32_000, abs=1024)


def test_a_microphone_that_never_says_anything_leaves_a_picture(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", (64, 48), 16_000) as file:
        for number in range(90):
            file.write_frame(picture(number), number / 30)
    assert len(shown(tmp_path / "a.mp4")) == 90


def test_two_channels_stay_two(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", sample_rate=48_000, channels=2) as file:
        file.write_sound(np.stack([tone(1.0, 48_000), np.zeros(48_000, np.float32)]), 0.0)
    with av.open(str(tmp_path / "a.mp4")) as read:
        sound = np.concatenate([f.to_ndarray() for f in read.decode(audio=0)], axis=1)
    assert np.abs(sound[0]).max() > 0.4
    assert np.abs(sound[1]).max() < 0.01


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1)])
def test_any_size_is_written(tmp_path: Path, size: tuple[int, int]) -> None:
    with MediaWriter(tmp_path / "a.mp4", size) as file:
        file.write_frame(picture(200, size), 0.0)
    ((_, image),) = shown(tmp_path / "a.mp4")
    assert image.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    np.testing.assert_allclose(image, 200, atol=4)


def test_a_picture_of_another_size_is_fitted_in(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", (64, 48)) as file:
        file.write_frame(picture(200), 0.0)
        file.write_frame(picture(200, (24, 48)), 0.1)
    image = shown(tmp_path / "a.mp4")[1][1].mean(axis=(0, 2))
    assert image[32] == pytest.approx(200, abs=4)
    assert image[5] < 20
    assert image[-5] < 20


def test_colours_come_back(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", (64, 48)) as file:
        file.write_frame(np.full((48, 64, 3), (200, 50, 100), np.uint8), 0.0)
    ((_, image),) = shown(tmp_path / "a.mp4")
    np.testing.assert_allclose(image[20, 20], (200, 50, 100), atol=4)


def test_what_was_written_before_a_crash_plays(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    code = f"""
        import os, signal
        import numpy as np
        from fer_core.media_writer import MediaWriter
        from pathlib import Path
        random = np.random.default_rng(0)
        file = MediaWriter(Path({str(path)!r}), (64, 48), 16_000)
        for number in range(180):
            file.write_frame(random.integers(0, 255, (48, 64, 3), np.uint8), number / 30)
            file.write_sound(0.1 * np.ones(533, np.float32), number * 533 / 16_000)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=100)
    assert ended.returncode < 0
    times_s = [time_s for time_s, _ in shown(path)]
    assert times_s[-1] > 4.0
    assert times_s == pytest.approx([number / 30 for number in range(len(times_s))], abs=1e-3)
    assert len(heard(path)[1]) > 4 * 16_000


def test_a_closed_file_has_an_index_and_no_fragments(tmp_path: Path) -> None:
    with MediaWriter(tmp_path / "a.mp4", (64, 48)) as file:
        for number in range(60):
            file.write_frame(picture(number), number / 30)
    assert "moof" not in boxes(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as read:
        assert read.streams.video[0].frames == 60  # the index tells without decoding


def test_a_full_disk_is_said_and_what_was_written_plays(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    code = f"""
        import resource, signal
        import numpy as np
        from fer_core.errors import UserError
        from fer_core.media_writer import MediaWriter
        from pathlib import Path
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        random = np.random.default_rng(0)
        file = MediaWriter(Path({str(path)!r}), (64, 48))
        try:
            for number in range(900):
                file.write_frame(random.integers(0, 255, (48, 64, 3), np.uint8), number / 30)
        except UserError as error:
            print(error)
        file.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], timeout=100, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written: File too large." in done.stdout
    assert len(list(_decodable(path))) > 20


def _decodable(path: Path) -> list[float]:
    """Times of the frames before the place where the disk was full."""
    times_s = []
    with av.open(str(path)) as file:
        try:
            for frame in file.decode(video=0):
                times_s.append(frame.time)
        except av.error.InvalidDataError:
            pass
    return times_s


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.mp4", tmp_path):
        with pytest.raises(UserError, match="cannot be written"):
            MediaWriter(path, (64, 48))


def test_what_cannot_be_encoded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to write"):
        MediaWriter(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="12345 Hz"):
        MediaWriter(tmp_path / "a.mp4", sample_rate=12_345)
    with (
        MediaWriter(tmp_path / "a.mp4", sample_rate=16_000) as file,
        pytest.raises(ValueError, match="without a picture"),
    ):
        file.write_frame(picture(0), 0.0)
