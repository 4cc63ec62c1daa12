"""What a finished run measured: a line for each test, its split with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.errors import UserError
from fer_core.run_folder import METRICS_NAME


@dataclass(frozen=True, slots=True)
class Score:
    """Of one test part, by what of it was shown to the model."""

    corpus: str
    split: str
    shown: str  # "audio and video", "audio alone" or "video alone"
    count: int  # of recordings
    people: int | None  # None: it is not known who is in them
    uar: float  # mean of the emotions' recalls, 0 to 1
    war: float  # share of right answers, 0 to 1
    leaks: bool  # people of the test may be among those it learnt from

    def as_text(self) -> str:
        people = "" if self.people is None else f" of {self.people} people"
        warning = "; THE MODEL MAY HAVE LEARNT FROM THESE PEOPLE" if self.leaks else ""
        return (
            f"{self.corpus}, {self.shown}: UAR {self.uar:.2f}, WAR {self.war:.2f} "
            f"({self.count} recordings{people}; split {self.split}{warning})"
        )


def scores_of(run: Path) -> tuple[Score, ...]:
    """What is in the run's ``metrics.json``; nothing where the split tests nobody.

    Raises:
        UserError: it is missing or damaged.
    """
    path = run / METRICS_NAME
    try:
        measured = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(measured, list):
            raise ValueError("no list")
        return tuple(_score(one) for one in measured)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The scores in “{path}” cannot be read.", "Start the same training once more."
        ) from error


def _score(one: dict[str, Any]) -> Score:
    speakers = one["speakers"]
    return Score(
        corpus=str(one["corpus"]),
        split=str(one["split"]),
        shown=str(one["shown"]),
        count=int(one["n"]),
        people=int(speakers) if speakers else None,
        uar=float(one["uar"]),
        war=float(one["war"]),
        leaks=bool(one["leaks_speakers"]),
    )
