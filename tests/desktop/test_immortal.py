from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, QTimer, Signal


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python itself makes them immortal")
def test_signals_and_timers_never_use_up_true_and_none() -> None:
    class Emitter(QObject):
        tick = Signal()

    emitter, timer = Emitter(), QTimer()
    for _ in range(20_000):  # PySide6 6.12 aborts the interpreter long before, unguarded
        emitter.tick.emit()
        timer.stop()
    assert sys.getrefcount(True) > 1 << 30
    assert sys.getrefcount(None) > 1 << 30
