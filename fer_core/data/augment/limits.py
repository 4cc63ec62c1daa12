"""Settings of variation that no variation can have are refused where they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def refuse_unusable(settings: Any, at_most: Mapping[str, float]) -> None:
    """``settings``: a dataclass of numbers, each from 0 to what ``at_most`` says of its name.

    Raises:
        ValueError: one is out of its range, or not finite.
    """
    for name, value in vars(settings).items():
        most = at_most.get(name, math.inf)
        if not (0 <= value <= most and math.isfinite(value)):
            upwards = f"0 to {most:g}" if math.isfinite(most) else "0 or more and finite"
            raise ValueError(f"{type(settings).__name__}.{name} is {value}, must be {upwards}")
