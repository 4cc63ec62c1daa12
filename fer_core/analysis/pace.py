"""How long the rest of a file takes, from how fast the last seconds of work were.

The beginning does not tell: the network's first windows take ten times as long.
"""

from __future__ import annotations

from collections import deque

MEASURED_SECONDS = 15.0  # of work


class Pace:
    """Told how far the work has come; rests do not count."""

    def __init__(self, measured_s: float = MEASURED_SECONDS) -> None:
        """``measured_s``: seconds of work that count."""
        self._measured_s = measured_s
        self._seen: deque[tuple[float, float]] = deque()  # work and media, both in seconds
        self._worked_s = 0.0
        self._since_s: float | None = None  # None: at rest

    def rest(self) -> None:
        """Until it is told again."""
        self._since_s = None

    def reached(self, done_s: float, now_s: float) -> None:
        """``done_s`` of the media are done at ``now_s`` of any clock."""
        if self._since_s is not None:
            self._worked_s += now_s - self._since_s
        self._since_s = now_s
        self._seen.append((self._worked_s, done_s))
        while len(self._seen) > 2 and self._worked_s - self._seen[1][0] >= self._measured_s:
            self._seen.popleft()

    def left_s(self, duration_s: float) -> float | None:
        """Seconds of work; None while nothing can be said."""
        if not self._seen:
            return None
        (began_s, first_s), (worked_s, done_s) = self._seen[0], self._seen[-1]
        if done_s <= first_s:
            return None
        return max(duration_s - done_s, 0.0) * (worked_s - began_s) / (done_s - first_s)
