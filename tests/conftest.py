"""What holds for every test."""

from __future__ import annotations

import os
import sys
import threading

import pytest

STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A thread that a failed test left behind must not keep the run from ending."""
    left = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    if left and (status := config.stash.get(STATUS, 0)):
        print(f"left behind by a test: {left}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
