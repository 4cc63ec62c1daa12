"""Columns of a timeline -> pictures, RGBA (H, W, 4), the first row at the bottom.

Each pixel is a number in a small table of colours; a picture of 1000x200 takes 3 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from fer_core.labels import CLASSES
from fer_desktop.playback.segment_table import Columns, FloatArray
from fer_desktop.ui.theme import Colours

Picture = NDArray[np.uint8]  # (H, W, 4)
Places = NDArray[np.uint8]  # (H, W), numbers of colours

MUTED_ALPHA = 95  # of an emotion that does not lead
MARK_ALPHA = 190
_NOTHING, _FULL, _MUTED, _MARK = 0, 1, 1 + CLASSES, 1 + 2 * CLASSES


def lanes(
    values: FloatArray, certain: NDArray[np.bool_], marks: FloatArray | None, lane_height: int
) -> Places:
    """A lane for each emotion, the first on top, filled as high as its probability.

    Args:
        values: (W, 8), NaN for nothing.
        certain: (W,), where the leading emotion stands in full colour.
        marks: (W, 8) drawn as lines over it.
        lane_height: in pixels; the topmost stays free.
    """
    width = len(values)
    room = max(lane_height - 2, 1)
    heights = np.nan_to_num(values).T * room  # (8, W)
    leader = np.nan_to_num(values).argmax(axis=1)
    rows = np.arange(lane_height)[:, None] + 0.5
    places = np.zeros((CLASSES * lane_height, width), np.uint8)
    for emotion in range(CLASSES):
        leads = certain & (leader == emotion)
        colour = np.where(leads, _FULL + emotion, _MUTED + emotion).astype(np.uint8)
        bottom = (CLASSES - 1 - emotion) * lane_height
        lane = places[bottom : bottom + lane_height]
        lane[:] = np.where(rows < heights[emotion], colour, np.uint8(_NOTHING))
        if marks is not None:
            lane[_line(marks[:, emotion] * room, lane_height)] = _MARK
    return places


def stacked(values: FloatArray, marks: FloatArray | None, height: int) -> Places:
    """All emotions on top of each other, the first at the bottom; ``marks``: limits as lines."""
    tops = np.nan_to_num(values).cumsum(axis=1).T * height  # (8, W)
    rows = np.arange(height)[:, None] + 0.5
    below = np.zeros((height, len(values)), np.uint8)
    for top in tops:
        below += rows >= top
    places = np.where(below < CLASSES, below + np.uint8(_FULL), np.uint8(_NOTHING))
    places[:, np.isnan(values[:, 0])] = _NOTHING
    if marks is not None:
        limits = marks.cumsum(axis=1)[:, :-1].T * height
        for limit in limits:
            places[_line(limit, height)] = _MARK
    return places


def emotions_picture(places: Places, colours: Colours) -> Picture:
    full = [_rgba(colour) for colour in colours.emotions]
    muted = [(*colour[:3], MUTED_ALPHA) for colour in full]
    mark = (*_rgba(colours.text)[:3], MARK_ALPHA)
    table = np.array([(0, 0, 0, 0), *full, *muted, mark], np.uint8)
    # As whole numbers of 32 bits: a third of the time.
    pixels = np.take(table.view(np.uint32)[:, 0], places)
    return pixels.view(np.uint8).reshape(*places.shape, 4)


def status_picture(columns: Columns, colours: Colours, lane_height: int) -> Picture:
    """Lanes for voice, face and uncertain, the first on top: fuller colour, larger share."""
    shown = (
        (columns.uncertain, colours.warning),
        (columns.seen, colours.live),
        (columns.speech, colours.info),
    )
    picture = np.zeros((len(shown) * lane_height, len(columns.speech), 4), np.uint8)
    for number, (shares, colour) in enumerate(shown):
        lane = picture[number * lane_height + 1 : (number + 1) * lane_height - 1]
        lane[..., :3] = _rgba(colour)[:3]
        lane[..., 3] = np.where(columns.known, 255 * np.clip(shares, 0, 1), 0)
    return picture


def _rgba(colour: str) -> tuple[int, int, int, int]:
    shown = QColor(colour)
    return shown.red(), shown.green(), shown.blue(), 255


def _line(heights: FloatArray, rows: int) -> NDArray[np.bool_]:
    """Where a line at ``heights`` (W,) runs, steps included: (rows, W); NaN is a gap."""
    here = np.where(np.isnan(heights), np.nan, np.clip(np.round(heights), 0, rows - 1))
    before = np.concatenate([here[:1], here[:-1]])
    before = np.where(np.isnan(before), here, before)
    row = np.arange(rows)[:, None]
    with np.errstate(invalid="ignore"):
        return (row >= np.fmin(here, before)) & (row <= np.fmax(here, before)) & ~np.isnan(here)
