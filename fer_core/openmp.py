"""How the threads that torch computes with wait for each other."""

from __future__ import annotations

import os


def let_threads_sleep() -> None:
    """Wait asleep, unless the environment says otherwise; to be called before torch is loaded.

    On two cores, one of them busy with a camera, threads that spin while they wait make a
    prediction take 0.3 to 4.6 s; asleep it takes 55 ms.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
