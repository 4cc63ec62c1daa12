"""Times that begin anew in the middle of a file, as where two recordings were joined as they are.

They are moved on behind those before, by one distance for all tracks, so that sound and picture
stay together.
"""

from __future__ import annotations

import math
from typing import Any

from fer_core.data.damage import OnDamageAt

# Containers write a track in order of its decoding times; damage takes them back by less.
BACK_SECONDS = 1.0
BEGIN_ANEW = "its times begin anew"  # as it is told


class JoinedTimes:
    """Moves the packets of one file, which come in its own order."""

    def __init__(self, on_damage: OnDamageAt) -> None:
        """``on_damage`` is told where times begin anew, in the file's own time."""
        self._on_damage = on_damage
        self._moved_s = [0.0]  # by how much, in each part of the file
        self._part: dict[int, int] = {}  # that each track has come to: they do so one by one
        self._last_s: dict[int, float] = {}  # of each track
        self._leapt_from_s: dict[int, float] = {}  # where one went on later than it should
        self._end_s = 0.0

    def move(self, packet: Any) -> None:
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None or packet.time_base is None:
            return
        unit_s, track = float(packet.time_base), packet.stream.index
        own_s = ticks * unit_s
        latest_s = self._last_s.get(track, own_s)
        part = self._part.get(track, 0)
        if own_s + self._moved_s[part] > latest_s + BACK_SECONDS:
            self._leapt_from_s[track] = latest_s
        while own_s + self._moved_s[part] < latest_s - BACK_SECONDS:
            back_s = self._leapt_from_s.pop(track, -math.inf)
            if abs(own_s + self._moved_s[part] - back_s) < BACK_SECONDS:
                break  # one broken time, and those behind it go on from before
            part += 1
            if part == len(self._moved_s):
                self._moved_s.append(self._end_s - own_s)
                self._on_damage(BEGIN_ANEW, self._end_s)
        self._part[track] = part
        if part:
            distance = round(self._moved_s[part] / unit_s)
            packet.pts = None if packet.pts is None else packet.pts + distance
            packet.dts = None if packet.dts is None else packet.dts + distance
        self._last_s[track] = own_s + self._moved_s[part]
        shown_s = self._last_s[track] if packet.pts is None else packet.pts * unit_s
        self._end_s = max(self._end_s, shown_s + (packet.duration or 0) * unit_s)
