"""What is said before there is a window, and what never reaches the terminal."""

from __future__ import annotations

import logging
import sys

import pytest
from PySide6.QtCore import QLoggingCategory, qInstallMessageHandler, qWarning

from fer_core.errors import UserError
from fer_desktop import app
from fer_desktop.qt_messages import log_qt_messages

linux = pytest.mark.skipif(sys.platform != "linux", reason="about X11")


@linux
@pytest.mark.parametrize(
    ("environment", "words"),
    [({}, "no display"), ({"DISPLAY": ":4711"}, "does not answer")],
    ids=["none", "dead"],
)
def test_without_a_display_one_line_says_what_to_do(environment, words, monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert app.main(["--demo"]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1


@linux
def test_missing_libraries_are_named_with_their_packages(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(app, "_reaches_display", lambda: True)
    monkeypatch.setattr(app, "_loads", lambda library: "cursor" not in library)
    with pytest.raises(UserError, match="libxcb-cursor0"):
        app.check_display()


def test_offscreen_needs_no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    app.check_display()


@pytest.mark.qt_log_ignore(".*")
def test_qts_words_go_to_the_log_and_not_to_the_terminal(caplog, capfd):
    try:
        log_qt_messages()
        with caplog.at_level(logging.WARNING):
            qWarning("This plugin does not support propagateSizeHints()")
    finally:
        qInstallMessageHandler(None)
        QLoggingCategory.setFilterRules("")
    assert "propagateSizeHints" in caplog.text
    assert capfd.readouterr().err == ""
