"""The analysis of many recordings in a process of its own.

Stopped or killed, the same plan goes on: what has all its results is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fer_core.labels import EMOTIONS
from fer_desktop.batch.plan import BatchPlan
from fer_desktop.command_process import CommandProcess

MODULE = "fer_core.analysis.command_line"
SOME_FAILED = 1  # the status of a batch in which not every file could be analysed


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording that was found."""

    path: Path
    duration_s: float  # 0 where it cannot be told


@dataclass(frozen=True, slots=True)
class Step:
    path: Path
    share: float  # that is done of it, 0 to 1
    seconds_left: float | None  # of all recordings


@dataclass(frozen=True, slots=True)
class FaceResult:
    emotion: str | None  # None: nothing was heard or seen
    shares: tuple[float, ...]  # (8,), of the time that each emotion leads
    certain: tuple[float, ...]  # (8,), of the time that it leads and is not uncertain

    @property
    def uncertain(self) -> bool:
        """Whether answers are mostly so."""
        return sum(self.certain) < sum(self.shares) / 2


@dataclass(frozen=True, slots=True)
class Done:
    path: Path
    document: Path | None  # its results as JSON; None where it failed, or has one for each face
    faces: tuple[FaceResult, ...]
    error: str | None  # a sentence
    seconds_left: float | None


class BatchProcess(CommandProcess):
    listed = Signal(object)  # tuple[Listed, ...], in the order of the work
    stepped = Signal(object)  # Step
    done = Signal(object)  # Done

    NAME = "analysis"
    SPEAKER = "fer-analyze: "
    KEPT = "What is done stays; press Go on for the rest."

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = 0  # recordings of which nothing was told yet
        self._each = False  # face has results of its own

    def start(self, plan: BatchPlan) -> None:
        """Begin ``plan``, or go on with it."""
        self._open, self._each = 0, plan.each_face
        self._run(MODULE, plan.arguments())

    def _did_all(self, status: int) -> bool:
        return status == 0 or (status == SOME_FAILED and not self._open)

    def _tell(self, told: dict[str, Any]) -> None:
        if told["event"] == "files":
            files = tuple(Listed(Path(f["path"]), f["duration_s"]) for f in told["files"])
            self._open = len(files)
            self.listed.emit(files)
        elif told["event"] == "segment":
            share = min(told["done_s"] / max(told["of_s"], 1e-3), 1.0)
            step = Step(Path(told["path"]), share, told["seconds_left"])
            if not self.stops:  # what is shown then is that it stops
                self.stepped.emit(step)
        else:
            faces = tuple(
                FaceResult(face["emotion"], _by_place(face["shares"]), _by_place(face["certain"]))
                for face in told["faces"]
            )
            error = told["error"]
            document = Path(f"{told['result']}.json") if error is None and not self._each else None
            done = Done(Path(told["path"]), document, faces, error, told["seconds_left"])
            self._open -= 1
            self.done.emit(done)


def _by_place(shares: dict[str, float]) -> tuple[float, ...]:
    return tuple(shares[name] for name in EMOTIONS)
