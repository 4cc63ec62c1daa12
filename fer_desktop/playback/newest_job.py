"""A thread that does what it was asked last; what it had not begun is left out."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

Job = Callable[[], None]


class NewestJob(threading.Thread):
    """Starts with its first job; at most one waits, so nothing piles up."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self._waiting: Job | None = None
        self._changed = threading.Condition()
        self._stopping = False

    def do(self, job: Job) -> None:
        """Do ``job`` next, in place of another that still waits."""
        with self._changed:
            if self._stopping:
                return
            self._waiting = job
            self._changed.notify()
        if self.ident is None:
            self.start()

    def forget(self) -> None:
        """What waits need not be done."""
        with self._changed:
            self._waiting = None

    def stop(self) -> None:
        """End after the job at work, if there is one."""
        with self._changed:
            self._waiting, self._stopping = None, True
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._stopping)
                job, self._waiting = self._waiting, None
            if job is None:
                return
            try:
                job()
            except Exception:  # told as every unexpected error is; the next job is done
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self)))
