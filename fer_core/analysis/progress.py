"""What ``fer-analyze`` says while it goes: a bar with the time left on a terminal, else lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TextIO

from tqdm import tqdm

from fer_core.analysis.batch import Outcome
from fer_core.analysis.inputs import Job
from fer_core.data.media_info import probe
from fer_core.errors import UserError


class Progress:
    """Counts seconds of media; the pace so far gives the time left."""

    def __init__(self, jobs: Sequence[Job], out: TextIO) -> None:
        self._out = out
        self._files = len(jobs)
        self._done = 0
        self._on_terminal = out.isatty()
        self._lengths = {job: _length(job) for job in jobs} if self._on_terminal else {}
        self._told: dict[Job, float] = {}  # seconds that the bar has counted
        self._bar = tqdm(
            total=round(sum(self._lengths.values()), 1),
            unit="s",
            file=out,
            dynamic_ncols=True,
            disable=not self._on_terminal,
            bar_format="{percentage:3.0f}% {bar} {remaining} left, {desc}",
        )

    def on_segment(self, job: Job, done_s: float, of_s: float) -> None:
        """``done_s`` of a file are done."""
        if self._on_terminal:
            self._count(job, min(done_s, self._lengths[job]))

    def on_file(self, outcome: Outcome) -> None:
        """A file is done, or failed."""
        self._done += 1
        if self._on_terminal:
            self._count(outcome.job, self._lengths[outcome.job])
            self._bar.set_description_str(f"{self._done} of {self._files} files")
            return
        said = "failed"
        if outcome.document is not None:
            said = outcome.document["summary"]["emotion"] or "nothing was heard or seen"
        print(f"{self._done} of {self._files}: {outcome.job.path}: {said}", file=self._out)

    def _count(self, job: Job, seconds: float) -> None:
        self._bar.update(seconds - self._told.get(job, 0.0))
        self._told[job] = seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def _length(job: Job) -> float:
    try:
        return probe(job.path).duration_s
    except UserError:
        return 0.0
