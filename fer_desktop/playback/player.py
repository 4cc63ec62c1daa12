"""A file played: its sound, and its picture to be polled.

Qt plays it (``qt_media``). Times are seconds from the file's own beginning, the clock of its
analysis. Qt may count from a little elsewhere, where sound before 0:00 belongs to the encoder: its
first frame tells. Whether Qt shows the picture that was asked for is decided by time stamps, not by
trust (``goal``); where it does not, the picture is read from the file (``stills``).
"""

from __future__ import annotations

import dataclasses
import math
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from fer_core.data.media_info import MediaInfo, probe
from fer_core.data.media_picture import frames
from fer_core.errors import UserError
from fer_desktop.errors import Notice
from fer_desktop.gui_thread import GuiCalls
from fer_desktop.playback.goal import Goal, goal_of_step
from fer_desktop.playback.pictures import Picture, Pictures, picture_of
from fer_desktop.playback.qt_media import QtMedia
from fer_desktop.playback.stills import SAME_SECONDS

SLOWEST, FASTEST = 0.25, 4.0
STEP_WITHOUT_PICTURE_SECONDS = 0.04
MOST_STEPS = 4  # that wait while a key is held
FIRST_PICTURE_SECONDS = 4.0  # to wait for Qt's first picture; then it is taken to have none
EARLY_SECONDS = 0.1  # Qt delivers a picture up to that long before its time


class Player(QObject):
    """One file at a time. Call :meth:`poll` some 60 times a second."""

    opened = Signal(object)  # MediaInfo
    noticed = Signal(object)  # Notice: "file" cannot be read, "playback" lacks something
    changed = Signal()  # playing, rate, loop

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._media = QtMedia(self)
        self.sound = self._media.sound
        self._gui = GuiCalls(self)
        self._rate = 1.0
        self._pictures = Pictures()
        self._wish = 0  # counts seeks, over all files
        self._forget()

    def _forget(self) -> None:
        self.path: Path | None = None
        self.info: MediaInfo | None = None  # once it is open
        self.playing = False
        self.selection: tuple[float, float] | None = None
        self.looping = False  # over the selection, or else over the file
        self._wish += 1
        self._goal: Goal | None = None  # None: plays on undisturbed
        self._steps = 0  # that wait for the one at work
        self._position_s = 0.0  # while it does not play on
        self._play_once_open = False
        self._ended = False  # Qt came to the end, or to where a file was cut off, and stopped
        self._deaf = False  # Qt can play nothing of the file
        self._blind = False  # Qt has no pictures of a file that has some
        self._offset_s: float | None = None  # of Qt's clock, once its first frame is there
        self._first_s = 0.0  # of the file's first frame
        self._opened_at = 0.0  # monotonic
        self._shown: tuple[float, float | None] | None = None  # from when until when
        self._drawn = 0  # the wish of the last picture given out

    # Files

    def open(self, path: Path) -> None:
        """Open ``path`` and play it: ``opened``, or a notice "file", follows."""
        self.close()
        self.path, self._play_once_open = path, True
        self._pictures.do(partial(self._look_into, path, self._wish))

    def close(self) -> None:
        """Forget the file."""
        self._pictures.forget()
        self._media.close()
        self._forget()
        self.changed.emit()

    def shut_down(self) -> None:
        """At the program's end."""
        self.close()
        self._pictures.stop()

    def _look_into(self, path: Path, wish: int) -> None:
        """On a thread: the file may lie on a slow disk."""
        first = None
        try:
            info = probe(path)
            if info.has_picture:
                first = next(frames(path, on_damage=lambda _: None), None)
        except UserError as error:
            notice = Notice("file", error.text, error.hint, retry=True)
            self._gui.call(partial(self._on_unreadable, notice, wish))
        else:
            picture = None if first is None else picture_of(first, wish)
            self._gui.call(partial(self._on_looked_into, info, picture, wish))

    def _on_unreadable(self, notice: Notice, wish: int) -> None:
        if wish == self._wish:
            self.noticed.emit(notice)

    def _on_looked_into(self, info: MediaInfo, first: Picture | None, wish: int) -> None:
        if wish != self._wish or self.path is None:
            return  # another file by now
        self.info = info
        self._opened_at = time.monotonic()
        self._goal = Goal(0.0, self._opened_at)
        if first is not None:
            self._first_s = first.start_s
            self._goal.time_s = first.start_s
        self._media.open(self.path)
        self.opened.emit(info)

    # What can be asked

    @property
    def duration_s(self) -> float:
        return self.info.duration_s if self.info is not None else 0.0

    @property
    def position_s(self) -> float:
        """The playhead."""
        if not self.playing or self._goal is not None:
            return self._position_s
        clock_s = self._clock_s()
        if self._shown is not None and abs(self._shown[0] - clock_s) < 2 * EARLY_SECONDS:
            clock_s = self._shown[0]  # in step with the picture
        return min(clock_s, self.duration_s)

    @property
    def rate(self) -> float:
        return self._rate

    # What can be done

    def shorten(self, duration_s: float) -> None:
        """Its header promised more: what there is ends at ``duration_s``, and so does playing."""
        if self.info is None:
            return
        behind = self.position_s > duration_s
        self.info = dataclasses.replace(self.info, duration_s=duration_s)
        if behind:
            self.seek(duration_s)

    def play(self) -> None:
        """Go on; at the end, or behind what is looped, from the beginning."""
        if self.info is None or self._deaf or self.playing:
            return
        start_s, end_s = self._bounds()
        if self._ended or self.position_s >= end_s - SAME_SECONDS:
            self.seek(start_s)
        self.playing = True
        if self._goal is not None and not self._goal.waiting:
            self._goal = None
        self._media.play()
        self.changed.emit()

    def pause(self) -> None:
        if not self.playing:
            return
        self._position_s = self.position_s
        self.playing = False
        self._media.pause()
        if self._goal is None:
            self._goal = Goal(self._position_s, time.monotonic(), waiting=False)
        self.changed.emit()

    def seek(self, time_s: float) -> None:
        """Show the picture of ``time_s``; what plays goes on from there."""
        self._steps = 0
        if self.info is not None:
            self._go(Goal(min(max(time_s, 0.0), self.duration_s), time.monotonic()))

    def step(self, pictures: int) -> None:
        """That many pictures on, or with a negative number back; pauses."""
        self.pause()
        if self.info is None or self._goal is None:
            return
        if not self.info.has_picture:
            self.seek(self._position_s + pictures * STEP_WITHOUT_PICTURE_SECONDS)
            return
        self._steps = min(max(self._steps + pictures, -MOST_STEPS), MOST_STEPS)
        if not self._goal.waiting:
            self._next_step()

    def set_rate(self, rate: float) -> None:
        """0.25 to 4; the pitch of the sound stays."""
        self._rate = min(max(rate, SLOWEST), FASTEST)
        self._media.set_rate(self._rate)
        self.changed.emit()

    def set_selection(self, selection: tuple[float, float] | None) -> None:
        """What a loop repeats, in seconds."""
        self.selection = selection
        self.changed.emit()

    def set_looping(self, looping: bool) -> None:
        self.looping = looping
        self.changed.emit()

    # Its picture

    def poll(self) -> Picture | None:
        """The picture to be drawn from now on; None: the last one stays."""
        if self.info is None or self._media.busy:
            return None
        self._answer_qt()
        if self.info.has_picture:
            self._look_at_sink()
            self._look_into_file()
        elif self._media.loaded:
            self._begin()
        if self.playing and self.looping and self._goal is None:
            start_s, end_s = self._bounds()
            if self.position_s >= end_s:
                self.seek(start_s)
        picture = self._newest()
        if picture is not None:
            self._drawn = picture.wish
        return picture

    def _look_at_sink(self) -> None:
        taken = self._media.take_frame()
        if taken is None:
            return
        frame, start_s, end_s = taken
        if self._offset_s is None:
            # The file's first frame, whatever each calls its time.
            self._offset_s = start_s - self._first_s
            self._begin()
        start_s, end_s = start_s - self._offset_s, end_s - self._offset_s
        goal = self._goal
        played_s = self._clock_s() + EARLY_SECONDS * max(self.rate, 1) if self.playing else None
        if goal is None or goal.suits(start_s, end_s, played_s):
            self._pictures.convert(frame, start_s, end_s, self._wish)
            self._answer(start_s, end_s)
        else:
            goal.since = -math.inf  # it came, and is another one: no use in waiting

    def _look_into_file(self) -> None:
        """Where Qt does not show what was asked for."""
        now = time.monotonic()
        if self._offset_s is None:
            if now - self._opened_at > FIRST_PICTURE_SECONDS:
                self._miss_pictures()
            return
        if self._goal is None and self.playing and self._blind:
            self._goal = Goal(self._clock_s(), -math.inf)
        goal, path = self._goal, self.path
        if goal is not None and path is not None and goal.must_be_read(now, self.duration_s):
            goal.reading = True
            missing = partial(self._missing, self._wish)
            self._pictures.read(path, goal.time_s, goal.after_s, self._wish, missing)

    def _missing(self, wish: int, notice: Notice | None) -> None:
        """On a thread."""
        self._gui.call(partial(self._on_missing, wish, notice))

    def _on_missing(self, wish: int, notice: Notice | None) -> None:
        """There is no such picture: the one before stays."""
        if wish != self._wish or self._goal is None:
            return
        self._goal.waiting = self._goal.reading = False
        self._steps = 0
        if self.playing:
            self._goal = None
        if notice is not None:
            self.noticed.emit(notice)

    def _newest(self) -> Picture | None:
        still = self._pictures.still()
        if still is not None and still.wish == self._wish:
            self._take(still)
            return still
        converted = self._pictures.converted()
        return converted if converted is not None and converted.wish >= self._drawn else None

    def _take(self, still: Picture) -> None:
        goal = self._goal
        if goal is not None and goal.after_s is not None:
            goal.time_s = still.start_s
            self._tell_position(still.start_s)
        self._answer(still.start_s, None)

    def _answer(self, start_s: float, end_s: float | None) -> None:
        """What is shown from ``start_s`` on is what was sought."""
        self._shown = (start_s, end_s)
        goal = self._goal
        if goal is None:
            return
        if goal.to_beginning:
            self._position_s = goal.time_s = start_s
        goal.waiting = goal.reading = goal.to_beginning = False
        if self.playing:
            self._goal = None
        elif self._steps:
            self._next_step()

    # Moving

    def _begin(self) -> None:
        """The first picture is there, or there will be none."""
        if self._play_once_open:
            self._play_once_open = False
            self.play()

    def _bounds(self) -> tuple[float, float]:
        """From where to where it plays."""
        if self.looping and self.selection is not None:
            return self.selection
        return 0.0, self.duration_s

    def _clock_s(self) -> float:
        return max(self._media.position_s - (self._offset_s or 0.0), 0.0)

    def _tell_position(self, time_s: float) -> None:
        self._media.seek(time_s + (self._offset_s or 0.0))

    def _go(self, goal: Goal) -> None:
        self._wish += 1
        self._position_s = goal.time_s
        self._goal = goal
        at_end = self._media.take_end()
        if self._ended or at_end:
            self._ended = False
            self._media.pause()  # stopped, Qt would show nothing
        self._tell_position(goal.time_s)
        if self.info is not None and not self.info.has_picture:
            self._goal = None if self.playing else goal
            goal.waiting = False
        goal.time_s = max(goal.time_s, self._first_s)
        if self._blind:
            goal.since = -math.inf
        shown = self._shown
        if shown is not None and shown[1] is not None and goal.suits(shown[0], shown[1], None):
            self._answer(*shown)  # it stays

    def _next_step(self) -> None:
        direction = 1 if self._steps > 0 else -1
        self._steps -= direction
        shown = self._shown or (self._position_s, None)
        now = time.monotonic()
        goal = goal_of_step(direction, shown, self._first_s, self.duration_s, now)
        if goal is None:
            self._steps = 0
        else:
            self._go(goal)

    # From Qt

    def _answer_qt(self) -> None:
        fault, at_end = self._media.take_fault(), self._media.take_end()
        if fault is not None and (self._deaf or self._offset_s is None):
            self._deaf, self.playing = True, False
            self._go_blind()
            self._tell_unplayable(f"This file cannot be played here: {fault}.")
            self.changed.emit()
        elif fault is not None:
            self._end(self.position_s)  # it was cut off: no more of it is there
        elif at_end and not self._ended:
            self._end(self.duration_s)

    def _end(self, end_s: float) -> None:
        self._ended = True
        start_s, _ = self._bounds()
        if self.info is not None and self.info.has_picture and self._offset_s is None:
            self._miss_pictures()
        elif self.playing and self.looping and end_s > start_s:
            self.seek(start_s)
            self._media.play()
        else:
            self.playing = False
            self._position_s = end_s
            if self._goal is None:
                self._goal = Goal(end_s, time.monotonic(), waiting=False)
            self.changed.emit()

    def _miss_pictures(self) -> None:
        self._go_blind()
        self._tell_unplayable("The pictures of this file cannot be played here: no decoder for it.")
        self._begin()

    def _go_blind(self) -> None:
        """Qt shows no pictures of a file that has some: they are read from it."""
        self._blind, self._offset_s = True, 0.0
        self._media.leave_pictures_out()
        self._deaf = self._deaf or not self._media.has_sound
        if self._goal is not None:
            self._goal.since = -math.inf

    def _tell_unplayable(self, text: str) -> None:
        hint = "What can be read of it is analysed all the same."
        if self.info is not None and self.info.has_picture:
            hint += " A click on the timeline shows the picture there."
        self.noticed.emit(Notice("playback", text, hint, severity="warning"))
