"""Lets Qt's loop do something to an object, without Python's lock.

A media player called from Python holds the lock while it waits for its threads, and these wait for
the lock whenever they disconnect from an object that Python made (PySide looks for an override of
``disconnectNotify``): a deadlock, seen in two of six runs of the tests. What is queued is done by
Qt alone, in the order in which it was asked.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMetaObject, QObject, QPropertyAnimation, Qt

_QUEUED = Qt.ConnectionType.QueuedConnection


def call(what: QObject, slot: str, *arguments: Any) -> None:
    """``arguments`` are made with ``Q_ARG``."""
    QMetaObject.invokeMethod(what, slot, _QUEUED, *arguments)


def set_property(what: QObject, name: str, value: int) -> None:
    """For one that no slot sets: an animation that lasts no time does."""
    change = QPropertyAnimation(what, name.encode(), what)
    change.setDuration(0)
    change.setStartValue(value)
    change.setEndValue(value)
    change.finished.connect(change.deleteLater, _QUEUED)
    call(change, "start")
