from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.batch import Outcome
from fer_core.analysis.inputs import Job
from fer_core.analysis.progress import Progress
from fer_core.data.media_info import MediaInfo, probe


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
        progress.on_file(Outcome(jobs[0], ("happy", None)))
        progress.on_file(Outcome(jobs[1], error="It is damaged."))
    lines = said(out)
    assert f"1 of 2: {jobs[0].path}: happy, nothing was heard or seen" in lines
    assert f"2 of 2: {jobs[1].path}: failed" in lines
    assert re.search(r"2 of 2 files.*100%", lines[-1])


def test_elsewhere_there_is_a_line_for_each_file_and_nothing_else(jobs: list[Job]) -> None:
    out = io.StringIO()
    with Progress(jobs, out) as progress:
        progress.on_segment(jobs[0], 1.0, 2.0)
        progress.on_file(Outcome(jobs[0], ("happy",)))
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
