"""How those who read media are told what of it is damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

OnDamage = Callable[[str], None]  # told in a few words what is damaged, at most once for each kind
OnDamageAt = Callable[[str, float], None]  # and where it is first, in seconds

logger = logging.getLogger(__name__)


def each_once(on_damage: OnDamageAt) -> OnDamageAt:
    """Each kind of damage is passed on the first time only."""
    told: set[str] = set()

    def tell(what: str, time_s: float) -> None:
        if what not in told:
            told.add(what)
            on_damage(what, max(time_s, 0.0))

    return tell


def without_time(path: Path, on_damage: OnDamage | None) -> OnDamageAt:
    """For those who are told only what is damaged; by default the log."""
    on_damage = on_damage or partial(logger.warning, "%s: %s", path)
    return lambda what, _: on_damage(what)


def ignore(what: str, time_s: float) -> None:
    pass
