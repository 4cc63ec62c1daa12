"""Analyses one file, off the GUI thread, beside its playback.

Where its answers are known already they are told instead, unless new ones are wanted.

Paused, the analysis is kept as it stands, a few frames ahead: going on, no window is seen twice.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fer_core.analysis.pace import Pace
from fer_core.errors import UserError
from fer_desktop.errors import Notice, first_line

if TYPE_CHECKING:
    from fer_core.analysis.analysis import Analysis
    from fer_core.analysis.model import LoadedModel
    from fer_core.analysis.timeline import Segment, Timeline
    from fer_desktop.playback.known_answers import KnownAnswers

log = logging.getLogger(__name__)

Faces = Literal["largest", "all"]  # that are followed

TELL_SECONDS = 0.1  # the window need not draw more often
NICENESS = 5  # of what is analysed: the player's picture comes first


@dataclass(frozen=True)
class Listeners:
    """Called on the thread; they must only hand over."""

    known: Callable[[str], None]  # what follows was known before; whence, in words for people
    identified: Callable[[str], None]  # the SHA-256 of the file's content
    segments: Callable[[tuple[Segment, ...]], None]
    progress: Callable[[float, float, float], None]  # seconds done, of how many, seconds left
    faces: Callable[[tuple[Timeline, ...]], None]  # of each, before its segments and the end
    finished: Callable[[Timeline], None]
    failed: Callable[[Notice], None]


class AnalysisThread(threading.Thread):
    """``load`` opens the model on this thread and may take seconds."""

    def __init__(
        self,
        path: Path,
        load: Callable[[], LoadedModel],
        listeners: Listeners,
        known: Callable[[], KnownAnswers | None] = lambda: None,
        faces: Faces = "largest",
    ) -> None:
        """``known`` looks for answers that are there before, on this thread.

        Of "all" faces the segments are known at the end; what is told then are those of the first.
        """
        super().__init__(name="file analysis")
        self._path = path
        self._known = known
        self._faces: Faces = faces
        self._load = load
        self._listeners = listeners
        self._going_on = threading.Event()
        self._going_on.set()
        self._stopping = threading.Event()
        self._waiting: list[Segment] = []  # to be told

    def pause(self) -> None:
        self._going_on.clear()

    def go_on(self) -> None:
        self._going_on.set()

    def stop(self) -> None:
        """End soon, after the window at work; nothing more is told."""
        self._stopping.set()
        self._going_on.set()

    def run(self) -> None:
        _step_back()
        try:
            known = self._known()
            timeline = self._analysed() if known is None else self._told(known)
        except UserError as error:
            self._tell_failure(Notice("analysis", error.text, error.hint, retry=True))
        except Exception as error:
            log.error("the analysis of %s failed", self._path, exc_info=error)
            hint = "What was found until then stays. Press Retry to begin anew."
            text = f"The analysis of {self._path.name} failed: {first_line(error)}."
            self._tell_failure(Notice("analysis", text, hint, retry=True))
        else:
            if timeline is not None and not self._stopping.is_set():
                self._listeners.finished(timeline)

    def _told(self, known: KnownAnswers) -> Timeline:
        timeline = known.timeline
        if not self._stopping.is_set():
            self._listeners.known(known.whence)
            self._listeners.identified(timeline.source.sha256)
            self._listeners.segments(timeline.segments)
        return timeline

    def _analysed(self) -> Timeline | None:
        """None when it was stopped."""
        # Imported here: torch takes seconds and the window does not wait.
        model = self._load()
        from fer_core.analysis.analysis import Analysis
        from fer_core.data.digest import content_digest

        analysis = Analysis(self._path, model, face=self._faces)
        if self._stopping.is_set():
            return None
        self._listeners.identified(content_digest(self._path))  # known since the line above
        pace, told_s = Pace(), -math.inf
        with closing(analysis.segments()) as segments:
            for segment in segments:
                if self._faces == "largest":  # else it is what the sound alone says
                    self._waiting.append(segment)
                now_s, pausing = time.monotonic(), not self._going_on.is_set()
                pace.reached(analysis.done_s, now_s)
                if pausing or now_s - told_s >= TELL_SECONDS:
                    told_s = now_s
                    self._tell(analysis, pace)
                if pausing:
                    self._going_on.wait()
                    pace.rest()
                    pace.reached(analysis.done_s, time.monotonic())
                if self._stopping.is_set():
                    return None
        timelines = tuple(analysis.timelines())
        if self._faces == "all" and not self._stopping.is_set():
            self._listeners.faces(timelines)
            self._waiting += timelines[0].segments
        self._tell(analysis, pace)
        return timelines[0]

    def _tell(self, analysis: Analysis, pace: Pace) -> None:
        """What came since the last time."""
        if self._stopping.is_set():
            return
        if self._waiting:
            self._listeners.segments(tuple(self._waiting))
            self._waiting.clear()
        left_s = pace.left_s(analysis.duration_s)
        # Until the pace is known, as fast as it is played.
        left_s = analysis.duration_s - analysis.done_s if left_s is None else left_s
        self._listeners.progress(analysis.done_s, analysis.duration_s, left_s)

    def _tell_failure(self, notice: Notice) -> None:
        """After what was found until then."""
        if self._stopping.is_set():
            return
        if self._waiting:
            self._listeners.segments(tuple(self._waiting))
        self._listeners.failed(notice)


def _step_back() -> None:
    """Let the player go first; threads begun by this one inherit it. Linux can do so by thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
