"""What ``fer-analyze`` says while it goes: bars with the time left on a terminal, else lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from fer_core.analysis.batch import Outcome
from fer_core.analysis.inputs import Job
from fer_core.data.media_info import probe

PACE_SECONDS = 300.0  # of which the time left is reckoned: a corpus has hard and easy files


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
        said = "failed" if outcome.error is not None else _said(outcome.emotions)
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


def _said(emotions: Sequence[str | None]) -> str:
    return ", ".join(emotion or "nothing was heard or seen" for emotion in emotions)


def _length(job: Job) -> float:
    try:
        return probe(job.path).duration_s
    except Exception:  # whatever it is, it is told when the file's turn comes
        return 0.0
