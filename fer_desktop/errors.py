"""What the window tells people, and the gate through which every unexpected error goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line in the notice strip; a newer one with the same key replaces it."""

    key: str  # what it is about: "camera", "microphone", "model", "report", ...
    text: str  # what happened
    hint: str = ""  # what to do
    severity: Severity = "error"
    retry: bool = False  # whether trying again may help
