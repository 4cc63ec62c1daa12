from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QColor

from fer_desktop.playback.results import Results
from fer_desktop.ui.selection_summary import SelectionSummary
from fer_desktop.ui.theme import DARK

HAPPY, SAD = 2, 3


@pytest.fixture
def view(qtbot) -> SelectionSummary:
    view = SelectionSummary()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    return view


def coloured(view: SelectionSummary, emotion: int) -> int:
    """How many pixels have the emotion's colour."""
    picture = view.grab().toImage()
    colour = QColor(DARK.emotions[emotion]).rgb()
    return sum(
        picture.pixel(x, y) == colour
        for y in range(picture.height())
        for x in range(picture.width())
    )


def test_it_tells_share_mean_and_segments(
    view: SelectionSummary, make_segments: Callable[..., list]
) -> None:
    results = Results()
    results.add(make_segments(*[HAPPY] * 3, SAD))
    view.show_summary(results.summary(0, 1.5), selected=True)
    told = view.accessibleDescription()
    assert told.startswith(
        "Selection, 0:00.0 to 0:01.5: happy 75% of the time, mean 55%, 3 segments"
    )
    assert "sad 25% of the time, mean 21%, 1 segments" in told
    assert coloured(view, HAPPY) > 2 * coloured(view, SAD) > 200


def test_without_a_selection_it_speaks_of_the_whole_file(
    view: SelectionSummary, make_segments: Callable[..., list]
) -> None:
    results = Results()
    results.add(make_segments(*[HAPPY] * 4))
    view.show_summary(results.summary(0, 1.5), selected=False)
    assert view.text().startswith("Whole file so far")


def test_what_is_not_analysed_is_said(view: SelectionSummary) -> None:
    view.show_summary(None, selected=True)
    assert view.accessibleDescription() == "Selection: not analysed yet"
    assert coloured(view, HAPPY) == 0
