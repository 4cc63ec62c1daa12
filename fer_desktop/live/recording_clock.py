"""From the session's clock to a recording's, which counts from 0 and stands still in pauses.

A recording begins and goes on at whole hops of the session (375 ms), so that what the network said
of the session's segments holds for those of the recorded file. What comes before is left out.
"""

from __future__ import annotations

import math

from fer_core.media import HOP_SECONDS, AudioBlock


class RecordingClock:
    """Knows no clock of its own: times come with the calls, in seconds of the session's clock."""

    def __init__(self, now_s: float) -> None:
        self._from_s = _next_hop(now_s)  # of the session: when it began or went on
        self._until_s = math.inf  # when it was paused
        self._zero_s = self._from_s  # what the recording's time 0 is in the session

    @property
    def paused(self) -> bool:
        return self._until_s < math.inf

    @property
    def goes_on_from_s(self) -> float:
        """The recording's time when it last began or went on; before that is another moment."""
        return self._from_s - self._zero_s

    def at(self, time_s: float) -> float | None:
        """The recording's time then; None where nothing is recorded."""
        return time_s - self._zero_s if self._from_s <= time_s < self._until_s else None

    def cut(self, block: AudioBlock) -> AudioBlock | None:
        """What of it is recorded, on the recording's clock; None where nothing is."""
        rate, count = block.sample_rate, len(block.samples)
        first = max(math.ceil((self._from_s - block.time_s) * rate), 0)
        last = round(min((self._until_s - block.time_s) * rate, count))
        if first >= last:
            return None
        begins_s = block.time_s + first / rate - self._zero_s
        return AudioBlock(block.samples[first:last], rate, begins_s, block.overflowed)

    def elapsed(self, now_s: float) -> float:
        """How long the recording is by now."""
        return max(min(now_s, self._until_s) - self._zero_s, 0.0)

    def pause(self, now_s: float) -> None:
        if not self.paused:
            self._until_s = now_s

    def resume(self, now_s: float) -> None:
        if self.paused:
            reached_s = _next_hop(self._until_s - self._zero_s)
            self._from_s = _next_hop(now_s)
            self._zero_s = self._from_s - reached_s
            self._until_s = math.inf


def _next_hop(time_s: float) -> float:
    return math.ceil(time_s / HOP_SECONDS) * HOP_SECONDS
