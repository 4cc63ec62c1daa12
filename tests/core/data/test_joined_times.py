from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.data.joined_times import JoinedTimes
from fer_core.data.media_picture import frames
from fer_core.data.media_sound import read_sound

Make = Callable[..., Path]


@pytest.fixture
def twice(write_video: Make) -> Path:
    """2.5 s, twice in one file: white with a click at 0.5 s, and else black and still."""
    pictures = [np.full((48, 64, 3), 255 if number == 5 else 0, np.uint8) for number in range(25)]
    clicks = np.zeros(40_000)
    clicks[8_000:8_200] = 0.9
    path = write_video("a.ts", pictures, sound=clicks)
    path.write_bytes(path.read_bytes() * 2)
    return path


def test_what_follows_where_times_begin_anew_is_read_and_told(twice: Path) -> None:
    damage: list[str] = []
    found = list(frames(twice, on_damage=damage.append))
    assert len(found) == 50
    assert all(a.time_s < b.time_s for a, b in pairwise(found))
    assert len({frame.index for frame in found}) == 50
    assert damage == ["its times begin anew"]
    sound = read_sound(twice, on_damage=damage.append)
    assert len(sound) / 16_000 == pytest.approx(5.0, abs=0.3)
    assert damage == ["its times begin anew"] * 2


def test_sound_and_picture_stay_together_where_times_begin_anew(twice: Path) -> None:
    seen_s = [frame.time_s for frame in frames(twice) if frame.image.mean() > 128]
    sound = np.abs(read_sound(twice))
    middle = len(sound) // 2
    heard_s = [sound[:middle].argmax() / 16_000, (middle + sound[middle:].argmax()) / 16_000]
    assert len(seen_s) == 2
    assert heard_s[1] - seen_s[1] == pytest.approx(heard_s[0] - seen_s[0], abs=0.03)


def test_one_broken_time_moves_no_other(write_video: Make) -> None:
    path = write_video("a.ts", [np.zeros((48, 64, 3), np.uint8)] * 25)
    damage: list[str] = []
    times = JoinedTimes(lambda what, _: damage.append(what))
    with av.open(str(path)) as file:
        for number, packet in enumerate(file.demux(video=0)):
            if number == 10:
                packet.pts = packet.dts = packet.dts + 5 * 90_000
            before = packet.pts, packet.dts
            times.move(packet)
            assert (packet.pts, packet.dts) == before
    assert damage == []
