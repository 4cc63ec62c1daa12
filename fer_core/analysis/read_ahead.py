"""A step of a pipeline in a thread of its own, so that the next step need not wait for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from typing import TypeVar

Item = TypeVar("Item")

NOTICE_SECONDS = 0.1  # until a thread that waits for room notices that nobody reads any more


def read_ahead(source: Generator[Item], room: int) -> Generator[Item]:
    """What ``source`` yields, made by another thread, which is at most ``room`` items ahead.

    The thread lives until the end, an error, which is raised here, or until this is closed.
    """
    waiting: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(room)
    closed = threading.Event()

    def put(what: tuple[Item] | BaseException | None) -> None:
        while not closed.is_set():
            try:
                waiting.put(what, timeout=NOTICE_SECONDS)
            except queue.Full:
                continue
            break

    def run() -> None:
        try:
            for item in source:
                put((item,))
                if closed.is_set():
                    break
            put(None)
        except BaseException as error:
            put(error)
        finally:
            source.close()

    thread = threading.Thread(target=run, name="read ahead", daemon=True)
    thread.start()
    try:
        while (got := waiting.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]
    finally:
        closed.set()
        thread.join()
