"""The real window trains through the real ``train.py``: stopped, gone on with, and used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.weights import load_checkpoint
from fer_desktop.settings import Settings
from fer_desktop.training import plan as plans
from fer_desktop.training.plan import Corpus, TrainingPlan
from fer_desktop.training_presenter import TrainingPresenter
from fer_desktop.ui.main_window import MainWindow

pytestmark = pytest.mark.timeout(300)
LONG_MS = 120_000


@pytest.fixture
def presenter(qtbot, tmp_path, monkeypatch, tiny_training) -> Iterator[TrainingPresenter]:
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(plans, "recipe", lambda _: tiny_training)
    window = MainWindow(Settings(theme="dark"))
    qtbot.addWidget(window)
    window.show()
    presenter = TrainingPresenter(window)
    presenter.window = window
    yield presenter
    presenter.close()


def test_a_training_is_stopped_gone_on_with_and_its_model_used(
    presenter, own_recordings: Path, tmp_path: Path, qtbot
) -> None:
    window, panel = presenter.window, presenter.window.training
    plan = TrainingPlan(
        corpora=(Corpus("manifest", own_recordings),), run=tmp_path / "run", learnt_from="audio"
    )
    panel.form.show_plan(plan)
    panel.begin.click()
    qtbot.waitUntil(lambda: "epoch" in panel.words.text(), timeout=LONG_MS)
    assert "usable    8 recordings" in panel.log.toPlainText()
    panel.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=LONG_MS)
    if panel.begin.text() == "Go on":  # else it was done before it could be stopped
        panel.begin.click()
        qtbot.waitUntil(lambda: not presenter.process.runs, timeout=LONG_MS)
    assert "manifest, audio alone: UAR" in panel.words.text()
    assert "split speakers-0" in panel.words.text()
    panel.use.click()
    assert load_checkpoint(Path(window.settings.model)).config.trained_on.startswith("manifest")


def test_recordings_that_are_not_there_are_said_so_in_a_sentence(
    presenter, tmp_path: Path, qtbot
) -> None:
    panel = presenter.window.training
    nowhere = Corpus("ravdess", tmp_path / "nowhere")
    panel.form.show_plan(TrainingPlan(corpora=(nowhere,), run=tmp_path / "run"))
    panel.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=LONG_MS)
    assert f"There is no folder “{tmp_path / 'nowhere'}”" in panel.words.text()
    assert not (tmp_path / "run").exists()
