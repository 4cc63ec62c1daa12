"""The gate for what nobody caught, and the log."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path

import pytest

from fer_desktop.errors import Notice, catch_everything, log_path, write_log_file

pytestmark = pytest.mark.usefixtures("kept_hooks")


def fail(text: str = "no such colour") -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)


@pytest.fixture
def begin_log(tmp_path, monkeypatch):
    """Begins the log as a program does, without pytest's handlers; gives its path."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(logging, "raiseExceptions", True)
    begun: list[logging.Handler] = []

    def begin() -> Path:
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        write_log_file()
        begun.extend(logging.getLogger().handlers)
        return log_path()

    yield begin
    logging.captureWarnings(False)
    for handler in begun:
        handler.close()


def test_what_libraries_warn_of_is_in_the_log_and_not_on_the_terminal(begin_log, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log = begin_log()
        warnings.warn("a kernel is registered twice", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert capsys.readouterr().err == ""
    assert "a kernel is registered twice" in log.read_text()


def test_an_error_is_a_notice_a_line_and_a_traceback_in_the_log(begin_log, capsys):
    notices: list[Notice] = []
    log = begin_log()
    catch_everything(notices.append)
    fail()
    fail("another")
    assert [n.key for n in notices] == ["program", "program"]
    assert "no such colour" in notices[0].text
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, "one line, for the first"
    assert "Traceback" in log.read_text()


def test_a_listener_that_has_gone_harms_nobody(begin_log):
    def gone(_: Notice) -> None:
        raise RuntimeError("Internal C++ object already deleted.")

    begin_log()
    catch_everything(gone)
    fail()


def test_errors_of_threads_are_told(begin_log):
    notices: list[Notice] = []
    begin_log()
    catch_everything(notices.append)
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    assert "division" in notices[0].text


def test_errors_of_destructors_are_only_logged(begin_log, capsys):
    class Bad:
        def __del__(self) -> None:
            raise ValueError("too late")

    notices: list[Notice] = []
    log = begin_log()
    catch_everything(notices.append)
    Bad()
    assert "too late" in log.read_text()
    assert not notices
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_keeps_nobody_from_starting(
    monkeypatch, begin_log, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    begin_log()
    logging.getLogger("x").error("to nowhere")
    assert "Traceback" not in capsys.readouterr().err
