"""A figure beside its target, and the same quantity measured the naive way in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number; without ``at_most`` and ``at_least`` it is told and not judged."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    naive: float | None = None  # the same, done the obvious way
    naively: str = ""  # what that way is

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return above and below

    def __str__(self) -> str:
        target = ""
        if self.at_most is not None:
            target = f"at most {self.at_most:.4g}"
        elif self.at_least is not None:
            target = f"at least {self.at_least:.4g}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        line = f"  {self.name:<46}{_number(self.value):>9} {self.unit:<16} {target:<16}{verdict:<8}"
        if self.naive is not None:
            ratio = f", {self.naive / self.value:.1f} times" if self.value else ""
            line += f"naive: {_number(self.naive)}{ratio} ({self.naively})"
        return line.rstrip()


def _number(value: float) -> str:
    """Three decimals under 1 and fewer above; none from 100 on, nor of a whole number."""
    size = abs(value)
    decimals = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2
    return f"{value:.{3 if size < 1 and decimals else decimals}f}"
