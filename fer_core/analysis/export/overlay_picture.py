"""Results drawn on a picture (H, W, 3): a box around each face, and bars of its probabilities.

Sizes follow the picture's shorter side, so that small and large ones read alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fer_core.analysis.timeline import Segment, Timeline
from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox, RgbImage
from fer_core.palette import ON_DARK
from fer_core.preprocess.opencv import cv2

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = tuple(
    (int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in ON_DARK
)
GREY: Colour = (170, 176, 186)  # of what the model is not certain of
WHITE: Colour = (245, 247, 250)
DARK: Colour = (19, 22, 28)
BEHIND = 0.15  # how much of the picture is seen through a panel
SMALLEST_UNIT = 0.6  # of a text that can still be read
FULL_SIDE = 360  # pixels of a picture's shorter side at which a line of text is 14 high
LINE_UNITS, COLUMN_UNITS = 16, 218  # of a panel
SOME = 8  # of so many segments one is enough to find where faces are
SMOOTHED_SECONDS = 0.75  # boxes of segments farther apart than this are not joined


class _Panel(NamedTuple):
    """What is laid over a corner of a picture."""

    image: RgbImage
    segments: tuple[Segment, ...]  # that it tells of


class OverlayPainter:
    """Draws what the timelines of one file say at a time; frames come in order of time."""

    def __init__(self, timelines: Sequence[Timeline], size: tuple[int, int]) -> None:
        """``size``: (width, height) of the pictures."""
        self._timelines = timelines
        self._starts = [segment.start_s for segment in timelines[0].segments]
        width, height = size
        self._unit = max(min(width, height) / FULL_SIDE, SMALLEST_UNIT)
        self._font = cv2.FontFace("sans")
        self._panel: _Panel | None = None
        self._corner = self._clearest_corner(size)

    def draw(self, image: RgbImage, time_s: float) -> RgbImage:
        """A copy of ``image`` with what was found at ``time_s``."""
        drawn = image.copy()
        place = max(bisect_right(self._starts, time_s) - 1, 0)
        segments = tuple(timeline.segments[place] for timeline in self._timelines)
        for timeline, segment in zip(self._timelines, segments, strict=True):
            if segment.face is not None:
                box = _box_at(timeline.segments, place, time_s)
                self._draw_box(drawn, box or segment.face, segment, timeline.face_id)
        if self._panel is None or self._panel.segments != segments:
            self._panel = _Panel(self._panel_of(segments), segments)
        self._lay(drawn, self._panel.image)
        return drawn

    def _draw_box(
        self, image: RgbImage, box: FaceBox, segment: Segment, face_id: int | None
    ) -> None:
        left, top = round(box.x), round(box.y)
        right, bottom = round(box.x + box.width), round(box.y + box.height)
        colour = _colour(segment)
        cv2.rectangle(image, (left, top), (right, bottom), DARK, self._pixels(4), cv2.LINE_AA)
        cv2.rectangle(image, (left, top), (right, bottom), colour, self._pixels(2), cv2.LINE_AA)
        number = "" if face_id is None else f"{face_id}: "
        text, line = number + _said(segment), self._pixels(20)
        width = self._width(text, 14) + self._pixels(12)
        left = min(max(left, 0), max(image.shape[1] - width, 0))
        above, below = top - self._pixels(3) - line, bottom + self._pixels(4)
        top = above if above >= 0 else min(below, image.shape[0] - line)
        cv2.rectangle(image, (left, top), (left + width, top + line), DARK, cv2.FILLED)
        self._write(image, text, (left + self._pixels(6), top + self._pixels(15)), colour, 14)

    def _panel_of(self, segments: Sequence[Segment]) -> RgbImage:
        """Columns beside each other, one for each face that is there, or one of what is heard."""
        there = [number for number, segment in enumerate(segments) if segment.seen] or [0]
        columns = []
        for number in there:
            face_id, segment = self._timelines[number].face_id, segments[number]
            # What is heard where nobody is seen is not the answer about a face.
            whose = f"{face_id}: " if segment.seen and face_id is not None else ""
            columns.append(self._column(whose + _said(segment), segment))
        return np.concatenate(columns, axis=1)

    def _column(self, title: str, segment: Segment) -> RgbImage:
        line, width = self._pixels(LINE_UNITS), self._pixels(COLUMN_UNITS)
        column = np.full((line * (len(EMOTIONS) + 2), width, 3), DARK, np.uint8)
        self._write(column, title, (self._pixels(8), self._pixels(18)), _colour(segment), 14)
        shares = np.zeros(len(EMOTIONS)) if segment.probabilities is None else segment.probabilities
        bars, longest = self._pixels(80), self._pixels(100)
        for row, (emotion, share) in enumerate(zip(EMOTIONS, shares, strict=True)):
            top = line * row + self._pixels(26)
            self._write(column, emotion, (self._pixels(8), top + self._pixels(10)), WHITE, 12)
            right = bars + round(longest * float(share))
            colour = COLOURS[row]
            cv2.rectangle(column, (bars, top), (right, top + self._pixels(9)), colour, cv2.FILLED)
            share_at = (bars + longest + self._pixels(6), top + self._pixels(10))
            self._write(column, f"{share:.0%}", share_at, GREY, 10)
        return column

    def _lay(self, image: RgbImage, panel: RgbImage) -> None:
        """Into the corner; what does not fit is cut."""
        height, width = image.shape[:2]  # a film's pictures may change their size
        left, top = self._place((width, height), panel.shape[1], panel.shape[0], *self._corner)
        under = image[top : top + panel.shape[0], left : left + panel.shape[1]]
        over = panel[: under.shape[0], : under.shape[1]]
        cv2.addWeighted(under, BEHIND, over, 1 - BEHIND, 0, under)
        # Bars and letters as they are.
        bright = over.max(axis=2) > max(DARK)
        under[bright] = over[bright]

    def _place(
        self, size: tuple[int, int], width: int, height: int, right: bool, bottom: bool
    ) -> tuple[int, int]:
        """Left and top of a panel in a corner of a picture of ``size``."""
        edge = self._pixels(8)
        left = size[0] - edge - width if right else edge
        top = size[1] - edge - height if bottom else edge
        return max(left, 0), max(top, 0)

    def _clearest_corner(self, size: tuple[int, int]) -> tuple[bool, bool]:
        """(right, bottom): the one in which the panel hides least of the faces, over all times."""
        width = self._pixels(COLUMN_UNITS) * len(self._timelines)
        height = self._pixels(LINE_UNITS) * (len(EMOTIONS) + 2)
        boxes = [s.face for t in self._timelines for s in t.segments[::SOME] if s.face is not None]

        def hidden(corner: tuple[bool, bool]) -> float:
            panel = FaceBox(*self._place(size, width, height, *corner), width, height, 1.0)
            return sum(panel.shared(box) for box in boxes)

        return min(((False, True), (True, True), (False, False), (True, False)), key=hidden)

    def _pixels(self, units: float) -> int:
        return max(round(units * self._unit), 1)

    def _write(
        self, image: RgbImage, text: str, place: tuple[int, int], colour: Colour, size: int
    ) -> None:
        cv2.putText(image, text, place, colour, self._font, self._pixels(size), 500)

    def _width(self, text: str, size: int) -> int:
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._font, self._pixels(size), 500)
        return int(width)


def _said(segment: Segment) -> str:
    if segment.probabilities is None:
        return "nothing heard or seen"
    said = f"{segment.emotion} {segment.probabilities.max():.0%}"
    return f"uncertain: {said}" if segment.uncertain else said


def _colour(segment: Segment) -> Colour:
    if segment.uncertain or segment.probabilities is None:
        return GREY
    return COLOURS[int(segment.probabilities.argmax())]


def _box_at(segments: Sequence[Segment], place: int, time_s: float) -> FaceBox | None:
    """Between the boxes of two segments, each true in its middle, so that it glides."""
    here = segments[place]
    middle_s = (here.start_s + here.end_s) / 2
    beside = place + (1 if time_s >= middle_s else -1)
    if here.face is None or not 0 <= beside < len(segments):
        return here.face
    other = segments[beside]
    away_s = (other.start_s + other.end_s) / 2 - middle_s
    if other.face is None or not 0 < abs(away_s) < SMOOTHED_SECONDS:
        return here.face
    share = (time_s - middle_s) / away_s
    a, b = here.face, other.face
    return FaceBox(
        *(
            (1 - share) * getattr(a, name) + share * getattr(b, name)
            for name in ("x", "y", "width", "height", "score")
        )
    )
