from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFontMetricsF

from fer_core.labels import EMOTIONS
from fer_desktop.ui.bars import SegmentBars
from fer_desktop.ui.theme import DARK

ALL = np.ones(8, bool)
NONE = np.zeros(8, bool)


@pytest.fixture
def bars(qtbot) -> SegmentBars:
    bars = SegmentBars()
    qtbot.addWidget(bars)
    bars.resize(640, 460)
    bars.show()
    return bars


def one_winner_each() -> np.ndarray:
    """Segment s is won by emotion s with 0.65."""
    return np.full((8, 8), 0.05, np.float32) + 0.6 * np.eye(8, dtype=np.float32)


def pixel(bars: SegmentBars, place: QPointF) -> QColor:
    return bars.grab().toImage().pixelColor(place.toPoint())


def test_the_winner_of_a_segment_stands_in_full_colour_at_its_place(bars: SegmentBars) -> None:
    segments = one_winner_each()
    bars.show_scores(segments, segments.mean(0), None, ALL, ALL, uncertain=True)
    for i, colour in enumerate(DARK.emotions):
        cell = bars.cell_rect(i, i)
        inside = QPointF(cell.center().x(), cell.bottom() - 0.4 * cell.height())
        above = QPointF(cell.center().x(), cell.bottom() - 0.8 * cell.height())
        assert pixel(bars, inside).name() == colour
        assert pixel(bars, above).name() == DARK.surface


def test_who_does_not_win_is_muted(bars: SegmentBars) -> None:
    segments = np.full((8, 8), 0.08, np.float32)
    segments[:, 2], segments[:, 5] = 0.3, 0.22
    bars.show_scores(segments, segments[0], None, ALL, ALL, uncertain=True)
    cell = bars.cell_rect(5, 3)
    there = pixel(bars, QPointF(cell.center().x(), cell.bottom() - 0.1 * cell.height()))
    assert there.name() not in (DARK.emotions[5], DARK.surface)


def test_a_segment_neither_heard_nor_seen_has_no_winner(bars: SegmentBars) -> None:
    segments = one_winner_each()
    bars.show_scores(segments, segments.mean(0), None, NONE, NONE, uncertain=True)
    cell = bars.cell_rect(3, 3)
    inside = QPointF(cell.center().x(), cell.bottom() - 0.4 * cell.height())
    assert pixel(bars, inside).name() != DARK.emotions[3]


def test_the_sum_is_as_long_as_its_score_and_marks_the_raw_one(bars: SegmentBars) -> None:
    scores = np.full(8, 0.1 / 7, np.float32)
    scores[6] = 0.6
    raw = np.full(8, 0.01, np.float32)
    raw[6] = 0.9
    bars.show_scores(one_winner_each(), scores, raw, ALL, ALL, uncertain=False)
    track = bars.sum_rect(6)

    def at(share: float) -> str:
        return pixel(bars, QPointF(track.left() + share * track.width(), track.center().y())).name()

    assert at(0.55) == DARK.emotions[6]
    assert at(0.7) != DARK.emotions[6]
    mark = track.left() + 0.9 * (track.width() - 2) + 1
    assert pixel(bars, QPointF(mark, track.top() - 1)).lightness() > 180
    bars.show_scores(one_winner_each(), scores, None, ALL, ALL, uncertain=False)
    assert pixel(bars, QPointF(mark, track.top() - 1)).lightness() < 120


def test_the_top_row_is_marked_unless_nothing_is_certain(bars: SegmentBars) -> None:
    scores = np.full(8, 0.05, np.float32)
    scores[1] = 0.65
    corner = QPointF(60, bars.sum_rect(1).top() - 6)
    bars.show_scores(one_winner_each(), scores, None, ALL, ALL, uncertain=False)
    assert pixel(bars, corner).name() != DARK.surface
    bars.show_scores(one_winner_each(), scores, None, ALL, ALL, uncertain=True)
    assert pixel(bars, corner).name() == DARK.surface


def test_exact_values_are_told_under_the_mouse(bars: SegmentBars) -> None:
    segments = one_winner_each()
    video = ALL.copy()
    video[4] = False
    scores = np.array([0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.05, 0.05], np.float32)
    bars.show_scores(segments, scores, scores[::-1], ALL, video, uncertain=False)
    assert bars.text_at(bars.cell_rect(4, 4).center()) == "angry 65.0%\n-1.500 to -1.125 s\nvoice"
    text = bars.text_at(bars.sum_rect(2).center())
    assert text == "happy 30.0% over the window\nbefore smoothing 10.0%"
    assert bars.text_at(QPointF(300, 2)) == ""


def test_screen_readers_hear_the_answer_highest_first(bars: SegmentBars) -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.05, 0.05], np.float32)
    bars.show_scores(one_winner_each(), scores, None, ALL, ALL, uncertain=True)
    assert bars.accessibleDescription().startswith("uncertain; happy 30%, calm 20%")
    bars.clear("No session", "Press Start.")
    assert bars.accessibleDescription() == "No session Press Start."
    assert bars.text_at(bars.cell_rect(0, 0).center()) == ""


@pytest.mark.parametrize("size", [(400, 280), (640, 460), (1200, 900)])
def test_no_label_touches_the_bars(bars: SegmentBars, size: tuple[int, int]) -> None:
    bars.resize(*size)
    metrics = QFontMetricsF(bars._label_font())
    widest = max(metrics.horizontalAdvance(label) for label in EMOTIONS)
    assert 32 + widest < bars.cell_rect(0, 0).left()
    assert bars.sum_rect(0).width() > 40
