from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fer_core.analysis.batch import Outcome
from fer_core.analysis.inputs import Job
from fer_core.analysis.progress import JsonLines, Progress
from fer_core.data.media_info import MediaInfo, probe

HAPPY, NOTHING = {"emotion": "happy"}, {"emotion": None}  # summaries of a face


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def jobs(write_sound: Callable[..., Path]) -> list[Job]:
    return [Job(write_sound(f"{n}.wav", np.zeros(32_000)), Path(str(n))) for n in range(2)]


def said(out: io.StringIO) -> list[str]:
    """What stood in each line at last, without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue()).replace("\r", "\n").splitlines()


def test_a_terminal_shows_how_much_of_all_files_is_done(jobs: list[Job]) -> None:
    out = Terminal()
    with Progress(jobs, out) as progress:
        progress.on_segment(jobs[0], 1.0, 2.0)
        progress._bars.refresh()  # type: ignore[union-attr]
        assert any(re.search(r"0 of 2 files.* 25%", line) for line in said(out))
        assert any(re.search(r"0\.wav.* 50%", line) for line in said(out))
        progress.on_file(Outcome(jobs[0], (HAPPY, NOTHING)))
        progress.on_file(Outcome(jobs[1], error="It is damaged."))
    lines = said(out)
    assert f"1 of 2: {jobs[0].path}: happy, nothing was heard or seen" in lines
    assert f"2 of 2: {jobs[1].path}: failed" in lines
    assert re.search(r"2 of 2 files.*100%", lines[-1])


def test_elsewhere_there_is_a_line_for_each_file_and_nothing_else(jobs: list[Job]) -> None:
    out = io.StringIO()
    with Progress(jobs, out) as progress:
        progress.on_segment(jobs[0], 1.0, 2.0)
        progress.on_file(Outcome(jobs[0], (HAPPY,)))
    assert out.getvalue() == f"1 of 2: {jobs[0].path}: happy\n"


def test_whatever_a_file_does_to_its_reader_the_rest_goes_on(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(path: Path) -> MediaInfo:
        if path == jobs[0].path:
            raise PermissionError(1, "Operation not permitted")
        return probe(path)

    monkeypatch.setattr("fer_core.analysis.progress.probe", odd)
    out = Terminal()
    with Progress(jobs, out) as progress:
        progress.on_file(Outcome(jobs[0], error="It is odd."))
        progress.on_segment(jobs[1], 1.0, 2.0)
    assert any(re.search(r"1 of 2 files.* 50%", line) for line in said(out))


class Lines(io.StringIO):
    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now_s=100.0)
    clock.monotonic = lambda: clock.now_s
    monkeypatch.setattr("fer_core.analysis.progress.time", clock)
    return clock


def test_programs_are_told_of_all_files_how_far_one_is_and_what_came_of_it(
    jobs: list[Job], clock: SimpleNamespace
) -> None:
    out = Lines()
    first, second = (str(job.path) for job in jobs)
    with JsonLines(jobs, out) as progress:
        files = [{"path": path, "duration_s": 2.0} for path in (first, second)]
        assert out.told == [{"event": "files", "files": files}]
        progress.on_segment(jobs[0], 0.5, 2.0)
        clock.now_s += 3.0  # seconds for half a second of sound
        progress.on_segment(jobs[0], 1.0, 2.0)
        progress.on_file(Outcome(jobs[0], (HAPPY,)))
        progress.on_file(Outcome(jobs[1], error="It is damaged."))
    _, begun, half, done, failed = out.told
    assert begun == {
        "event": "segment", "path": first, "done_s": 0.5, "of_s": 2.0, "seconds_left": None,
    }  # fmt: skip
    assert (half["done_s"], half["seconds_left"]) == (1.0, 18.0)
    assert done == {
        "event": "file", "path": first, "result": "0", "faces": [HAPPY], "error": None,
        "was_there": False, "seconds_left": pytest.approx(4.0),
    }  # fmt: skip
    assert (failed["path"], failed["error"], failed["seconds_left"]) == (
        second,
        "It is damaged.",
        0,
    )


def test_programs_are_not_told_more_often_than_they_can_show(
    jobs: list[Job], clock: SimpleNamespace
) -> None:
    out = Lines()
    with JsonLines(jobs, out) as progress:
        for hundredth in range(100):
            clock.now_s += 0.01
            progress.on_segment(jobs[0], hundredth / 50, 2.0)
    assert 2 <= sum(line["event"] == "segment" for line in out.told) <= 3


def test_files_that_were_done_before_do_not_make_the_rest_look_quick(
    jobs: list[Job], clock: SimpleNamespace
) -> None:
    out = Lines()
    with JsonLines(jobs, out) as progress:
        progress.on_file(Outcome(jobs[0], (HAPPY,), was_there=True))
        progress.on_segment(jobs[1], 0.5, 2.0)
        clock.now_s += 10.0
        progress.on_segment(jobs[1], 1.0, 2.0)
    assert out.told[-1]["seconds_left"] == 20.0
