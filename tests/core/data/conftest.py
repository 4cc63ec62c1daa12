"""Small media files, written as the tests need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.media import RgbImage
from fer_core.preprocess.opencv import cv2

WriteSound = Callable[..., Path]
WriteVideo = Callable[..., Path]


@pytest.fixture
def write_sound(tmp_path: Path) -> WriteSound:
    """Sound (n,) or (channels, n), -1 to 1, as a file of its suffix's kind; a tone by default."""

    def write(name: str, sound: NDArray[Any] | None = None, rate: int = 16_000) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as file:
            _add_sound(file, _tone(rate) if sound is None else sound, rate)
        return path

    return write


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """Pictures at times in seconds, with sound or without.

    By default 5 black frames of 64×48 in half a second.
    """

    def write(
        name: str,
        pictures: Sequence[RgbImage] | None = None,
        times_s: Sequence[float] | None = None,
        sound: NDArray[Any] | None = None,
        rate: int = 16_000,
        sound_starts_s: float = 0.0,
        codec: str = "libx264",
        matrix: Sequence[int] | None = None,
        pixel_aspect: Fraction | None = None,
        contents_first: bool = False,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures is None:
            pictures = [np.zeros((48, 64, 3), np.uint8)] * 5
        if times_s is None:
            times_s = [i / 10 for i in range(len(pictures))]
        options = {"movflags": "faststart"} if contents_first else {}
        with av.open(str(path), "w", options=options) as file:
            track = file.add_stream(codec, rate=1000)
            track.height, track.width = pictures[0].shape[:2]
            track.pix_fmt = "yuv420p"
            track.time_base = track.codec_context.time_base = Fraction(1, 1000)
            if codec == "libx264":
                track.options = {"preset": "ultrafast", "bf": "0"}
            if matrix is not None:
                track.set_display_matrix(matrix)
            if pixel_aspect is not None:
                track.codec_context.sample_aspect_ratio = pixel_aspect
            heard = None if sound is None else _sound_track(file, sound, rate)
            for picture, time_s in zip(pictures, times_s, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
                file.mux(track.encode(frame))
            file.mux(track.encode(None))
            if heard is not None and sound is not None:
                _encode(file, heard, sound, rate, sound_starts_s)
        return path

    return write


def _tone(rate: int) -> NDArray[np.float32]:
    """Half a second."""
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate)).astype(np.float32)


def _add_sound(file: Any, sound: NDArray[Any], rate: int) -> None:
    _encode(file, _sound_track(file, sound, rate), sound, rate, 0.0)


_CODECS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame"}


def _sound_track(file: Any, sound: NDArray[Any], rate: int) -> Any:
    codec = _CODECS.get(file.format.name, "aac")
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[np.atleast_2d(sound).shape[0]]
    return file.add_stream(codec, rate=rate, layout=layout)


def _encode(file: Any, track: Any, sound: NDArray[Any], rate: int, starts_s: float) -> None:
    planes = np.ascontiguousarray(np.atleast_2d(sound).astype(np.float32))
    block = av.AudioFrame.from_ndarray(planes, format="fltp", layout=track.layout.name)
    block.sample_rate, block.time_base = rate, Fraction(1, rate)
    block.pts = round(starts_s * rate)
    to_codec = av.AudioResampler(
        format=track.codec_context.format.name,
        layout=track.layout.name,
        frame_size=track.codec_context.frame_size or 1024,
    )
    for part in [*to_codec.resample(block), *to_codec.resample(None)]:
        file.mux(track.encode(part))
    file.mux(track.encode(None))


@pytest.fixture
def place(tmp_path: Path, write_sound: WriteSound, write_video: WriteVideo) -> Callable[..., Path]:
    """Put small whole files under these names into the folder that is returned."""
    contents: dict[str, bytes] = {}
    folder = tmp_path / "corpus"

    def place(*names: str) -> Path:
        folder.mkdir(exist_ok=True)
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix not in contents:
                path_of = f"example{path.suffix}"
                if path.suffix == ".png":
                    cv2.imwrite(str(tmp_path / path_of), np.full((48, 48), 128, np.uint8))
                elif path.suffix in (".wav", ".flac", ".mp3"):
                    write_sound(path_of)
                else:
                    write_video(path_of, sound=_tone(44_100), rate=44_100)
                contents[path.suffix] = (tmp_path / path_of).read_bytes()
            path.write_bytes(contents[path.suffix])
        return folder

    return place
