from __future__ import annotations

import threading

import pytest
import shiboken6
from PySide6.QtCore import QObject

from fer_desktop.gui_thread import GuiCalls


def test_what_a_thread_asks_for_is_called_on_the_gui_thread_in_its_order(qapp, until):
    owner, called = QObject(), []
    calls = GuiCalls(owner)

    def ask() -> None:
        for number in range(3):
            calls.call(lambda number=number: called.append((number, threading.current_thread())))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert called == [], "the thread went on at once"
    until(lambda: len(called) == 3)
    assert called == [(number, threading.main_thread()) for number in range(3)]


def test_once_its_owner_has_gone_nothing_is_called(qapp):
    owner, called = QObject(), []
    calls = GuiCalls(owner)
    thread = threading.Thread(target=calls.call, args=(lambda: called.append(1),))
    thread.start()
    thread.join()
    shiboken6.delete(owner)
    qapp.processEvents()
    assert called == []
    with pytest.raises(RuntimeError):
        calls.call(lambda: called.append(2))
