from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from fer_core.prediction import Prediction
from fer_desktop.live.smoothing import Smoothing
from fer_desktop.settings import Mode
from fer_desktop.ui.live_page import LivePage


@pytest.fixture
def page(qtbot: QtBot) -> LivePage:
    page = LivePage(smoothing=0.0)
    qtbot.addWidget(page)
    return page


def test_an_answer_reaches_bars_picture_and_timeline(
    page: LivePage, make_prediction: Callable[..., Prediction]
) -> None:
    prediction = make_prediction(winner=4, end_s=3.375)
    page.show_answer(prediction, Smoothing().update(prediction), "both")
    assert page.bars.accessibleDescription().startswith("angry 72%")
    assert page.video.emotion == (4, pytest.approx(0.72), False)
    assert page.timeline.history.last_s == 3.375
    page.show_nothing(3.75, "both")
    assert "Nothing to judge" in page.bars.accessibleDescription()
    assert page.video.emotion is None
    assert page.video.badges == ("no voice", "no face")
    assert page.timeline.history.winners_at(np.array([3.3, 3.7])).tolist() == [4, -2]


def test_where_predictions_fail_the_last_one_does_not_look_like_now(
    page: LivePage, make_prediction: Callable[..., Prediction]
) -> None:
    prediction = make_prediction()
    page.show_answer(prediction, Smoothing().update(prediction), "both")
    page.show_failed()
    assert "The notice above says why" in page.bars.accessibleDescription()
    assert page.video.emotion is None


@pytest.mark.parametrize(
    ("mode", "audio", "video", "badges"),
    [
        ("both", True, True, ()),
        ("both", False, True, ("no voice",)),
        ("both", True, False, ("no face",)),
        ("camera", False, True, ("microphone off",)),
        ("microphone", True, False, ()),
    ],
)
def test_what_is_missing_is_said_on_the_picture(
    page: LivePage,
    make_prediction: Callable[..., Prediction],
    mode: Mode,
    audio: bool,
    video: bool,
    badges: tuple[str, ...],
) -> None:
    prediction = make_prediction(audio=audio, video=video)
    page.show_answer(prediction, Smoothing().update(prediction), mode)
    assert page.video.badges == badges
