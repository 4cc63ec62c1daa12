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


def known_answers(path: Path, document: Path | None) -> KnownAnswers | None:
    """``document``: the JSON of an earlier analysis of ``path``, if there was one.

    What cannot be used is no reason to fail: the file itself can be analysed.
    """
    # Imported here because it imports the face detector.
    from fer_desktop.live.recorded_timeline import said_live

    sources: list[tuple[str, Callable[[Path], Timeline | None]]] = [("As said live", said_live)]
    if document is not None:
        sources.insert(0, ("As analysed before", partial(_found_before, document)))
    for whence, find in sources:
        try:
            timeline = find(path)
        except Exception:
            log.warning("%s: what is known of %s is no use", whence, path, exc_info=True)
            continue
        if timeline is not None:
            return KnownAnswers(whence, timeline)
    return None


def _found_before(document: Path, path: Path) -> Timeline | None:
    """None where the file has changed since then."""
    from fer_core.analysis.timeline import Timeline
    from fer_core.data.digest import content_digest

    timeline = Timeline.from_json(json.loads(document.read_text(encoding="utf-8")))
    return timeline if timeline.source.sha256 == content_digest(path) else None
