from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from fer_core.data.splits import SPLITS
from fer_core.resources import bundled_model
from fer_core.training.config import STAGES as TRAINED
from fer_desktop.errors import Notice
from fer_desktop.settings import Settings
from fer_desktop.training.plan import Corpus, TrainingPlan
from fer_desktop.ui.settings_dialog import SettingsDialog
from fer_desktop.ui.theme import apply_theme
from fer_desktop.ui.training_curves import TrainingCurves
from fer_desktop.ui.training_form import SPLIT_TEXTS
from fer_desktop.ui.training_panel import STAGES, TrainingPanel


@pytest.fixture
def panel(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingPanel:
    monkeypatch.setattr("platformdirs.user_documents_path", lambda: tmp_path / "Documents")
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_every_split_and_stage_offered_is_one_that_train_py_knows() -> None:
    assert SPLIT_TEXTS.keys() - {None} <= SPLITS.keys()
    assert tuple(STAGES) == TRAINED


def test_without_a_folder_nothing_can_be_started(panel: TrainingPanel) -> None:
    assert panel.form.plan() is None
    assert not panel.begin.isEnabled()
    panel.form.data.folder.setText("/mine")
    assert panel.begin.isEnabled()
    panel.form.run.setText(" ")
    assert not panel.begin.isEnabled()


def test_the_choices_are_the_plan_that_is_asked_for(panel: TrainingPanel, qtbot) -> None:
    form = panel.form
    form.offer_models(Path("/models/mine"), "cpu")
    plan = TrainingPlan(
        corpora=(Corpus("cremad", Path("/cremad")), Corpus("ferplus", Path("/faces"))),
        run=Path("/runs/a"),
        split="untested",
        allow_missing=True,
        learnt_from="video",
        begin_with=Path("/models/mine"),
        epochs=7,
        device="cpu",
    )
    form.show_plan(plan)
    with qtbot.waitSignal(panel.start_requested) as asked:
        qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    assert asked.args == [plan]


def test_people_begin_with_the_bundled_model_and_may_choose_nothing(panel: TrainingPanel) -> None:
    form = panel.form
    form.data.folder.setText("/mine")
    assert form.plan().begin_with == bundled_model()
    form.begin_with.setCurrentIndex(form.begin_with.count() - 1)
    assert form.plan().begin_with is None
    form.offer_models(Path("/models/mine"))  # the settings changed meanwhile
    assert form.plan().begin_with is None, "what was chosen stays chosen"


def test_the_folder_proposed_is_a_new_one_until_somebody_writes_another(
    panel: TrainingPanel, tmp_path: Path
) -> None:
    form = panel.form
    first = Path(form.run.text())
    assert first.parent == tmp_path / "Documents" / "Emotion models"
    assert first.name.startswith("My own recordings 2")
    form.data.corpus.setCurrentIndex(form.data.corpus.findData("ravdess"))
    assert Path(form.run.text()).name.startswith("RAVDESS 2")
    Path(form.run.text()).mkdir(parents=True)
    form.propose_another_folder()
    assert form.run.text().endswith("(2)")
    form.run.setText("/my/own")
    form.data.corpus.setCurrentIndex(form.data.corpus.findData("cremad"))
    assert form.run.text() == "/my/own"


def test_a_table_or_folder_is_browsed_for(panel: TrainingPanel, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/chosen")
    qtbot.mouseClick(panel.form.data.browse, Qt.MouseButton.LeftButton)
    assert panel.form.data.chosen() == Corpus("manifest", Path("/chosen"))
    assert not panel.form.more.browse.isEnabled(), "there is no second corpus"


def test_progress_and_how_long_it_takes_are_shown(panel: TrainingPanel) -> None:
    panel.show_preparing()
    assert panel.bar.maximum() == 0, "nothing is known yet"
    panel.show_progress("visual", 3, 40, 0.25, 3700.0)
    assert panel.words.text() == "Faces: epoch 3 of 40, 1:01:40 left"
    assert panel.bar.value() == 250
    panel.show_progress("visual", 3, 40, 0.25, None)
    assert panel.words.text() == "Faces: epoch 3 of 40"


def test_while_it_runs_the_button_stops_it_once(panel: TrainingPanel, qtbot) -> None:
    panel.form.data.folder.setText("/mine")
    panel.show_preparing()
    with qtbot.waitSignal(panel.stop_requested):
        qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    panel.show_stopping()
    assert not panel.begin.isEnabled()
    panel.show_stopped()
    assert panel.begin.isEnabled()


def test_what_came_of_it_is_shown_with_its_picture(panel: TrainingPanel, tmp_path: Path) -> None:
    assert not panel.use.isVisible()
    picture = QImage(800, 600, QImage.Format.Format_RGB32)
    picture.fill(QColor("red"))
    picture.save(str(tmp_path / "confusion.png"))
    panel.show_finished(["ravdess: UAR 0.66"], tmp_path / "confusion.png")
    assert "ravdess: UAR 0.66" in panel.words.text()
    assert panel.use.isVisible()
    assert panel.picture.isVisible()
    panel.show_preparing()
    assert not panel.use.isVisible(), "it belongs to the last training"
    assert not panel.picture.isVisible()


def test_no_test_and_no_picture_are_said_and_shown_as_such(panel: TrainingPanel) -> None:
    panel.show_finished([], None)
    assert "tested on nobody" in panel.words.text()
    assert panel.curves.isVisible()


def test_a_failure_says_what_to_do(panel: TrainingPanel) -> None:
    panel.show_failure(Notice("training", "The disk is full.", "Make room."))
    assert panel.words.text() == "The disk is full. Make room."


def test_everything_in_it_has_a_name_a_tip_and_can_be_reached_by_key(panel: TrainingPanel) -> None:
    form = panel.form
    kinds = [form.data.corpus, form.data.folder, form.data.browse, form.learnt_from]
    kinds += [form.begin_with, form.split, form.missing, form.epochs, form.run, form.browse_run]
    for widget in (*kinds, panel.begin, panel.use, panel.card, panel.log):
        assert widget.accessibleName() or widget.text(), widget
        assert widget.toolTip(), widget
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_curves_follow_the_epochs_and_the_theme(qtbot, qapp: QApplication) -> None:
    curves = TrainingCurves()
    qtbot.addWidget(curves)
    curves.resize(400, 300)
    curves.show()
    curves.append(2.0, None, None)  # before the plot is there
    curves.build()
    curves.append(1.5, 1.8, 0.4)
    assert curves.curves.loss == [2.0, 1.5]
    assert math.isnan(curves.curves.uar[0])
    dark = curves.grab().toImage().pixelColor(200, 30)
    apply_theme(qapp, "light")
    assert curves.grab().toImage().pixelColor(200, 30) != dark
    curves.clear()
    assert curves.curves.loss == []


@pytest.mark.parametrize("points", [9, 18])
def test_figures_beside_the_curves_do_not_touch(
    qtbot, letters_of: Callable[[float], None], points: int
) -> None:
    letters_of(points)
    curves = TrainingCurves()
    qtbot.addWidget(curves)
    curves.resize(curves.sizeHint())
    curves.build()
    curves.show()
    curves.append(2.0, 1.8, 0.4)
    curves.append(0.2, 0.3, 0.7)
    QApplication.processEvents()
    for plot in curves._plots:
        page = QImage(8, 8, QImage.Format.Format_RGB32)
        painter = QPainter(page)
        painter.setFont(plot.getAxis("left").style["tickFont"] or curves.font())
        _, _, written = plot.getAxis("left").generateDrawSpecs(painter)
        letters = painter.fontMetrics().capHeight()
        painter.end()
        middles = sorted(place.center().y() for place, _, _ in written)
        assert len(middles) > 1
        assert min(below - above for above, below in pairwise(middles)) > letters


def test_the_settings_show_it_in_a_tab_and_hand_it_back(qtbot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    panel = TrainingPanel(owner)
    dialog = SettingsDialog(Settings(), training=panel, parent=owner)
    dialog.show()
    assert not panel.isVisible(), "its tab is behind the other"
    dialog.show_training()
    dialog.show()
    assert panel.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.isVisible(), "Enter leaves no training that is being described"
    dialog.tabs.setCurrentIndex(0)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert panel.parentWidget() is owner
    assert not panel.isVisible()


@pytest.mark.parametrize("text", ["~nobody-has-this-name/x", "x" * 300, "/root/x"])
def test_any_path_can_be_typed(panel: TrainingPanel, text: str) -> None:
    panel.form.data.folder.setText(text)
    panel.form.run.setText(text)
    assert panel.begin.text() == "Start"
