"""Threads that were told to stop and are not waited for, until the program ends."""

from __future__ import annotations

import threading
import time


class Leaving:
    """They may still be inside an import, a driver or a slow read, which nothing interrupts."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def add(self, thread: threading.Thread) -> None:
        """One that was told to stop, if it was ever started."""
        self._threads = [before for before in self._threads if before.is_alive()]
        self._threads.append(thread)

    def join(self, within_s: float) -> None:
        """Wait for those that are left; they share the time."""
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0.0))
