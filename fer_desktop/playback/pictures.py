"""Pictures of a file made ready to be drawn, off the GUI thread: Qt's frames and read ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtMultimedia import QVideoFrame

from fer_core.errors import UserError
from fer_core.media import VideoFrame
from fer_desktop.errors import Notice
from fer_desktop.leaving import Leaving
from fer_desktop.playback.newest_job import NewestJob
from fer_desktop.playback.stills import shown_after, shown_at

LONGEST_SIDE = 1920  # pixels; what is drawn is no larger
CLOSE_SECONDS = 1.0  # to wait for the threads at the program's end


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    image: QImage  # upright, RGB32
    start_s: float  # from when it is shown
    end_s: float | None  # until when; None: not known
    wish: int  # the number of the seek it belongs to


class Pictures:
    """Two threads, because decoding may take a second; the newest result of each is polled."""

    def __init__(self) -> None:
        self._reading = NewestJob("stills")
        self._converting = NewestJob("pictures")
        self._still: Picture | None = None
        self._converted: Picture | None = None

    def convert(self, frame: QVideoFrame, start_s: float, end_s: float, wish: int) -> None:
        """2 ms for 720 lines, 30 for 2160."""
        self._converting.do(partial(self._convert, frame, start_s, end_s, wish))

    def read(
        self,
        path: Path,
        time_s: float,
        after_s: float | None,
        wish: int,
        otherwise: Callable[[Notice | None], None],
    ) -> None:
        """The picture shown at ``time_s``, or the next after ``after_s``.

        ``otherwise`` is called on the thread where there is none, with the reason if it is one to
        be told.
        """
        self._reading.do(partial(self._read, path, time_s, after_s, wish, otherwise))

    def do(self, job: Callable[[], None]) -> None:
        """Something else that reads a file, in place of what was to be read."""
        self._reading.do(job)

    def still(self) -> Picture | None:
        """What was read since this was last asked."""
        still, self._still = self._still, None
        return still

    def converted(self) -> Picture | None:
        """What was converted since this was last asked."""
        converted, self._converted = self._converted, None
        return converted

    def forget(self) -> None:
        self._reading.forget()
        self._converting.forget()
        self._still = self._converted = None

    def stop(self) -> None:
        leaving = Leaving()
        for thread in (self._reading, self._converting):
            thread.stop()
            leaving.add(thread)
        leaving.join(CLOSE_SECONDS)

    def _convert(self, frame: QVideoFrame, start_s: float, end_s: float, wish: int) -> None:
        image = frame.toImage()
        if not image.isNull():
            self._converted = Picture(_not_too_large(image), start_s, end_s, wish)

    def _read(
        self,
        path: Path,
        time_s: float,
        after_s: float | None,
        wish: int,
        otherwise: Callable[[Notice | None], None],
    ) -> None:
        try:
            frame = shown_at(path, time_s) if after_s is None else shown_after(path, after_s)
        except (UserError, OSError) as error:
            text = error.text if isinstance(error, UserError) else f"“{path}” cannot be read."
            otherwise(Notice("file", text, "What was found in it until now stays."))
            return
        if frame is None:
            otherwise(None)
        else:
            self._still = picture_of(frame, wish)


def picture_of(frame: VideoFrame, wish: int) -> Picture:
    pixels = np.ascontiguousarray(frame.image)
    height, width = pixels.shape[:2]
    borrowed = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    image = borrowed.convertToFormat(QImage.Format.Format_RGB32)  # a copy: the array may go
    return Picture(_not_too_large(image), frame.time_s, None, wish)


def _not_too_large(image: QImage) -> QImage:
    if max(image.width(), image.height()) <= LONGEST_SIDE:
        return image
    return image.scaled(LONGEST_SIDE, LONGEST_SIDE, Qt.AspectRatioMode.KeepAspectRatio)
