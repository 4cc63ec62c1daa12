"""What was found in the files analysed last, so that who goes back to one need not wait again."""

from __future__ import annotations

from pathlib import Path

from fer_core.analysis.timeline import Timeline

MOST_SEGMENTS = 40_000  # of all, but for the newest alone: 4 hours, 30 MB


class KeptTimelines:
    """At most one of each file; those kept longest ago go first."""

    def __init__(self) -> None:
        self._timelines: dict[Path, Timeline] = {}

    def keep(self, path: Path, timeline: Timeline) -> None:
        """In place of an earlier one."""
        self._timelines.pop(path, None)
        self._timelines[path] = timeline
        while len(self._timelines) > 1 and self._segments() > MOST_SEGMENTS:
            del self._timelines[next(iter(self._timelines))]

    def of(self, path: Path) -> Timeline | None:
        return self._timelines.get(path)

    def clear(self) -> None:
        """Another model answers."""
        self._timelines.clear()

    def _segments(self) -> int:
        return sum(len(timeline.segments) for timeline in self._timelines.values())
