"""The real command on a real Ray cluster of this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.command_line import main

Make = Callable[..., Path]
with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="the extra “cluster” is not installed"
)


@with_ray
@pytest.mark.timeout(300)  # Ray starts six processes, and each of its workers imports torch
def test_a_cluster_does_the_same_work_and_stays_on_this_machine(
    write_sound: Make, noise: Callable[[float], np.ndarray], folder: Path, tmp_path: Path
) -> None:
    for number in range(3):
        write_sound(f"media/{number}.wav", noise(2.0 + number))
    (tmp_path / "media" / "broken.wav").write_text("no sound " * 99)
    call = ["media", "--model", str(folder), "--device", "cpu", "--format", "json", "--json"]
    record = tmp_path / "record"
    done = subprocess.run(
        [*watched(record), sys.executable, "-m", "fer_core.analysis.command_line",
         *call, "--out", "out", "--cluster", "local"],
        cwd=tmp_path, capture_output=True, text=True, timeout=280,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "3 analysed, 0 already there, 1 failed. Results are in out." in done.stderr
    assert "broken.wav: failed" in done.stderr
    assert "is not a sound or video file" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 4
    for number in range(3):
        assert (
            main(
                [
                    str(tmp_path / "media" / f"{number}.wav"),
                    *call[1:],
                    "--out",
                    str(tmp_path / "alone"),
                ]
            )
            == 0
        )
    for number in range(3):
        there, here = (
            json.loads((tmp_path / out / f"{number}.json").read_text()) for out in ("out", "alone")
        )
        assert there["source"].pop("path") == str(tmp_path / "media" / f"{number}.wav")
        del here["source"]["path"]
        assert there.keys() == here.keys()
        assert there["source"] == here["source"]
        for one, other in zip(there["segments"], here["segments"], strict=True):
            assert one["emotion"] == other["emotion"]
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)
    if record.exists():
        calls = [line for line in record.read_text().splitlines() if "AF_INET" in line]
        named = re.findall(r'(?:inet_addr\(|AF_INET6, )"([^"]+)"', "\n".join(calls))
        assert named
        assert {a for a in named if not re.match(r"(::ffff:)?127\.|::1?$|0\.0\.0\.0$", a)} == set()


def watched(record: Path) -> list[str]:
    """What lets the kernel note every address that is called, where it can."""
    if shutil.which("strace") is None:
        return []
    watch = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    allowed = subprocess.run([*watch, "-o", os.devnull, "true"], capture_output=True)
    return [*watch, "-o", str(record)] if allowed.returncode == 0 else []


@with_ray
@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:99999"])
def test_a_cluster_that_does_not_answer_is_said_at_once(
    write_sound: Make, folder: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [str(write_sound("a.wav")), "--model", str(folder), "--json", "--cluster", address]
    assert main(call) == 2
    assert "No Ray cluster answers" in capsys.readouterr().err


def test_without_ray_the_command_says_what_to_install(
    write_sound: Make,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    call = [str(write_sound("a.wav")), "--model", str(folder), "--json", "--cluster", "local"]
    assert main(call) == 2
    assert "fer-desktop[cluster]" in capsys.readouterr().err
