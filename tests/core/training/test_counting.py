from __future__ import annotations

import io
import json

import pytest

from fer_core.training import counting


class Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(counting, "time", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_programs_get_a_line_about_every_second_with_the_time_that_is_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    count = counting.lines("Opening the files of ravdess")
    for done in range(1, 11):
        clock.now_s += 0.4
        count(done, 10)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["done"] for line in lines] == [3, 6, 9]
    assert [line["seconds_left"] for line in lines] == [2.8, 1.6, 0.4]
    assert lines[0] | {"done": 0, "seconds_left": 0} == {
        "event": "work", "what": "Opening the files of ravdess",
        "done": 0, "total": 10, "seconds_left": 0,
    }  # fmt: skip


def test_work_of_less_than_a_second_says_nothing(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    count = counting.lines("Opening")
    for done in range(1, 1001):
        count(done, 1000)
    assert capsys.readouterr().out == ""


def test_people_see_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BRIEF_S", 0.0)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    count = counting.bar("Opening")
    count(1, 2)
    assert "Opening" in terminal.getvalue()
    count(2, 2)
    *_, shown, left = terminal.getvalue().split("\r")
    assert (shown.strip(), left) == ("", "")


def test_no_bar_is_written_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BRIEF_S", 0.0)
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    count = counting.bar("Opening")
    count(1, 2)
    count(2, 2)
    assert file.getvalue() == ""
