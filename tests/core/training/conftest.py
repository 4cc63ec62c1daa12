"""A corpus of seconds: noises for voices, grey squares for faces, and clips that have both."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fer_core.config import FERConfig, Thresholds
from fer_core.data.item import Item
from fer_core.media import SAMPLE_RATE
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.job import TrainingJob
from fer_core.training.machine import Machine
from fer_core.training.material import Material

MakeItems = Callable[..., list[Item]]
JobOf = Callable[..., TrainingJob]


@pytest.fixture
def make_voices(tmp_path: Path, voice_item: Callable[..., Item]) -> MakeItems:
    """Utterances of 0.6 s, one an emotion in turn, each emotion with its own pitch."""

    def make(count: int, speaker: str = "a") -> list[Item]:
        names = [f"voice-{speaker}-{i}" for i in range(count)]
        return [
            voice_item(
                i % 8, key=name, path=_write_noise(tmp_path / f"{name}.wav", i), speaker=speaker
            )
            for i, name in enumerate(names)
        ]

    return make


@pytest.fixture
def make_faces(tmp_path: Path, face_item: Callable[..., Item]) -> MakeItems:
    """Stills of 48x48 in one npz file; neutral ones may be calm."""

    def make(count: int, name: str = "faces") -> list[Item]:
        path = tmp_path / f"{name}.npz"
        random = np.random.default_rng(len(name))
        images = random.integers(60, 200, (count, 48, 48), np.uint8)
        np.savez(path, images=images)
        emotions = [0, 2, 3, 4, 5, 6, 7]
        return [face_item(emotions[i % 7], i, key=f"{name}-{i}", path=path) for i in range(count)]

    return make


@pytest.fixture
def make_pairs(tmp_path: Path, bright_square: type, voice_item: Callable[..., Item]) -> MakeItems:
    """Recordings of 0.6 s with a voice and a face; the detector is a scripted one."""

    def make(count: int, speaker: str = "p") -> list[Item]:
        names = [f"pair-{speaker}-{i}" for i in range(count)]
        return [
            voice_item(
                i % 8,
                key=name,
                path=_write_pictures(tmp_path / f"{name}.mkv", i),
                has_picture=True,
                speaker=speaker,
                sound_path=_write_noise(tmp_path / f"{name}.wav", i),
            )
            for i, name in enumerate(names)
        ]

    return make


def _write_noise(path: Path, seed: int) -> Path:
    """0.6 s of a tone and a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(int(0.6 * SAMPLE_RATE)) / SAMPLE_RATE
    sound = 0.2 * np.sin(2 * np.pi * 200 * (1 + seed % 8) * time)
    sound += 0.02 * random.standard_normal(len(time))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((32767 * sound).astype("<i2").tobytes())
    return path


def _write_pictures(path: Path, seed: int) -> Path:
    """Half a second of a bright square on black, without loss."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as file:
        track = file.add_stream("ffv1", rate=5)
        track.width, track.height, track.pix_fmt = 64, 48, "bgr0"
        track.time_base = track.codec_context.time_base = Fraction(1, 1000)
        for number in range(3):
            image = np.zeros((48, 64, 3), np.uint8)
            image[8:40, 16:48] = random.integers(150, 255, (32, 32, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = 200 * number, Fraction(1, 1000)
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    return path


@pytest.fixture(scope="session")
def network(tiny_config: FERConfig) -> FERConfig:
    """Hears whatever is loud: a voice detector of its own is not what is tested here."""
    return replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))


@pytest.fixture
def plain() -> TrainingConfig:
    """Two epochs in which nothing is random but the order."""
    return TrainingConfig(
        epochs=2,
        batch=4,
        accumulate=1,
        lr=1e-3,
        warmup_epochs=0,
        schedule="cosine",
        mixup=0.0,
        cutmix=0.0,
        modality_dropout=0.0,
        augment=False,
        views=2,
        patience=0,
        precision="32",  # machines agree on its last digits
    )


@pytest.fixture
def quiet() -> Machine:
    return Machine(device="cpu", progress="none", log="tensorboard")


@pytest.fixture
def job_of(quiet: Machine, tmp_path: Path) -> JobOf:
    """A configuration and corpora, in the folders ``runs`` and ``cache``."""

    def make(config: RunConfig, *material: Material, **others: Any) -> TrainingJob:
        return TrainingJob(config, material, tmp_path / "runs", tmp_path / "cache", quiet, **others)

    return make
