"""Files with several programmes, as a recording of a television channel and its neighbour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.container import opened, sound_tracks
from fer_core.data.media_info import probe
from fer_core.data.media_sound import read_sound

PACKET_BYTES = 188  # of a transport stream
TABLE_PIDS = (0x1000, 0x1100)  # where each programme's tracks are listed


def checksum(table: bytes) -> int:
    """CRC-32/MPEG-2."""
    rest = 0xFFFFFFFF
    for byte in table:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1 ^ (0x04C11DB7 if rest >> 31 else 0)) & 0xFFFFFFFF
    return rest


def list_of_programmes() -> bytes:
    """The packet at a transport stream's beginning that names them (ISO 13818-1)."""
    table = b"\x00\xb0" + bytes([5 + 4 * len(TABLE_PIDS) + 4]) + b"\x00\x01\xc1\x00\x00"
    for number, pid in enumerate(TABLE_PIDS, start=1):
        table += number.to_bytes(2) + (0xE000 | pid).to_bytes(2)
    table += checksum(table).to_bytes(4)
    return (b"\x47\x40\x00\x10\x00" + table).ljust(PACKET_BYTES, b"\xff")


def packets(path: Path) -> list[bytes]:
    """All but its own list."""
    content = path.read_bytes()
    every = [content[i : i + PACKET_BYTES] for i in range(0, len(content), PACKET_BYTES)]
    return [packet for packet in every if int.from_bytes(packet[1:3]) & 0x1FFF]


@pytest.fixture
def two(write_video: Callable[..., Path]) -> Path:
    """A large picture with a quiet voice, and a small one with a loud voice in two channels."""
    tone = np.sin(np.arange(24_000) / 10)
    programmes = []
    for number, (side, sound) in enumerate(((96, 0.1 * tone), (32, np.stack([0.8 * tone] * 2)))):
        pids = {"mpegts_pmt_start_pid": TABLE_PIDS[number], "mpegts_start_pid": 256 + 16 * number}
        programmes.append(
            write_video(
                f"{number}.ts",
                [np.full((side, side, 3), 128, np.uint8)] * 10,
                sound=sound,
                rate=24_000,
                options={"mpegts_service_id": str(number + 1)}
                | {name: str(pid) for name, pid in pids.items()},
            )
        )
    path = programmes[0].with_name("two.ts")
    path.write_bytes(
        list_of_programmes() + b"".join(packets(programmes[0]) + packets(programmes[1]))
    )
    return path


def test_the_sound_is_that_of_the_picture(two: Path) -> None:
    with opened(two) as container:
        assert len(sound_tracks(container)) == 2
    info = probe(two)
    assert info.size == (96, 96)
    assert info.channels == 1
    assert np.abs(read_sound(two)).max() == pytest.approx(0.1, abs=0.03)
