"""Nothing leaves the machine: the kernel's own record of a whole session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


REPORTING_SECONDS = 35.0  # libraries that report do so half a minute after they are loaded

pytestmark = pytest.mark.timeout(240)


def internet_calls(
    command: list[str], record: Path, until: Callable[[], bool] = lambda: False
) -> list[str]:
    """The calls of ``command`` and all it starts that name an internet address, its own included.

    It is asked to end once ``until`` holds, which may take minutes: strace slows the loading of
    libraries to a fourth. A name that is looked up is among the calls: the question goes to an
    address.
    """
    if shutil.which("strace") is None:
        pytest.skip("needs strace: run scripts/system_packages.sh tests as root")
    watch = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "FER_DESKTOP_SETTINGS": str(record.with_suffix(".settings")),
        "XDG_STATE_HOME": str(record.parent),
    }
    errors = record.with_suffix(".errors")
    with errors.open("w") as stderr:
        watched = subprocess.Popen(
            [*watch, "-o", str(record), *command],
            cwd=ROOT, env=environment, stderr=stderr, start_new_session=True,
        )  # fmt: skip
        try:
            while watched.poll() is None and not until():
                time.sleep(0.25)
            if watched.poll() is None:
                os.killpg(watched.pid, signal.SIGTERM)  # strace ignores it, the program ends
            watched.wait(30)
        finally:
            if watched.poll() is None:
                os.killpg(watched.pid, signal.SIGKILL)
                watched.wait()
    if not record.exists() or "PTRACE" in errors.read_text().upper():
        pytest.skip("this machine does not let strace watch")
    assert watched.returncode == 0, errors.read_text()
    return [line for line in record.read_text().splitlines() if "AF_INET" in line]


def test_a_session_opens_no_connection_and_asks_for_no_name(tmp_path):
    report = tmp_path / "report.json"
    seen_at: list[float] = []

    def has_worked_for_long() -> bool:
        if not seen_at:
            if report.exists() and '"face": {' in report.read_text():
                seen_at.append(time.monotonic())
            return False
        return time.monotonic() - seen_at[0] > REPORTING_SECONDS

    program = [sys.executable, "-m", "fer_desktop", "--demo", "--exit-after", "180"]
    calls = internet_calls(
        [*program, "--report", str(report)], tmp_path / "calls", has_worked_for_long
    )
    assert seen_at, "the session detected faces"
    assert calls == []


def test_the_witness_sees_a_connection(tmp_path):
    code = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    assert internet_calls([sys.executable, "-c", code], tmp_path / "calls")
