"""How far work is that has no epochs: files are opened, people are tested."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from tqdm import tqdm

Counter = Callable[[int, int], None]  # how many are done, and of how many
Count = Callable[[str], Counter]  # what is counted, in words for people

BRIEF_S = 1.0  # work that takes less is not worth a word; also the time between two lines


def silent(what: str) -> Counter:
    """Tells nobody."""
    return lambda done, total: None


def bar(what: str) -> Counter:
    """Tells people, on standard error if that is a terminal; gone when all is done."""
    shown: tqdm[None] | None = None

    def count(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(
                total=total,
                desc=what,
                file=sys.stderr,
                delay=BRIEF_S,
                leave=False,
                disable=None,
                dynamic_ncols=True,
            )
        shown.update(done - shown.n)
        if done == total:
            shown.close()

    return count


def lines(what: str) -> Counter:
    """Tells programs, in lines on standard output between those of epochs."""
    began_s = told_s = time.monotonic()

    def count(done: int, total: int) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s < BRIEF_S:
            return
        told_s = now_s
        line = {
            "event": "work",
            "what": what,
            "done": done,
            "total": total,
            "seconds_left": round((now_s - began_s) / done * (total - done), 1),
        }
        print(json.dumps(line), file=sys.stdout, flush=True)

    return count
