"""What ``fer-analyze`` says while it goes: bars with the time left on a terminal, else a line for
each file; or a JSON object a line, for programs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from fer_core.analysis.batch import Outcome
from fer_core.analysis.inputs import Job
from fer_core.analysis.pace import Pace
from fer_core.data.media_info import probe

PACE_SECONDS = 300.0  # of which the time left is reckoned: a corpus has hard and easy files
LINE_SECONDS = 0.5  # between two JSON lines about a file


class Progress:
    """Counts seconds of media; the pace so far gives the time left."""

    def __init__(self, jobs: Sequence[Job], out: TextIO) -> None:
        self._out = out
        self._files = len(jobs)
        self._done = 0
        self._bars: Bars | None = None
        if not out.isatty():
            return
        self._lengths = {job: _length(job) for job in jobs}
        self._told: dict[Job, float] = {}  # seconds of it that were counted
        self._running: dict[Job, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=out),
            redirect_stdout=sys.stdout.isatty(),  # JSON that is piped goes its own way
            speed_estimate_period=PACE_SECONDS,
        )
        self._all = self._bars.add_task(self._count(), total=sum(self._lengths.values()))

    def on_segment(self, job: Job, done_s: float, of_s: float) -> None:
        """``done_s`` of a file are done."""
        if self._bars is None:
            return
        if job not in self._running:
            self._running[job] = self._bars.add_task(job.path.name, total=of_s)
        self._bars.update(self._running[job], completed=done_s, total=of_s)
        self._advance(job, min(done_s, self._lengths[job]))

    def on_file(self, outcome: Outcome) -> None:
        """A file is done, or failed."""
        self._done += 1
        said = "failed" if outcome.error is not None else _said(outcome)
        line = f"{self._done} of {self._files}: {outcome.job.path}: {said}"
        if self._bars is None:
            print(line, file=self._out)
            return
        self._advance(outcome.job, self._lengths[outcome.job])
        if outcome.job in self._running:
            self._bars.remove_task(self._running.pop(outcome.job))
        self._bars.update(self._all, description=self._count())
        self._bars.console.print(Text(line), soft_wrap=True)

    def _advance(self, job: Job, seconds: float) -> None:
        if self._bars is not None:
            self._bars.advance(self._all, seconds - self._told.get(job, 0.0))
        self._told[job] = seconds

    def _count(self) -> str:
        return f"{self._done} of {self._files} files"

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()


class JsonLines:
    """The files first, then how far one is, and what came of it.

    ``seconds_left`` is of all files; None until something can be said.
    """

    def __init__(self, jobs: Sequence[Job], out: TextIO) -> None:
        self._out = out
        self._lengths = {job: _length(job) for job in jobs}
        self._left = dict(self._lengths)  # seconds of media
        self._done_s = 0.0
        self._pace = Pace(PACE_SECONDS)
        self._told_s = 0.0

    def on_segment(self, job: Job, done_s: float, of_s: float) -> None:
        """``done_s`` of a file are done."""
        now_s = time.monotonic()
        left_s = max(self._lengths[job] - done_s, 0.0)
        self._done_s += self._left[job] - left_s
        self._left[job] = left_s
        self._pace.reached(self._done_s, now_s)
        if now_s - self._told_s >= LINE_SECONDS:
            self._told_s = now_s
            self._say("segment", job, done_s=round(done_s, 2), of_s=round(of_s, 2))

    def on_file(self, outcome: Outcome) -> None:
        """A file is done, or failed; what was not worked on does not count for the pace."""
        left_s, self._left[outcome.job] = self._left[outcome.job], 0.0
        if outcome.error is None and not outcome.was_there:
            self._done_s += left_s
            self._pace.reached(self._done_s, time.monotonic())
        self._say(
            "file",
            outcome.job,
            result=str(outcome.job.result),
            faces=list(outcome.summaries),
            error=outcome.error,
            was_there=outcome.was_there,
        )

    def _say(self, event: str, job: Job, **told: object) -> None:
        left_s = self._pace.left_s(self._done_s + sum(self._left.values()))
        line = {
            "event": event,
            "path": str(job.path),
            **told,
            "seconds_left": None if left_s is None else round(left_s, 1),
        }
        print(json.dumps(line), file=self._out, flush=True)

    def __enter__(self) -> Self:
        files = [
            {"path": str(job.path), "duration_s": round(length_s, 2)}
            for job, length_s in self._lengths.items()
        ]
        print(json.dumps({"event": "files", "files": files}), file=self._out, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _said(outcome: Outcome) -> str:
    return ", ".join(face["emotion"] or "nothing was heard or seen" for face in outcome.summaries)


def _length(job: Job) -> float:
    try:
        return probe(job.path).duration_s
    except Exception:  # whatever it is, it is told when the file's turn comes
        return 0.0
