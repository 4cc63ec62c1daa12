"""The real program in a fresh process, with somebody who notes when what happens.

``observe`` starts ``python -m benchmarks.observed``, which runs ``fer-desktop --demo`` and wraps a
few methods to note the time of the first paint, the model, polls, frames and predictions.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.screen import screen

if TYPE_CHECKING:
    from fer_core.prediction import Prediction
    from fer_desktop.live.recent_media import SeenFrame
    from fer_desktop.live_presenter import LivePresenter
    from fer_desktop.program import Program

ROOT = Path(__file__).parents[1]


@dataclass
class Notes:
    """Times are seconds since the process was spawned."""

    spawned: float  # on the system's monotonic clock
    exposed: float = 0.0
    torch_at_exposure: bool = False
    loaded: float = 0.0
    first_answer: float = 0.0  # painted
    polls: list[float] = field(default_factory=list)
    frames: list[tuple[float, float]] = field(default_factory=list)  # when drawn, its age then
    answers: list[tuple[float, float, float]] = field(default_factory=list)  # drawn, age, took
    frames_dropped: int = 0
    clips_skipped: int = 0
    cpu_s: float = 0.0  # of all threads, from the first answer to the end

    def now(self) -> float:
        return time.monotonic() - self.spawned


def observe(seconds: float, way: str = "ours") -> Notes:
    """Run the demo for ``seconds`` after its first paint; ``way`` is one of ``naive.WAYS``."""
    with screen() as where, tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "notes.json"
        environment = (
            os.environ
            | where
            | {
                "FER_DESKTOP_SETTINGS": str(Path(folder) / "settings.json"),
                "XDG_STATE_HOME": folder,
            }
        )
        command = [sys.executable, "-m", "benchmarks.observed"]
        command += [str(time.monotonic()), str(seconds), way, str(out)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=seconds + 60)
        return Notes(**json.loads(out.read_text()))


def _main(spawned: float, seconds: float, way: str, out: Path) -> None:
    notes = Notes(spawned)
    if way != "ours":
        from benchmarks import naive

        naive.WAYS[way]()
    _watch(notes, out)
    from fer_desktop.command_line import parse_arguments
    from fer_desktop.program import run

    run(parse_arguments(["--demo", "--exit-after", str(seconds)]))


def _watch(notes: Notes, out: Path) -> None:
    """Wrap methods of the program's classes before it makes objects of them.

    What the program imports late is wrapped late, so that its start stays as it is.
    """
    from fer_desktop.program import Program
    from fer_desktop.ui.bars import SegmentBars

    drawn_next: list[
        tuple[float, float]
    ] = []  # the clip's end and took_ms of an answer not painted

    def begin(program: Program) -> None:
        """Called after the first paint has reached the screen."""
        notes.exposed = notes.now()
        notes.torch_at_exposure = "torch" in sys.modules
        from fer_desktop.live_presenter import LivePresenter

        _after(LivePresenter, "_on_model", lambda *_: setattr(notes, "loaded", notes.now()))
        _after(LivePresenter, "_poll", lambda *_: notes.polls.append(notes.now()))
        _after(LivePresenter, "_draw", frame)
        _after(LivePresenter, "_on_prediction", answer)
        _after(LivePresenter, "close", close)

    def frame(_: LivePresenter, seen: SeenFrame) -> None:
        notes.frames.append((notes.now(), time.monotonic() - seen.frame.time_s))

    def answer(presenter: LivePresenter, prediction: Prediction) -> None:
        drawn_next.append((prediction.clip_end_s + presenter.session.origin_s, prediction.took_ms))

    def painted(*_: object) -> None:
        while drawn_next:
            end_s, took_ms = drawn_next.pop()
            notes.answers.append((notes.now(), time.monotonic() - end_s, took_ms / 1000))
            if len(notes.answers) == 1:
                notes.first_answer = notes.now()
                notes.cpu_s = -time.process_time()

    def close(presenter: LivePresenter) -> None:
        """The program may leave by os._exit: now is the time to write."""
        notes.cpu_s += time.process_time()
        notes.frames_dropped = presenter.statistics.frames_dropped
        notes.clips_skipped = presenter.statistics.clips_skipped
        out.write_text(json.dumps(asdict(notes)))

    _before(Program, "_begin", begin)
    _after(SegmentBars, "paintEvent", painted)


def _before(kind: type, name: str, note: Callable[..., object]) -> None:
    """Let ``note`` be called with the same arguments before the method ``name``."""
    method = getattr(kind, name)

    @functools.wraps(method)
    def noted(*arguments: object) -> object:
        note(*arguments)
        return method(*arguments)

    setattr(kind, name, noted)


def _after(kind: type, name: str, note: Callable[..., object]) -> None:
    """As :func:`_before`, after the method."""
    method = getattr(kind, name)

    @functools.wraps(method)
    def noted(*arguments: object) -> object:
        result = method(*arguments)
        note(*arguments)
        return result

    setattr(kind, name, noted)


if __name__ == "__main__":
    _main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
