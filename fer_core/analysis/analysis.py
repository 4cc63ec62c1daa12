"""A media file through the network, window by window.

A thread decodes, another finds faces, and the caller's runs the network; between them lie a few
frames. Sound and picture are read as far as the window reaches, so that memory does not depend on
the file's length, and its real end is known when it comes, whatever the header says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from fer_core.analysis.appearances import NOBODY, Answer, Appearances
from fer_core.analysis.file_average import FileAverage
from fer_core.analysis.identities import EveryFace, FaceChoice, Follower, LargestFace
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.read_ahead import read_ahead
from fer_core.analysis.segment_average import SLIVER_SECONDS, segments_in
from fer_core.analysis.sliding_picture import SlidingPicture, Watched, looking_times
from fer_core.analysis.sliding_sound import SlidingSound
from fer_core.analysis.source import source_of
from fer_core.analysis.timeline import Segment, Timeline
from fer_core.data.clips import Modalities
from fer_core.data.container import CUT_OFF_SECONDS
from fer_core.data.digest import content_digest
from fer_core.data.media_info import probe
from fer_core.data.media_picture import frames_at
from fer_core.data.media_sound import sound_blocks
from fer_core.errors import UserError
from fer_core.media import (
    CLIP_SECONDS,
    HOP_SECONDS,
    SHORTEST_HOP_SECONDS,
    Clip,
    FaceBox,
    VideoFrame,
)
from fer_core.preprocess.face import FaceDetector

WAITING_BYTES = 64 * 2**20  # of frames between two threads
MOST_WAITING = 8  # frames; more do not make it faster

OnProgress = Callable[[float, float], None]  # seconds done, and of how many


class Analysis:
    """One file's analysis: iterate over ``segments()``, then ask for the ``timeline()``.

    To stop it, leave the loop and close the iterator.
    """

    def __init__(
        self,
        path: Path,
        model: LoadedModel,
        hop_s: float = HOP_SECONDS,
        wanted: Modalities | None = None,
        face: FaceChoice = "largest",
        sound_track: int | None = None,
    ) -> None:
        """Looks at the file's header and content; nothing is analysed yet.

        Args:
            hop_s: from one window to the next, 0.05 to 3 s.
            wanted: what is used of the file; by default all it has.
            face: the largest, each, or one of all by its number from 0.
            sound_track: which of several, from 1; by default the file's main one.

        Raises:
            UserError: the file is not there, may not be read, is no media file, or has nothing of
                what is wanted.
            ValueError: the hop cannot be used.
        """
        if not SHORTEST_HOP_SECONDS <= hop_s <= CLIP_SECONDS:
            raise ValueError(
                f"a hop of {hop_s} s is not between {SHORTEST_HOP_SECONDS} and {CLIP_SECONDS} s"
            )
        wanted = wanted or Modalities()
        self._path, self._model, self._hop_s = path, model, hop_s
        self._face, self._sound_track = face, sound_track
        self._info = probe(path, sound_track)
        self._sha256 = content_digest(path)
        self._hears = wanted.audio and self._info.has_sound
        self._sees = wanted.video and self._info.has_picture
        if not self._hears and not self._sees:
            missing = "no picture" if self._info.has_sound else "no sound"
            raise UserError(f"“{path}” has {missing}.", "Leave --modalities out to use all it has.")
        self.duration_s = self._info.duration_s  # the real one, once the end was reached
        self.done_s = 0.0  # how far it has been analysed
        self._said = Appearances(model.predictor.config.thresholds.uncertain_below)
        self._warnings: list[str] = []
        self._finished = False

    def segments(self) -> Generator[Segment]:
        """The segments, each as soon as no further window tells of it; call it once.

        Where faces are followed by number, these are what the sound alone says.

        Raises:
            UserError: the file cannot be read any more, or nothing in it can be decoded.
        """
        with closing(self._sound()) as sound, closing(self._picture()) as picture:
            for segment in self._through(sound, picture):
                self.done_s = segment.end_s
                yield segment
        self._finished = True

    def timeline(self) -> Timeline:
        """All of it, for one face.

        Raises:
            UserError: there is no face of the number that was asked for.
            ValueError: ``segments()`` was not exhausted, or each face was asked for.
        """
        if self._face == "all":
            raise ValueError("each face has a timeline: ask for timelines()")
        (timeline,) = self.timelines()
        return timeline

    def timelines(self) -> list[Timeline]:
        """One for each face that was asked for; without any face, one of the sound alone.

        Raises:
            UserError: there is no face of the number that was asked for.
            ValueError: ``segments()`` was not exhausted.
        """
        if not self._finished:
            raise ValueError("the file has not been analysed to its end")
        alone = self._timeline(self._said.segments, self._said.whole)
        if self._face == "largest":
            return [alone]
        faces = self._said.of_faces()
        if self._face == "all":
            found = [self._timeline(*face, number) for number, face in enumerate(faces)]
            return found or [alone]
        if self._face >= len(faces):
            there = f"It shows {len(faces)}, counted from 0." if faces else "It shows none."
            raise UserError(f"“{self._path}” has no face {self._face}. {there}")
        return [self._timeline(*faces[self._face], self._face)]

    def _timeline(
        self, segments: tuple[Segment, ...], whole: FileAverage, face_id: int | None = None
    ) -> Timeline:
        return Timeline(
            source=source_of(self._path, self._info, self._sha256, self.duration_s),
            model=self._model.used,
            hop_s=self._hop_s,
            segments=segments,
            probabilities=whole.probabilities(),
            warnings=tuple(self._warnings),
            face_id=face_id,
        )

    def _through(self, sound_blocks: Generator, watched: Generator[Watched]) -> Iterator[Segment]:
        predictor = self._model.predictor
        sound = SlidingSound(sound_blocks)
        picture = SlidingPicture(watched, predictor.look, self._room())
        said = self._said

        def look_at(start_s: float, end_s: float = math.inf) -> None:
            shown, faces = picture.at(start_s)
            heard = sound.at(start_s)

            def answer(face: tuple[FaceBox | None, ...]) -> Answer:
                clip = Clip(start_s, shown, face, *heard)
                return Answer(predictor.step(clip, picture.seen)[0], face)

            if self._face == "largest":
                said.add(start_s, answer(faces.get(0, NOBODY)), {}, end_s)
            else:
                each = {number: answer(face) for number, face in faces.items()}
                said.add(start_s, answer(NOBODY), each, end_s)

        number, end_s = 0, math.inf
        while True:
            start_s = number * self._hop_s
            if end_s == math.inf:
                # Both are read, whichever goes on for longer.
                reached = [part.reaches(start_s + CLIP_SECONDS) for part in (sound, picture)]
                if not any(reached):
                    end_s = self._end(sound.end_s, picture.end_s)
            if start_s + CLIP_SECONDS > end_s:
                break
            look_at(start_s)
            for _ in range(said.finished(start_s)):
                yield said.take()
            number += 1
        last_s = max(end_s - CLIP_SECONDS, 0.0)
        if not number or last_s > (number - 1) * self._hop_s + SLIVER_SECONDS:
            look_at(last_s, end_s)
        for _ in range(segments_in(end_s) - len(said.segments)):
            yield said.take(end_s)

    def _end(self, sound_s: float, last_frame_s: float) -> float:
        """The file's end: where its header says, unless what was read ends elsewhere."""
        says_s = self._info.duration_s
        picture_s = last_frame_s + 1 / (self._info.fps or math.inf) if self._sees else 0.0
        found_s = max(sound_s, picture_s)
        if found_s <= 0:
            raise UserError(f"Nothing in “{self._path}” can be decoded.", "Choose another file.")
        all_read = (self._hears, self._sees) == (self._info.has_sound, self._info.has_picture)
        end_s = max(sound_s, says_s)
        if says_s - found_s > CUT_OFF_SECONDS and (all_read or self._warnings):
            self._warnings.append(
                f"It ends at {found_s:.2f} s, though its header says {says_s:.2f} s."
            )
            end_s = found_s
        elif found_s - says_s > CUT_OFF_SECONDS:
            end_s = found_s
        self.duration_s = end_s
        return end_s

    def _sound(self) -> Generator:
        if self._hears:
            yield from sound_blocks(
                self._path, on_damage=self._warn, track_number=self._sound_track
            )

    def _picture(self) -> Generator[Watched]:
        if self._sees:
            room = self._room()
            with (
                closing(read_ahead(self._frames(), room)) as frames,
                closing(read_ahead(self._watched(frames), room)) as watched,
            ):
                yield from watched

    def _frames(self) -> Generator[VideoFrame]:
        times_s = looking_times(self._hop_s, self._info.duration_s)
        yield from frames_at(self._path, times_s, on_damage=self._warn)

    def _watched(self, frames: Generator[VideoFrame]) -> Generator[Watched]:
        follower: Follower = LargestFace() if self._face == "largest" else EveryFace()
        with FaceDetector() as detector:
            for frame in frames:
                faces = detector.detect(frame.image)
                yield Watched(frame, follower.follow(faces, frame.time_s))

    def _room(self) -> int:
        width, height = self._info.size or (0, 0)
        return min(max(WAITING_BYTES // max(3 * width * height, 1), 1), MOST_WAITING)

    def _warn(self, what: str, time_s: float) -> None:
        self._warnings.append(f"At {time_s:.2f} s: {what}.")


def analyze(
    path: Path,
    model: LoadedModel | Path | None = None,
    hop_s: float = HOP_SECONDS,
    wanted: Modalities | None = None,
    face: Literal["largest"] | int = "largest",
    sound_track: int | None = None,
    on_progress: OnProgress | None = None,
) -> Timeline:
    """The timeline of ``path``.

    Args:
        model: loaded, or its folder; by default the one that comes with the program.
        hop_s: from one window of 3 s to the next, 0.05 to 3 s.
        wanted: what is used of the file; by default all it has.
        face: the largest, or a number from 0 in the order of their coming.
        sound_track: which of several, from 1; by default the file's main one.
        on_progress: told after each segment how many seconds are done, and of how many.

    Raises:
        UserError: the file or the model cannot be used, or has no such face or sound track.
        ValueError: the hop cannot be used.
    """
    if not isinstance(model, LoadedModel):
        model = LoadedModel.load(model)
    analysis = Analysis(path, model, hop_s, wanted, face, sound_track)
    for _ in analysis.segments():
        if on_progress is not None:
            on_progress(analysis.done_s, analysis.duration_s)
    return analysis.timeline()
