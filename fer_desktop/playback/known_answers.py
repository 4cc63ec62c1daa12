"""Answers about a file that are there before it is analysed: those of an earlier analysis, or, of
a recording of the program's own, what was said while it was recorded.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_core.analysis.timeline import Timeline

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownAnswers:
    whence: str  # in words for people
    timeline: Timeline


def known_answers(path: Path, before: Timeline | Path | None) -> KnownAnswers | None:
    """``before``: an earlier analysis of ``path``, if there was one, or its JSON.

    What cannot be used is no reason to fail: the file itself can be analysed.
    """
    # Imported here because it imports the face detector.
    from fer_desktop.live.recorded_timeline import said_live

    sources: list[tuple[str, Callable[[Path], Timeline | None]]] = [("As said live", said_live)]
    if before is not None:
        sources.insert(0, ("As analysed before", partial(_found_before, before)))
    for whence, find in sources:
        try:
            timeline = find(path)
        except Exception:
            log.warning("%s: what is known of %s is no use", whence, path, exc_info=True)
            continue
        if timeline is not None:
            return KnownAnswers(whence, timeline)
    return None


def _found_before(before: Timeline | Path, path: Path) -> Timeline | None:
    """None where the file has changed since then."""
    from fer_core.analysis.timeline import Timeline
    from fer_core.data.digest import content_digest

    if isinstance(before, Path):
        timeline = Timeline.from_json(json.loads(before.read_text(encoding="utf-8")))
    else:
        timeline = before
    return timeline if timeline.source.sha256 == content_digest(path) else None
