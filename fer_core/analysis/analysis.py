"""A media file through the network, window by window.

Sound and picture are read as far as the window reaches, so that memory does not depend on the
file's length, and its real end is known when it comes, whatever the header says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from fer_core.analysis.appearances import NOBODY, Answer, Appearances
from fer_core.analysis.encoded_frames import EncodedFrame, encoded_frames
from fer_core.analysis.file_average import FileAverage
from fer_core.analysis.identities import EveryFace, FaceChoice, Follower, LargestFace
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.segment_average import SLIVER_SECONDS, segments_in
from fer_core.analysis.sliding_picture import SlidingPicture, looking_times
from fer_core.analysis.sliding_sound import SlidingSound
from fer_core.analysis.source import source_of
from fer_core.analysis.timeline import Segment, Timeline
from fer_core.data.clips import Modalities
from fer_core.data.container import CUT_OFF_SECONDS
from fer_core.data.damage import ignore
from fer_core.data.digest import content_digest
from fer_core.data.media_info import probe
from fer_core.data.media_picture import frames_at
from fer_core.data.media_sound import sound_blocks
from fer_core.errors import UserError
from fer_core.heap import map_large_blocks
from fer_core.media import (
    CLIP_SECONDS,
    HOP_SECONDS,
    SAMPLE_RATE,
    SHORTEST_HOP_SECONDS,
    Clip,
    VideoFrame,
)
from fer_core.preprocess.speech_listener import SpeechListener

TAIL_SECONDS = 1.0  # of the sound, read first to know where it ends
WINDOWS_AT_ONCE = 4  # of the network: together they take two thirds of the time

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
        self._face, self._wanted, self._sound_track = face, wanted, sound_track
        map_large_blocks()  # the index of a long film is one
        self._info = probe(path, sound_track if wanted.audio else None)
        self._sha256 = content_digest(path)
        self._hears = wanted.audio and self._info.has_sound
        self._sees = wanted.video and self._info.has_picture
        if not self._hears and not self._sees:
            missing = "no picture" if self._info.has_sound else "no sound"
            raise UserError(f"“{path}” has {missing}.", "Leave --modalities out to use all it has.")
        self.duration_s = self._info.duration_s  # the real one, once the end was reached
        self.done_s = 0.0  # how far it has been analysed
        self._said = Appearances(model.predictor.config.thresholds.uncertain_below)
        self._listener = SpeechListener()
        self._warnings: list[str] = []
        self._told_picture_end_s: float | None = None  # if the file says
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
            found = [self._timeline(*f, number, len(faces)) for number, f in enumerate(faces)]
            return found or [alone]
        if self._face >= len(faces):
            there = f"It shows {len(faces)}, counted from 0." if faces else "It shows none."
            raise UserError(f"“{self._path}” has no face {self._face}. {there}")
        return [self._timeline(*faces[self._face], self._face, len(faces))]

    def _timeline(
        self,
        segments: tuple[Segment, ...],
        whole: FileAverage,
        face_id: int | None = None,
        faces: int | None = None,
    ) -> Timeline:
        return Timeline(
            source=source_of(self._path, self._info, self._sha256, self.duration_s),
            model=self._model.used,
            hop_s=self._hop_s,
            segments=segments,
            probabilities=whole.probabilities(),
            warnings=tuple(self._warnings),
            face_id=face_id,
            faces=faces,
            only=self._wanted.only,
            sound_track=self._sound_track,
        )

    def _through(
        self, sound_blocks: Generator, encoded: Generator[EncodedFrame]
    ) -> Iterator[Segment]:
        sound, said = SlidingSound(sound_blocks), self._said
        picture = SlidingPicture(encoded, self._picture_end)
        number, end_s = 0, math.inf
        while number * self._hop_s + CLIP_SECONDS <= end_s:
            starts = [(number + place) * self._hop_s for place in range(WINDOWS_AT_ONCE)]
            if end_s == math.inf:
                # Both are read, whichever goes on for longer.
                reached = [part.reaches(starts[-1] + CLIP_SECONDS) for part in (sound, picture)]
                if not any(reached):
                    end_s = self._end(sound.end_s, picture.end_s)
            starts = [start_s for start_s in starts if start_s + CLIP_SECONDS <= end_s]
            if not starts:
                break
            self._add(starts, sound, picture)
            for _ in range(said.finished(starts[-1])):
                yield said.take()
            number += len(starts)
        last_s = max(end_s - CLIP_SECONDS, 0.0)
        if not number or last_s > (number - 1) * self._hop_s + SLIVER_SECONDS:
            self._add([last_s], sound, picture, end_s)
        for _ in range(segments_in(end_s) - len(said.segments)):
            yield said.take(end_s)

    def _add(
        self,
        starts: Sequence[float],
        sound: SlidingSound,
        picture: SlidingPicture,
        end_s: float = math.inf,
    ) -> None:
        """What the network says of the windows that begin at ``starts``."""
        seen = picture.seen
        clips: list[Clip] = []
        numbers: list[list[int]] = []  # of each window's faces; its first clip has none of them
        for start_s in starts:
            shown, faces = picture.at(start_s)
            heard = sound.at(start_s)
            shared = faces.pop(0, NOBODY) if self._face == "largest" else NOBODY
            clips += [Clip(start_s, shown, face, *heard) for face in (shared, *faces.values())]
            numbers.append(list(faces))
        predictions = self._model.predictor.answers(clips, seen, self._listener)
        answers = map(Answer, predictions, [clip.faces for clip in clips])
        for start_s, faces_there in zip(starts, numbers, strict=True):
            shared_answer = next(answers)
            each = {number: next(answers) for number in faces_there}
            self._said.add(start_s, shared_answer, each, end_s)

    def _end(self, sound_s: float, last_frame_s: float) -> float:
        """The file's end: where its header says, unless what was read ends elsewhere."""
        says_s = self._info.duration_s
        picture_s = self._picture_end(last_frame_s) if self._sees else 0.0
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

    def _picture_end(self, last_frame_s: float) -> float:
        """A slide is held for as long as it says; behind the header's end that is not believed."""
        usual_s = last_frame_s + 1 / (self._info.fps or math.inf)
        return min(self._told_picture_end_s or usual_s, max(self._info.duration_s, usual_s))

    def _sound(self) -> Generator:
        if self._hears:
            yield from sound_blocks(
                self._path, on_damage=self._warn, track_number=self._sound_track
            )

    def _picture(self) -> Generator[EncodedFrame]:
        if self._sees:
            follower: Follower = LargestFace() if self._face == "largest" else EveryFace()
            encode = self._model.predictor.encode_faces
            yield from encoded_frames(self._frames(), self._info.size or (0, 0), follower, encode)

    def _frames(self) -> Generator[VideoFrame]:
        times_s = looking_times(self._hop_s, self._expected_end())
        yield from frames_at(self._path, times_s, on_damage=self._warn, on_end=self._on_picture_end)

    def _on_picture_end(self, end_s: float) -> None:
        self._told_picture_end_s = end_s

    def _expected_end(self) -> float:
        """Where the last window will end, which looks at frames of its own.

        Sound is often longer than the header says, by a block of its codec.
        """
        says_s = self._info.duration_s
        if not self._hears:
            return says_s
        from_s = max(says_s - TAIL_SECONDS, 0.0)
        tail = sound_blocks(self._path, from_s, on_damage=ignore, track_number=self._sound_track)
        return max(from_s + sum(map(len, tail)) / SAMPLE_RATE, says_s)

    def _warn(self, what: str, time_s: float) -> None:
        sentence = f"At {time_s:.2f} s: {what}."
        if sentence not in self._warnings:  # sound and picture may both tell it
            self._warnings.append(sentence)


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
