from __future__ import annotations

import threading
import time

import pytest

from fer_desktop.leaving import Leaving

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def test_all_are_waited_for():
    leaving, threads = Leaving(), [threading.Timer(0.05, lambda: None) for _ in range(3)]
    for thread in threads:
        thread.start()
        leaving.add(thread)
    leaving.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_those_that_do_not_end_share_the_time():
    leaving, may_end = Leaving(), threading.Event()
    for _ in range(4):
        thread = threading.Thread(target=may_end.wait, args=(10,))
        thread.start()
        leaving.add(thread)
    begun = time.monotonic()
    leaving.join(0.2)
    assert 0.2 <= time.monotonic() - begun < 0.5
    may_end.set()
    leaving.join(5)


def test_those_that_have_ended_or_never_began_cost_nothing():
    leaving = Leaving()
    for _ in range(100):
        leaving.add(threading.Thread())
    leaving.join(5)
    assert len(leaving._threads) == 1
