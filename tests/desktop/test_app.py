"""What is said before there is a window, and what never reaches the terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fer_desktop import app

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


def test_what_libraries_print_goes_to_a_file_and_not_to_the_terminal(tmp_path):
    code = (
        "import os, sys\n"
        "from fer_desktop.errors import keep_terminal_quiet, write_log_file\n"
        "write_log_file(); keep_terminal_quiet()\n"
        "from PySide6.QtCore import qWarning\n"
        "qWarning('no size hints'); os.write(2, b'no sound card')\n"
        "print('for people', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == "for people\n"
    if sys.platform == "linux":
        said = (tmp_path / "fer-desktop" / "log" / "libraries.log").read_text()
        assert "no size hints" in said
        assert "no sound card" in said
