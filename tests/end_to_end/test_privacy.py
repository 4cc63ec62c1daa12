"""Nothing leaves the machine: the kernel's own record of a whole session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def internet_calls(command: list[str], record: Path) -> list[str]:
    """The calls of ``command`` and all it starts that name an internet address, its own included.

    A name that is looked up is among them: the question goes to an address.
    """
    if shutil.which("strace") is None:
        pytest.skip("needs strace: run scripts/system_packages.sh tests as root")
    watch = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "FER_DESKTOP_SETTINGS": str(record.with_suffix(".settings")),
        "XDG_STATE_HOME": str(record.parent),
    }
    done = subprocess.run(
        [*watch, "-o", str(record), *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    if not record.exists() or "PTRACE" in done.stderr.upper():
        pytest.skip("this machine does not let strace watch")
    assert done.returncode == 0, done.stderr
    return [line for line in record.read_text().splitlines() if "AF_INET" in line]


# Libraries that report do so half a minute after they began.
def test_a_session_opens_no_connection_and_asks_for_no_name(tmp_path):
    report = tmp_path / "report.json"
    program = [sys.executable, "-m", "fer_desktop", "--demo", "--exit-after", "45"]
    calls = internet_calls([*program, "--report", str(report)], tmp_path / "calls")
    assert '"face": {' in report.read_text(), "the session detected faces"
    assert calls == []


def test_the_witness_sees_a_connection(tmp_path):
    code = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    assert internet_calls([sys.executable, "-c", code], tmp_path / "calls")
