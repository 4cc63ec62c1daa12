"""Qt's media player, which is told by Qt's loop and asked by polling; times are of its own clock.

What comes from Qt is noted in slots and taken at the next poll: calling the player inside them is
no way out of its deadlocks (``qt_loop``).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from PySide6.QtCore import Q_ARG, QObject, Qt, QUrl, Signal
from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame, QVideoSink

from fer_desktop.playback import qt_loop
from fer_desktop.playback.sound import Sound

_Status = QMediaPlayer.MediaStatus


class QtMedia(QObject):
    """One file at a time, its sound heard, its newest picture in a sink."""

    _told = Signal()  # queued behind what Qt is told

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sink = QVideoSink(self)
        self._media = QMediaPlayer(self)
        self._media.setVideoSink(self._sink)
        self.sound = Sound(self._media)
        self._media.mediaStatusChanged.connect(self._on_status)
        self._media.errorOccurred.connect(self._on_error)
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)
        self._untold = 0  # that Qt has still to be told
        self._forget()

    def _forget(self) -> None:
        self._at_end = False  # Qt has just come there
        self._fault: str | None = None  # that Qt has just told
        self._seen = (-1, -1)  # the frame taken last, from and to, in microseconds

    # What it is told

    def open(self, path: Path) -> None:
        """Paused, its first picture shown."""
        self._tell("setSource", Q_ARG("QUrl", QUrl.fromLocalFile(str(path.absolute()))))
        self.pause()

    def close(self) -> None:
        self._tell("stop")
        self._tell("setSource", Q_ARG("QUrl", QUrl()))
        self._forget()

    def play(self) -> None:
        self._tell("play")

    def pause(self) -> None:
        self._tell("pause")

    def set_rate(self, rate: float) -> None:
        self._tell("setPlaybackRate", Q_ARG("double", rate))

    def seek(self, time_s: float) -> None:
        """In milliseconds, just after: on a boundary Qt shows the picture that ends there."""
        self._tell("setPosition", Q_ARG("qlonglong", math.floor(time_s * 1000) + 1))

    def leave_pictures_out(self) -> None:
        """Of a file whose pictures it cannot decode: it would try, and fail, at every packet."""
        qt_loop.set_property(self._media, "activeVideoTrack", -1)

    # What it is asked

    @property
    def busy(self) -> bool:
        """Whether it has not done yet all that it was told; its answers are of before."""
        return self._untold > 0

    @property
    def position_s(self) -> float:
        return self._media.position() / 1000

    @property
    def loaded(self) -> bool:
        return self._media.mediaStatus() in (_Status.LoadedMedia, _Status.BufferedMedia)

    @property
    def has_sound(self) -> bool:
        return self._media.hasAudio()

    def take_frame(self) -> tuple[QVideoFrame, float, float] | None:
        """The newest picture, from when until when it is shown; None if it was taken before."""
        frame = self._sink.videoFrame()
        seen = (frame.startTime(), frame.endTime())
        if seen == self._seen or not frame.isValid():
            return None
        self._seen = seen
        return frame, seen[0] / 1e6, seen[1] / 1e6

    def take_fault(self) -> str | None:
        """Why it cannot play the file, told once."""
        fault, self._fault = self._fault, None
        return fault

    def take_end(self) -> bool:
        """Whether it came to the file's end, told once; it has stopped then."""
        at_end, self._at_end = self._at_end, False
        return at_end

    def _tell(self, what: str, *arguments: Any) -> None:
        self._untold += 1
        qt_loop.call(self._media, what, *arguments)
        self._told.emit()

    def _on_told(self) -> None:
        self._untold -= 1

    def _on_status(self, status: _Status) -> None:
        self._at_end = status == _Status.EndOfMedia

    def _on_error(self, _error: QMediaPlayer.Error, text: str) -> None:
        self._fault = text.strip().rstrip(".") or "Qt gives no reason"
