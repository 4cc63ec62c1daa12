"""The real window analyses a folder through the real ``fer-analyze``: stopped, and gone on with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_desktop.batch_presenter import BatchPresenter
from fer_desktop.playback.known_answers import known_answers
from fer_desktop.settings import Settings
from fer_desktop.ui.batch_table import SAID
from fer_desktop.ui.main_window import MainWindow

LONG_MS = 60_000


@pytest.fixture
def presenter(qtbot, angry_model: Path, monkeypatch) -> Iterator[BatchPresenter]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    window = MainWindow(Settings(theme="dark", model=str(angry_model), device="cpu"))
    qtbot.addWidget(window)
    window.show()
    presenter = BatchPresenter(window, analysed={})
    yield presenter
    presenter.close()


@pytest.fixture
def folder(own_recordings: Path, tmp_path: Path) -> Path:
    """Three recordings, and one that is none."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for path in sorted(own_recordings.glob("*.mp4"))[:3]:
        shutil.copy(path, folder)
    (folder / "z.mp4").write_bytes(b"nothing")
    return folder


def said(presenter: BatchPresenter) -> list[str]:
    table = presenter.dialog.table
    return [table.item(row, SAID).text() for row in range(table.rowCount())]


def test_a_folder_is_analysed_stopped_and_gone_on_with(presenter, folder: Path, qtbot) -> None:
    dialog, process = presenter.dialog, presenter.process
    presenter.show([folder])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "angry" in said(presenter), timeout=LONG_MS)
    dialog.begin.click()
    qtbot.waitUntil(lambda: not process.runs, timeout=LONG_MS)
    if dialog.begin.text() == "Go on":  # else it was done before it could be stopped
        dialog.begin.click()
        qtbot.waitUntil(lambda: not process.runs, timeout=LONG_MS)
    assert said(presenter) == ["angry", "angry", "angry", "failed"]
    assert "4 of 4 recordings, 1 failed" in dialog.words.text()
    results = sorted(path.name for path in (folder / "analysis").iterdir())
    names = [path.stem for path in sorted(folder.glob("*.mp4"))][:3]
    expected = [f"{name}.{suffix}" for name in names for suffix in ("csv", "json")]
    assert results == sorted(["all recordings.csv", *expected])
    told = json.loads((folder / "analysis" / f"{names[0]}.json").read_text())["summary"]
    assert len(presenter.analysed) == 3
    for recording, document in presenter.analysed.items():
        assert known_answers(recording, document).timeline.emotion == "angry"
    assert dialog.table.shown(0).faces[0].shares[4] == told["shares"]["angry"] > 0


def test_a_folder_that_cannot_be_written_is_said_so_in_a_sentence(
    presenter, folder: Path, qtbot
) -> None:
    presenter.show([folder])
    presenter.dialog.folder.setText("/proc/results")
    presenter.dialog.begin.click()
    qtbot.waitUntil(lambda: not presenter.process.runs, timeout=LONG_MS)
    assert "/proc" in presenter.dialog.words.text()
    assert "cannot be written" in presenter.dialog.words.text()
