from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.calibration import Fit
from fer_core.evaluation.figures import (
    confusion_figure,
    history_figure,
    reliability_figure,
    save_png,
)
from fer_core.evaluation.reliability import reliability
from fer_core.evaluation.scores import score
from fer_core.preprocess.opencv import cv2

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]


def test_the_confusion_matrix_shows_counts_and_shares_of_the_row(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item("happy")] * 4
    said = [probabilities(**{emotion: 0.9}) for emotion in ("happy", "happy", "happy", "sad")]
    figure = confusion_figure(score(make_answers(items, said)), "a title")
    axes = figure.axes[0]
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown == {(2, 2): "3\n75%", (3, 2): "1\n25%"}  # column, row
    assert axes.get_yticklabels()[2].get_text() == "happy (4)"
    assert axes.get_title() == "a title"


def test_the_curves_go_on_from_stage_to_stage() -> None:
    history = [
        {"stage": "audio", "epoch": 0, "loss": 2.0, "lr": 0.1},
        {"stage": "audio", "epoch": 1, "loss": 1.0, "val_loss": 1.5, "val_uar": 0.4, "lr": 0.1},
        {"stage": "fusion", "epoch": 0, "loss": 3.0, "val_loss": 2.5, "val_uar": 0.2, "lr": 0.1},
    ]
    losses, scores = history_figure(history, "compact").axes
    drawn = {
        (line.get_label(), tuple(np.asarray(line.get_xdata())), tuple(np.asarray(line.get_ydata())))
        for line in losses.lines
    }
    assert ("loss", (1, 2), (2.0, 1.0)) in drawn
    assert ("val_loss", (2,), (1.5,)) in drawn
    assert {line[1:] for line in drawn} >= {((3,), (3.0,)), ((3,), (2.5,))}
    assert [text.get_text() for text in losses.texts] == ["audio", "fusion"]
    legend = scores.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["val_uar"]


def test_a_run_without_validation_has_curves_too() -> None:
    figure = history_figure([{"stage": "audio", "epoch": 0, "loss": 2.0}], "compact")
    assert figure.axes[1].get_legend() is None


def test_reliability_is_drawn_with_its_error() -> None:
    half_right = torch.tensor([True, False])
    sure = reliability(torch.tensor([0.95, 0.95]), half_right)
    doubtful = reliability(torch.tensor([0.5, 0.5]), half_right)
    fit = Fit(2, 9.9, 2.0, 1.0, before=sure, after=doubtful)
    figure = reliability_figure({"audio": fit, "video": fit})
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "audio\nECE 0.450 → 0.000",
        "video\nECE 0.450 → 0.000",
    ]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[0.95, 0.5]])
    heights = [bar.get_height() for bar in figure.axes[0].patches]  # type: ignore[attr-defined]
    assert heights == 7 * [0] + [0.5] + 7 * [0]
    shares = [bar.get_height() for bar in figure.axes[2].patches]  # type: ignore[attr-defined]
    assert shares == 7 * [0] + [1] + 7 * [0]


def test_a_figure_becomes_a_png_without_a_window(tmp_path: Path) -> None:
    figure = history_figure([{"stage": "audio", "epoch": 0, "loss": 2.0}], "compact")
    save_png(figure, tmp_path / "history.png")
    picture = cv2.imread(str(tmp_path / "history.png"))
    assert picture is not None
    assert picture.shape == (640, 1440, 3)
    assert picture.std() > 5  # something is on it
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_an_unwritable_place_is_the_users_to_mend(tmp_path: Path) -> None:
    figure = history_figure([{"stage": "audio", "epoch": 0, "loss": 2.0}], "compact")
    with pytest.raises(UserError, match="cannot be written"):
        save_png(figure, tmp_path / "no folder" / "history.png")
