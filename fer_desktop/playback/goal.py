"""What was sought in a file, and which picture answers it; decided by time stamps alone.

Times are seconds of the file. A picture is shown over ``[start_s, end_s)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_desktop.playback.stills import SAME_SECONDS

# For the player's picture; then it is read from the file, which makes the player slower still.
PATIENCE_SECONDS = 0.4
# Near the end there may be no picture to come: sound goes on for longer, or no key frame follows.
PATIENCE_AT_END_SECONDS = 0.1
END_SECONDS = 1.0


@dataclass(slots=True)
class Goal:
    time_s: float  # where to
    since: float  # when it was asked for, on the monotonic clock
    after_s: float | None = None  # a step on: not the picture at ``time_s``, the next after this
    to_beginning: bool = False  # the playhead goes to the beginning of the picture
    waiting: bool = True  # until a picture answers it
    reading: bool = False  # it is being read from the file

    def suits(self, start_s: float, end_s: float, played_s: float | None) -> bool:
        """Whether the player's picture answers it.

        ``played_s`` is how far it has played, None while it pauses: a player that cannot seek
        exactly shows a picture of later, which becomes right when its time has come.
        """
        if end_s <= self.time_s + SAME_SECONDS:
            return False  # of before
        if self.after_s is not None and start_s <= self.after_s + SAME_SECONDS:
            return False  # still the same
        if start_s <= self.time_s + SAME_SECONDS:
            return True
        return played_s is not None and start_s <= played_s

    def must_be_read(self, now: float, duration_s: float) -> bool:
        """Whether the file itself, so many seconds long, has to be asked."""
        at_end = self.time_s > duration_s - END_SECONDS
        patience_s = PATIENCE_AT_END_SECONDS if at_end else PATIENCE_SECONDS
        return self.waiting and not self.reading and now - self.since > patience_s


def goal_of_step(
    direction: int, shown: tuple[float, float | None], first_s: float, last_s: float, now: float
) -> Goal | None:
    """The picture after (1) or before (-1) the one ``shown``, from its start to its end if known.

    None where there is none: the first begins at ``first_s``, the last ends at ``last_s``.
    """
    start_s, end_s = shown
    if direction < 0:
        if start_s <= first_s + SAME_SECONDS:
            return None
        return Goal(start_s - 2 * SAME_SECONDS, now, to_beginning=True)
    if end_s is None:
        return Goal(start_s, -math.inf, after_s=start_s, to_beginning=True)
    if end_s >= last_s:
        return None
    return Goal(end_s, now, after_s=start_s, to_beginning=True)
