"""``fer-desktop`` from its options to its exit status."""

from __future__ import annotations

import ctypes
import os
import sys

from fer_core.errors import UserError
from fer_desktop.command_line import parse_arguments


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit status.

    Qt is imported only here, so that ``--help`` and wrong values are answered at once.
    """
    options = parse_arguments(arguments)
    try:
        check_display()
        from fer_desktop.program import run

        return run(options)
    except UserError as error:
        print(f"fer-desktop: {error}", file=sys.stderr)
        return 1


def check_display() -> None:
    """Qt ends the process when it finds no screen; say why before it does.

    Raises:
        UserError: there is no display, or the library that Qt's plugin for X11 needs is missing.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise UserError(
            "There is no display.",
            "To see the demo without one: QT_QPA_PLATFORM=offscreen fer-desktop --demo "
            "--exit-after 10 --screenshot demo.png --report demo.json",
        )
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError as error:
        raise UserError(
            "A system library is missing: libxcb-cursor.",
            "Install it with: sudo apt-get install libxcb-cursor0",
        ) from error
