"""A network small enough for tests, clips of noise for it, and small media files."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from fer_core.config import FERConfig
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.media import Clip, FaceBox, RgbImage
from fer_core.model.inputs import ModelInputs
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.roi_compression import central_roi
from fer_core.preprocess.clip_processor import ClipProcessor


@pytest.fixture(scope="session")
def corrected() -> Callable[[MultimodalFER], MultimodalFER]:
    """Lets fusion have its say, as after training: a fresh one adds nothing to the branches."""

    def correct(model: MultimodalFER) -> MultimodalFER:
        last = model.classifier.mlp[-1]
        assert isinstance(last, nn.Linear)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nn.init.normal_(last.weight)
        return model

    return correct


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """More cost more than they gain at these sizes."""
    torch.set_num_threads(1)


@pytest.fixture
def make_inputs() -> Callable[..., ModelInputs]:
    """Clips of noise, the same for the same seed; everything is present.

    Every second clip is darker and quieter.
    """

    def make(clips: int = 2, seed: int = 0) -> ModelInputs:
        noise = torch.Generator().manual_seed(seed)
        every_second = torch.arange(clips) % 2
        return ModelInputs(
            pixels=torch.rand(clips, 16, 3, 224, 224, generator=noise)
            - every_second[:, None, None, None, None],
            frame_mask=torch.ones(clips, 16, dtype=torch.bool),
            roi=central_roi().expand(clips, 16, 196),
            spectra=torch.randn(clips, 301, 160, generator=noise)
            - 5
            - 4 * every_second[:, None, None],
            audio_mask=torch.ones(clips, 8, dtype=torch.bool),
        )

    return make


@pytest.fixture(scope="session")
def inputs_of() -> Callable[[Clip, FERConfig], ModelInputs]:
    """A clip as a batch of one for the whole network, made frame by frame: no cache, no parts."""

    def make(clip: Clip, config: FERConfig) -> ModelInputs:
        processor = ClipProcessor(config)
        pixels, roi = torch.zeros(1, 16, 3, 224, 224), torch.zeros(1, 16, 196, dtype=torch.bool)
        frame_mask = torch.zeros(1, 16, dtype=torch.bool)
        for k, (frame, face) in enumerate(zip(clip.frames, clip.faces, strict=True)):
            if frame is not None and face is not None:
                picture = processor.picture(frame.image, face)
                pixels[0, k], roi[0, k], frame_mask[0, k] = picture.pixels, picture.roi, True
        sound = processor.sound(clip.waveform, clip.waveform_mask)
        return ModelInputs(pixels, frame_mask, roi, sound.spectra[None], sound.audio_mask[None])

    return make


# Items of a corpus; no file is written

MakeItem = Callable[..., Item]


@pytest.fixture(scope="session")
def voice_item() -> MakeItem:
    """An utterance that is heard and not seen."""

    def make(emotion: int, number: int = 0, **fields: object) -> Item:
        usual = {
            "key": f"voice-{emotion}-{number}",
            "path": Path("voice.wav"),
            "kind": "recording",
            "has_sound": True,
            "has_picture": False,
            "shares": one_emotion(emotion),
            "groups": EACH_ALONE,
            "speaker": f"actor-{number}",
        }
        return Item(**(usual | fields))

    return make


@pytest.fixture(scope="session")
def face_item() -> MakeItem:
    """A still in a file of many; a neutral one may be calm."""

    def make(emotion: int, number: int = 0, **fields: object) -> Item:
        usual = {
            "key": f"face-{emotion}-{number}",
            "path": Path("faces.npz"),
            "kind": "still",
            "has_sound": False,
            "has_picture": True,
            "shares": one_emotion(emotion),
            "groups": NEUTRAL_OR_CALM,
            "index": number,
        }
        return Item(**(usual | fields))

    return make


# A detector that finds what the tests draw


class BrightSquare:
    """Finds the one square that is brighter than what is around it."""

    detected = 0  # how often one was asked

    def __init__(self, everybody: bool = False) -> None:
        pass

    def __enter__(self) -> BrightSquare:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def detect(self, image: RgbImage) -> list[FaceBox]:
        BrightSquare.detected += 1
        rows, columns = np.nonzero(image.mean(axis=2) > 100)
        if not rows.size:
            return []
        left, top = int(columns.min()), int(rows.min())
        width, height = int(columns.max()) - left + 1, int(rows.max()) - top + 1
        return [FaceBox(left, top, width, height, 0.9)]


@pytest.fixture
def bright_square(monkeypatch: pytest.MonkeyPatch) -> type[BrightSquare]:
    """In the place of the face detector, where corpora are prepared."""
    monkeypatch.setattr(BrightSquare, "detected", 0)
    monkeypatch.setattr("fer_core.data.store.FaceDetector", BrightSquare)
    return BrightSquare


@pytest.fixture(scope="session")
def small_files() -> Callable[[], AbstractContextManager[None]]:
    """No file may be larger than 20 kB, as on a disk that is full after that.

    Within a block and not for a test's whole length: it would hold for the file, too, that
    pytest prints into.
    """

    @contextmanager
    def limit() -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


# Small media files, written as the tests need them

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
        gop: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures is None:
            pictures = [np.zeros((48, 64, 3), np.uint8)] * 5
        if times_s is None:
            times_s = [i / 10 for i in range(len(pictures))]
        how = {"movflags": "faststart"} if contents_first else {}
        with av.open(str(path), "w", options=how | dict(options or {})) as file:
            track = file.add_stream(codec, rate=1000)
            track.height, track.width = pictures[0].shape[:2]
            track.pix_fmt = "yuv420p"
            track.time_base = track.codec_context.time_base = Fraction(1, 1000)
            if codec == "libx264":
                track.options = {"preset": "ultrafast", "bf": "0"}
            if gop is not None:
                track.gop_size = gop
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
