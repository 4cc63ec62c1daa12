"""A file goes on where it was left: the place is kept with the files opened last."""

from __future__ import annotations

from fer_desktop.playback.player import Player
from fer_desktop.playback.recent_files import RecentFiles

AT_AN_END_SECONDS = 5.0  # of a file: whoever was there begins anew


class LeftPlace:
    """Of the player's file; asked for when it opens, gone to once it plays, kept when it ends."""

    def __init__(self, player: Player, recent: RecentFiles) -> None:
        self._player = player
        self._recent = recent
        self._waiting_s = 0.0  # where it is to go on, once it plays

    def keep(self) -> None:
        """For the next time, before another file is opened or the program ends."""
        player = self._player
        if player.path is not None and player.info is not None and not self._waiting_s:
            latest_s = player.duration_s - AT_AN_END_SECONDS
            inside = AT_AN_END_SECONDS < player.position_s < latest_s
            self._recent.keep_place(player.path, player.position_s if inside else 0.0)
        self._waiting_s = 0.0

    def find(self) -> None:
        """Of the file that is open now, if it was left somewhere."""
        assert self._player.path is not None
        place_s = self._recent.place_s(self._player.path)
        self._waiting_s = place_s if place_s < self._player.duration_s else 0.0

    def go_on(self) -> None:
        """Called again and again: by its first picture Qt's clock is known."""
        if self._waiting_s and self._player.playing:
            self._player.seek(self._waiting_s)
            self._waiting_s = 0.0
