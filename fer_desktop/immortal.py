"""Keeps Python 3.11 alive under PySide6 6.12.

PySide6 6.12.0 returns None and True without taking a reference to them, which Python 3.12 made
harmless (PEP 683: they are immortal). On 3.11 each ``emit()`` costs a reference to True and each
``QTimer.stop()`` one to None, and at zero the interpreter aborts: "deallocating True or False".
A loop of ``emit()`` ends that way at once. So they are made immortal here as well.
"""

from __future__ import annotations

import ctypes
import sys

_ENOUGH = 1 << 40  # references; at ten thousand lost a second they last three years


def make_singletons_immortal() -> None:
    """Call before the first Qt call; does nothing where Python has done it itself."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for singleton in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(singleton))
        if count.value < _ENOUGH // 2:
            count.value += _ENOUGH
