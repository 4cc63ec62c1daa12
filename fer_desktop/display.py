"""Whether there is a screen for a window, asked before Qt asks."""

from __future__ import annotations

import ctypes
import os
import sys

from fer_core.errors import UserError

# What Qt's plugin for X11 needs beside the libraries of every desktop, and its Debian package.
XCB_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def check_display() -> None:
    """Qt aborts the process when it finds no screen; say why before it does.

    Raises:
        UserError: there is no display, it does not answer, or a library that Qt's plugin for X11
            needs is missing.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM") not in (None, "", "xcb"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise UserError(
            "There is no display.",
            "To see the demo without one: QT_QPA_PLATFORM=offscreen fer-desktop --demo "
            "--exit-after 10 --screenshot demo.png --report demo.json",
        )
    if not _reaches_display():
        raise UserError(
            f"The display {os.environ['DISPLAY']} does not answer.",
            "Check the variable DISPLAY, and whether its X server runs and lets you in.",
        )
    missing = [package for library, package in XCB_LIBRARIES.items() if not _loads(library)]
    if missing:
        raise UserError(
            "System libraries that every window needs are missing.",
            f"Install them with: sudo apt-get install {' '.join(missing)}",
        )


def _reaches_display() -> bool:
    """Whether the X server of DISPLAY lets us in; True where that cannot be tried."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused: int = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not refused


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
