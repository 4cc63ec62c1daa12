"""Items as the network's processors see them, decoded once and kept on disk.

A recording becomes its sound at 16 kHz and, for each frame that any of its clips shows, the square
around the face. Files are named by what they depend on: the content of the media, the part of it
that is used, and the configuration of the framing. Pictures are kept as PNG, without loss, so that
training, evaluation and the live program see the same pixels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fer_core.config import VisionConfig
from fer_core.data.digest import content_digest
from fer_core.data.item import Item
from fer_core.data.media_sound import read_sound
from fer_core.data.recording import recording_frames_at, recording_info
from fer_core.data.stills import read_still
from fer_core.errors import UserError
from fer_core.media import (
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    SAMPLE_RATE,
    SEGMENTS,
    TICK_SECONDS,
    BoolArray,
    FaceBox,
    RgbImage,
    Waveform,
    clip_starts,
    newest_frames,
)
from fer_core.patches import PATCHES
from fer_core.preprocess.face import FaceDetector, FaceTracker
from fer_core.preprocess.image import looked_at
from fer_core.preprocess.opencv import cv2
from fer_core.preprocess.speech import CHUNK, speech_probabilities
from fer_core.whole_file import whole

FORMAT = 3  # of the files; another number makes all of them anew

PLACES = 12  # at which a segment is asked whether somebody speaks, one for each 31 ms

# Where MediaPipe finds the face in FER+ pictures enlarged to 240 pixels: the median of 694 boxes.
# At their own 48 pixels it finds none.
STILL_FACE = (0.075, 0.163, 0.85, 0.85)  # x, y, width, height in sides of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An item ready for the network; N pictures of the frames in which its face was found."""

    duration_s: float
    waveform: Waveform | None  # (n,) at 16 kHz
    pictures: Sequence[RgbImage]  # N of (224, 224, 3), decoded when asked for
    rois: BoolArray  # (N, 196)
    times_s: NDArray[np.float64]  # (N,), ascending
    hidden_s: NDArray[np.float64]  # times of frames in which no face was found
    # The probability in each chunk of 32 ms of the waveform.
    speech: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    picture_end_s: float = 0.0  # until when the last frame is shown, for half a second at least

    def shown(self, start_s: float) -> NDArray[np.int64]:
        """The picture in each of the 16 places of the clip at ``start_s``, -1 where hidden."""
        times = np.concatenate([self.times_s, self.hidden_s])
        which = np.concatenate([np.arange(len(self.times_s)), np.full(len(self.hidden_s), -1)])
        order = np.argsort(times, kind="stable")
        newest = newest_frames(times[order], start_s, self.picture_end_s)
        # Behind all of them one that is none, for -1.
        return np.append(which[order], -1)[newest]

    def heard(self, start_s: float, seconds: float = CLIP_SECONDS) -> tuple[Waveform, BoolArray]:
        """The samples from ``start_s`` on, and which of them are real."""
        length = round(seconds * SAMPLE_RATE)
        samples, real = np.zeros(length, np.float32), np.zeros(length, np.bool_)
        if self.waveform is not None:
            first = round(start_s * SAMPLE_RATE)
            piece = self.waveform[first : first + length]
            samples[: len(piece)], real[: len(piece)] = piece, True
        return samples, real

    def spoken(self, start_s: float, seconds: float, threshold: float) -> NDArray[np.float64]:
        """The share of each eighth of ``seconds`` from ``start_s`` on in which somebody speaks."""
        places = start_s + seconds * (np.arange(SEGMENTS * PLACES) + 0.5) / (SEGMENTS * PLACES)
        chunks = (places * SAMPLE_RATE / CHUNK).astype(np.int64)
        there = chunks < len(self.speech)
        spoken = np.zeros(len(chunks), np.bool_)
        spoken[there] = self.speech[chunks[there]] >= threshold
        share: NDArray[np.float64] = spoken.reshape(SEGMENTS, PLACES).mean(axis=1)
        return share


class MediaStore:
    """Prepares items, each once."""

    def __init__(self, folder: Path, vision: VisionConfig) -> None:
        self._folder = folder
        self._vision = vision

    def prepared(self, item: Item) -> Prepared:
        """``item`` from the disk, or made now and kept there.

        Raises:
            UserError: its file cannot be read, or the store's folder not be written.
        """
        if item.kind == "still":
            # Not kept: cropping a still takes less time than reading it back.
            return self._still(item)
        path = self._folder / f"{self.key(item)}.safetensors"
        try:
            return _read(path)
        except (FileNotFoundError, SafetensorError, KeyError):
            prepared = self._recording(item)
            _write(prepared, path)
            return prepared

    def key(self, item: Item) -> str:
        """What the prepared item depends on, as one name."""
        vision = self._vision
        used: list[object] = [FORMAT, vision.framing, vision.face_scale, item.start_s, item.end_s]
        used += [item.has_sound, item.has_picture]
        if item.frame_rate is not None:
            used.append(item.frame_rate)
        parts = [json.dumps(used)]
        parts += [content_digest(path) for path in (item.path, item.sound_path) if path is not None]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def _still(self, item: Item) -> Prepared:
        image = read_still(item)
        height, width = image.shape[:2]
        # Such pictures end where the face does, a camera's do not: what is at the edge goes on.
        image = np.pad(image, ((height, height), (width, width), (0, 0)), "edge")
        x, y, across, down = STILL_FACE
        face = FaceBox((1 + x) * width, (1 + y) * height, across * width, down * height, score=1.0)
        picture, roi = looked_at(image, face, self._vision)
        return Prepared(CLIP_SECONDS, None, [picture], roi[None], np.zeros(1), np.zeros(0))

    def _recording(self, item: Item) -> Prepared:
        waveform: Waveform | None = None
        duration_s = 0.0
        if item.has_sound:
            waveform = read_sound(item.sound_path or item.path, item.start_s, item.end_s)
            duration_s = len(waveform) / SAMPLE_RATE
        pictures: list[RgbImage] = []
        rois, times_s, hidden_s = [], [], []
        picture_end_s = 0.0
        if item.has_picture:
            file_end_s = recording_info(item.path, item.frame_rate).duration_s
            end_s = file_end_s if item.end_s is None else min(item.end_s, file_end_s)
            duration_s = max(duration_s, end_s - item.start_s)
            ends_s = [end_s]
            tracker = FaceTracker()
            with FaceDetector() as detector:
                ticks = [item.start_s + tick for tick in sampling_ticks(duration_s)]
                for frame in recording_frames_at(item, ticks, end_s, ends_s.append):
                    face = tracker.follow(detector.detect(frame.image), frame.time_s)
                    if face is None:
                        hidden_s.append(frame.time_s - item.start_s)
                        continue
                    picture, roi = looked_at(frame.image, face, self._vision)
                    pictures.append(picture)
                    rois.append(roi)
                    times_s.append(frame.time_s - item.start_s)
            picture_end_s = min(ends_s) - item.start_s
        return Prepared(
            duration_s,
            waveform,
            pictures,
            np.array(rois, np.bool_).reshape(-1, PATCHES),
            np.array(times_s, np.float64),
            np.array(hidden_s, np.float64),
            speech_probabilities(np.zeros(0, np.float32) if waveform is None else waveform),
            picture_end_s,
        )


def sampling_ticks(duration_s: float) -> list[float]:
    """The times at which a clip of a recording may look, in seconds from its start.

    Multiples of 187.5 ms, and those of the clip that ends at the recording's end.
    """
    starts = [*np.arange(0.0, max(duration_s - CLIP_SECONDS, 0.0), TICK_SECONDS), 0.0]
    starts.append(clip_starts(duration_s)[-1])
    places = TICK_SECONDS * np.arange(1, FRAMES_PER_CLIP + 1)
    return sorted({float(tick) for start in starts for tick in start + places})


class _PngPictures(Sequence[RgbImage]):
    """Pictures as they lie in the file: a clip decodes its 16, not all."""

    def __init__(self, content: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._content, self._ends = content, ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> RgbImage:  # type: ignore[override]
        begin = int(self._ends[index - 1]) if index else 0
        png = self._content[begin : int(self._ends[index])]
        image = cv2.imdecode(png, cv2.IMREAD_COLOR)
        assert image is not None  # this program wrote it
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _read(path: Path) -> Prepared:
    arrays = load_file(path)
    waveform = arrays["waveform"] if arrays["has_sound"][0] else None
    return Prepared(
        float(arrays["duration_s"][0]),
        waveform,
        _PngPictures(arrays["png"], arrays["png_ends"]),
        arrays["rois"],
        arrays["times_s"],
        arrays["hidden_s"],
        arrays["speech"],
        float(arrays["picture_end_s"][0]),
    )


def _write(prepared: Prepared, path: Path) -> None:
    pngs = [_png(picture) for picture in prepared.pictures]
    sound = prepared.waveform
    arrays = {
        "duration_s": np.array([prepared.duration_s]),
        "has_sound": np.array([sound is not None]),
        "waveform": np.zeros(0, np.float32) if sound is None else sound,
        "png": np.concatenate([*pngs, np.zeros(0, np.uint8)]),
        "png_ends": np.cumsum([len(png) for png in pngs], dtype=np.int64),
        "rois": prepared.rois,
        "times_s": prepared.times_s,
        "hidden_s": prepared.hidden_s,
        "speech": prepared.speech,
        "picture_end_s": np.array([prepared.picture_end_s]),
    }
    save_arrays(arrays, path)


def save_arrays(arrays: dict[str, NDArray], path: Path) -> None:
    """Write by rename: what another process reads is whole or not there.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        with whole(path) as draft:
            save_file(arrays, draft)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The cache in {path.parent} cannot be written: {error}.",
            "Make room there, or name another folder with --cache.",
        ) from error


def _png(picture: RgbImage) -> NDArray[np.uint8]:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return np.asarray(png, np.uint8).ravel()
