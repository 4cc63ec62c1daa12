"""Releases of PySide6 that must not be used, told apart by what they break."""

import sys

import pytest
from PySide6.QtCore import QObject, QTimer, Signal


class Emitter(QObject):
    signal = Signal(int)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python's own objects never die there")
def test_signals_and_timers_lose_no_reference_to_true_and_none(qapp):
    """PySide6 6.12.0 lost one a call, until Python aborted after some thousand."""
    emitter, timer = Emitter(), QTimer()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for i in range(500):
        emitter.signal.emit(i)
        timer.start(1000)
        timer.stop()
    lost = before[0] - sys.getrefcount(True), before[1] - sys.getrefcount(None)
    assert max(lost) < 100
