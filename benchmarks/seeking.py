"""How long a click into a file takes until the window shows the picture of that moment."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from benchmarks.files import ROOT, draw

SEEKS = 40
PATIENCE_SECONDS = 60.0  # until the film plays, and until it is analysed
PAUSE_SECONDS = 0.1  # between two seeks


def measure(seconds: float = 20.0) -> list[Figure]:
    """A film of 1280x720 in the real window, paused: 40 random moments, analysed and not yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = draw(folder / "film.mp4", (1280, 720), 30.0, seconds)
        own = {
            "QT_QPA_PLATFORM": "offscreen",
            "FER_DESKTOP_SETTINGS": str(folder / "settings.json"),
            "XDG_STATE_HOME": name,
            "XDG_DATA_HOME": name,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.seeking", str(film)],
            cwd=ROOT, env=os.environ | own, check=True, capture_output=True, text=True,
        )  # fmt: skip
    beside, alone = (np.array(times) for times in json.loads(done.stdout.splitlines()[-1]))
    return [
        Figure("beside the analysis, median", float(np.median(beside)), "ms"),
        Figure("the longest of them", float(beside.max()), "ms", at_most=150),
        Figure("after it, median", float(np.median(alone)), "ms"),
        Figure("the longest of them", float(alone.max()), "ms", at_most=150),
    ]


def _main(film: str) -> None:
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    from fer_desktop.command_line import parse_arguments
    from fer_desktop.program import Program

    program = Program(parse_arguments([film, "--exit-after", "600"]))  # without the first question
    program.window.show()

    def until(happened: Callable[[], Any], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not happened() and time.monotonic() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            time.sleep(0.001)
        return bool(happened())

    def files() -> Any:
        return program.files

    drawn: list[float] = []
    video = program.window.file_page.video
    show_image = video.show_image

    def show(*shown: Any) -> None:
        show_image(*shown)
        drawn.append(time.monotonic())

    video.show_image = show  # type: ignore[method-assign]
    rng = random.Random(0)

    def seeks() -> list[float]:
        times_ms = []
        for _ in range(SEEKS):
            drawn.clear()
            begin = time.monotonic()
            files().player.seek(rng.uniform(0, files().player.duration_s))
            # A seek to the picture that is shown draws nothing.
            if until(lambda: drawn, 1.0):
                times_ms.append(1000 * (drawn[0] - begin))
            until(lambda: False, PAUSE_SECONDS)
        return times_ms

    assert until(lambda: files() and files().player.playing, PATIENCE_SECONDS)
    files().player.pause()
    until(lambda: False, 0.5)
    beside = seeks()
    assert until(lambda: files().timeline is not None, PATIENCE_SECONDS)
    print(json.dumps([beside, seeks()]), flush=True)
    program.window.close()
    os._exit(0)  # nothing is to be kept


if __name__ == "__main__":
    _main(sys.argv[1])
