"""What was found in a file: a segment for each 375 ms, and all of them in short.

``as_json`` is a stable contract; ``timeline.schema.json`` beside this file is its JSON Schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fer_core.data.joined_times import BEGIN_ANEW
from fer_core.labels import CLASSES, EMOTIONS
from fer_core.media import FaceBox
from fer_core.prediction import by_label, face_as_json, face_from_json, from_labels

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class VideoSource:
    width: int  # pixels, as shown
    height: int
    fps: float  # on average
    frames: int  # as the header says


@dataclass(frozen=True, slots=True)
class AudioSource:
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Source:
    """The file that was analysed."""

    path: str
    sha256: str
    duration_s: float
    video: VideoSource | None
    audio: AudioSource | None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        video, audio = values["video"], values["audio"]
        return cls(
            values["path"],
            values["sha256"],
            values["duration_s"],
            None if video is None else VideoSource(**video),
            None if audio is None else AudioSource(**audio),
        )


@dataclass(frozen=True, slots=True)
class ModelUsed:
    name: str
    preset: str
    sha256: str  # of config.json and model.safetensors, one behind the other
    card: str = ""  # its model card in Markdown, if it has one


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """``[start_s, end_s)``, the mean over all windows that saw it, by how much of it they did."""

    start_s: float
    end_s: float
    probabilities: NDArray[np.float64] | None  # (8,); None where nothing was heard or seen
    uncertain: bool
    heard: bool
    seen: bool
    face: FaceBox | None  # the median of its frames, in pixels of the file's picture
    speech: float  # share in which somebody speaks, 0 to 1

    @property
    def emotion(self) -> str | None:
        if self.probabilities is None:
            return None
        return EMOTIONS[int(self.probabilities.argmax())]

    def as_json(self) -> dict[str, Any]:
        there = (("audio", self.heard), ("video", self.seen))
        return {
            "start_s": round(self.start_s, 4),
            "end_s": round(self.end_s, 4),
            "emotion": self.emotion,
            "uncertain": self.uncertain,
            "probabilities": None if self.probabilities is None else by_label(self.probabilities),
            "modalities": [name for name, present in there if present],
            "face": face_as_json(self.face),
            "speech": round(self.speech, 4),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        probabilities = values["probabilities"]
        return cls(
            values["start_s"],
            values["end_s"],
            None if probabilities is None else from_labels(probabilities),
            values["uncertain"],
            "audio" in values["modalities"],
            "video" in values["modalities"],
            face_from_json(values["face"]),
            values["speech"],
        )


@dataclass(frozen=True, slots=True)
class Marker:
    """A place in the file that somebody noted."""

    time_s: float
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Segments follow each other without a gap, from 0 to the file's end."""

    source: Source
    model: ModelUsed
    hop_s: float
    segments: tuple[Segment, ...]
    probabilities: NDArray[np.float64] | None  # (8,), of the whole file; None: nothing was there
    warnings: tuple[str, ...]
    face_id: int | None = None  # which of several faces, from 0 in the order of their coming
    markers: tuple[Marker, ...] = ()  # in order of time
    only: str | None = None  # "audio" or "video", where nothing else of the file was to be used
    sound_track: int | None = None  # which of several, from 1; None: the file's main one
    faces: int | None = None  # how many there are, where one is chosen by its number
    files: tuple[str, ...] = ()  # names of those beside each other that say what this does

    @property
    def emotion(self) -> str | None:
        """Of the whole file."""
        if self.probabilities is None:
            return None
        return EMOTIONS[int(self.probabilities.argmax())]

    def shares(self, certain: bool = False) -> NDArray[np.float64]:
        """(8,), of the file's time that each emotion leads, or leads certainly.

        In the rest of it nothing was heard or seen, or the leading one is uncertain.
        """
        leads_s = np.zeros(CLASSES)
        for segment in self.segments:
            if segment.probabilities is not None and not (certain and segment.uncertain):
                leads_s[segment.probabilities.argmax()] += segment.end_s - segment.start_s
        whole_s = self.segments[-1].end_s if self.segments else 1.0
        return leads_s / whole_s

    @property
    def joined(self) -> bool:
        """Whether the file is of several, whose times begin anew: no place is found by its time."""
        return any(BEGIN_ANEW in warning for warning in self.warnings)

    @property
    def face_s(self) -> float:
        """For how long a face was seen."""
        return sum(s.end_s - s.start_s for s in self.segments if s.seen)

    @property
    def speech_s(self) -> float:
        """For how long somebody spoke."""
        return sum((s.end_s - s.start_s) * s.speech for s in self.segments)

    def summary(self) -> dict[str, Any]:
        """Of the whole file, as in its JSON."""
        return {
            "emotion": self.emotion,
            "probabilities": None if self.probabilities is None else by_label(self.probabilities),
            "shares": by_label(self.shares()),
            "certain": by_label(self.shares(certain=True)),
            "face_s": round(self.face_s, 4),
            "speech_s": round(self.speech_s, 4),
        }

    def as_json(self) -> dict[str, Any]:
        source, video, audio = self.source, self.source.video, self.source.audio
        chosen = {
            "face_id": self.face_id,
            "faces": self.faces,
            "only": self.only,
            "sound_track": self.sound_track,
            "files": list(self.files) or None,
        }
        markers = [{"time_s": round(m.time_s, 4), "note": m.note} for m in self.markers]
        return {
            "schema": SCHEMA,
            **{name: choice for name, choice in chosen.items() if choice is not None},
            "source": {
                "path": source.path,
                "sha256": source.sha256,
                "duration_s": round(source.duration_s, 4),
                "video": video
                and {
                    "width": video.width,
                    "height": video.height,
                    "fps": round(video.fps, 4),
                    "frames": video.frames,
                },
                "audio": audio
                and {
                    "sample_rate": audio.sample_rate,
                    "channels": audio.channels,
                },
            },
            "model": {
                "name": self.model.name,
                "preset": self.model.preset,
                "sha256": self.model.sha256,
                "labels": list(EMOTIONS),
            },
            "hop_s": self.hop_s,
            "segments": [segment.as_json() for segment in self.segments],
            "summary": self.summary(),
            "warnings": list(self.warnings),
            **({"markers": markers} if markers else {}),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """What :meth:`as_json` told, but for the model's card.

        Raises:
            ValueError, KeyError, TypeError: it is no such document.
        """
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']} is not {SCHEMA}")
        model, probabilities = document["model"], document["summary"]["probabilities"]
        return cls(
            source=Source.from_json(document["source"]),
            model=ModelUsed(model["name"], model["preset"], model["sha256"]),
            hop_s=document["hop_s"],
            segments=tuple(map(Segment.from_json, document["segments"])),
            probabilities=None if probabilities is None else from_labels(probabilities),
            warnings=tuple(document["warnings"]),
            face_id=document.get("face_id"),
            markers=tuple(Marker(**marker) for marker in document.get("markers", ())),
            only=document.get("only"),
            sound_track=document.get("sound_track"),
            faces=document.get("faces"),
            files=tuple(document.get("files", ())),
        )
