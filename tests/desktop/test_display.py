from __future__ import annotations

import sys

import pytest

from fer_core.errors import UserError
from fer_desktop import display

linux = pytest.mark.skipif(sys.platform != "linux", reason="about X11")


@linux
def test_missing_libraries_are_named_with_their_packages(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(display, "_reaches_display", lambda: True)
    monkeypatch.setattr(display, "_loads", lambda library: "cursor" not in library)
    with pytest.raises(UserError, match="libxcb-cursor0"):
        display.check_display()


def test_offscreen_needs_no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    display.check_display()
