"""The real views, threads and keepers around a worker that tells what the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from fer_core.analysis.timeline import Marker, ModelUsed, Source, Timeline, VideoSource
from fer_desktop.errors import Notice
from fer_desktop.findings_presenter import FindingsPresenter
from fer_desktop.playback.analysis_worker import AnalysisWorker
from fer_desktop.playback.markers import Markers
from fer_desktop.playback.results import Results
from fer_desktop.ui.file_timeline import FileTimeline
from fer_desktop.ui.marker_list import MarkerList
from fer_desktop.ui.peaks import PeakGrid
from fer_desktop.ui.selection_summary import SelectionSummary

HAPPY, SAD = 2, 3
SHA256 = "a" * 64


class Desk:
    """A presenter with its views; ``at_s`` is the playhead."""

    def __init__(self, qtbot, folder: Path) -> None:
        self.views = SimpleNamespace(
            timeline=FileTimeline(),
            peaks=PeakGrid(),
            summary=SelectionSummary(),
            markers=MarkerList(),
        )
        for view in vars(self.views).values():
            qtbot.addWidget(view)
            view.show()
        self.worker = AnalysisWorker(lambda: None)  # never started
        self.results = Results()
        self.notices: list[Notice] = []
        self.at_s = 0.0
        self.presenter = FindingsPresenter(
            self.views,
            self.worker,
            self.results,
            lambda: self.at_s,
            self.notices.append,
            Markers(folder),
        )

    def analyse(self, segments: list) -> None:
        self.results.add(segments)
        self.worker.segments.emit(tuple(segments))


@pytest.fixture
def desk(qtbot, tmp_path: Path, no_thread_stays: None) -> Iterator[Desk]:
    desk = Desk(qtbot, tmp_path / "kept")
    yield desk
    desk.presenter.close()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """6 s of bright grey."""
    with av.open(str(tmp_path / "clip.mkv"), "w") as file:
        track = file.add_stream("libx264", rate=10)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        for _ in range(60):
            picture = np.full((48, 64, 3), 200, np.uint8)
            file.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(track.encode(None))
    return tmp_path / "clip.mkv"


def timeline_of(clip: Path, segments: list) -> Timeline:
    source = Source(str(clip), SHA256, segments[-1].end_s, VideoSource(64, 48, 10.0, 60), None)
    used = ModelUsed("tiny", "tiny", "f" * 64)
    return Timeline(source, used, 0.375, tuple(segments), np.full(8, 0.125), ())


def test_peaks_come_while_it_is_analysed_and_get_their_pictures(
    desk: Desk, clip: Path, make_segments: Callable[..., list], until
) -> None:
    desk.presenter.open(clip, has_picture=True)
    desk.analyse(make_segments(HAPPY, HAPPY))
    until(lambda: desk.views.peaks.tiles, 20)
    assert [tile.peak.emotion for tile in desk.views.peaks.tiles] == ["happy"]
    until(lambda: desk.views.peaks.tiles[0]._picture is not None, 20)
    assert "happy 100% of the time" in desk.views.summary.text()


def test_of_recordings_joined_as_they_are_peaks_have_no_picture(
    desk: Desk, clip: Path, make_segments: Callable[..., list], until
) -> None:
    desk.presenter.open(clip, has_picture=True)
    segments = make_segments(HAPPY, HAPPY)
    desk.analyse(segments)
    until(lambda: desk.views.peaks.tiles and desk.views.peaks.tiles[0]._picture is not None, 20)
    joined = replace(timeline_of(clip, segments), warnings=("At 3.00 s: its times begin anew.",))
    desk.worker.finished.emit(joined)
    assert [tile._picture for tile in desk.views.peaks.tiles] == [None]


def test_sound_alone_has_peaks_without_pictures(
    desk: Desk, tmp_path: Path, make_segments: Callable[..., list]
) -> None:
    desk.presenter.open(tmp_path / "a.wav", has_picture=False)
    segments = make_segments(SAD, SAD)
    desk.analyse(segments)
    desk.worker.finished.emit(timeline_of(tmp_path / "a.wav", segments))
    assert [tile.peak.emotion for tile in desk.views.peaks.tiles] == ["sad"]
    assert desk.presenter._thumbnails._thread is None


def test_the_summary_is_the_selections_while_there_is_one(
    desk: Desk, clip: Path, make_segments: Callable[..., list]
) -> None:
    desk.presenter.open(clip, has_picture=False)
    segments = make_segments(*[HAPPY] * 8, *[SAD] * 8)
    desk.analyse(segments)
    desk.worker.finished.emit(timeline_of(clip, segments))
    assert desk.views.summary.text().startswith("Whole file, 0:00.0 to 0:06.0")
    desk.views.timeline.set_duration(6.0)
    desk.views.timeline.set_selection(3.0, 6.0)
    assert "Selection, 0:03.0 to 0:06.0: sad 100% of the time" in desk.views.summary.text()
    desk.views.timeline.set_selection(None)
    assert "happy 50% of the time" in desk.views.summary.text()


def test_a_mark_is_noted_at_the_playhead_and_there_again_next_time(
    desk: Desk, clip: Path, qtbot, tmp_path: Path, until
) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    desk.at_s = 2.5
    desk.presenter.mark()
    field = desk.views.markers.table.findChild(QLineEdit)
    qtbot.keyClicks(field, "smiles")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    until(lambda: desk.views.timeline.markers == (Marker(2.5, "smiles"),))
    kept = Markers(tmp_path / "kept")
    kept.open(SHA256)
    assert kept.all == (Marker(2.5, "smiles"),)
    assert desk.views.timeline.markers == kept.all
    desk.presenter.open(clip.with_name("other.mkv"), has_picture=False)
    assert desk.views.timeline.markers == ()
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    assert desk.views.timeline.markers == kept.all


def test_a_deleted_marker_comes_back_with_its_note(
    desk: Desk, clip: Path, qtbot, tmp_path: Path
) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    kept = Markers(tmp_path / "kept")
    kept.open(SHA256)
    marker = kept.add(2.5, "smiles")
    desk.views.markers.removed.emit(marker)
    assert desk.views.timeline.markers == ()
    desk.views.markers.restored.emit(marker)
    assert desk.views.timeline.markers == (marker,)


def test_while_another_file_is_opened_nothing_is_marked_in_the_last_one(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    desk.presenter.mark()
    desk.presenter.forget()  # the next one may turn out to be no film
    desk.at_s = 4.0
    desk.views.markers.marker_wanted.emit()
    assert desk.views.timeline.markers == ()
    kept = Markers(tmp_path / "kept")
    kept.open(SHA256)
    assert [marker.time_s for marker in kept.all] == [0.0]


def test_markers_that_cannot_be_kept_are_told_and_shown(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("a file where the folder would be")
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    desk.presenter.mark()
    assert [notice.key for notice in desk.notices] == ["markers"]
    assert len(desk.views.timeline.markers) == 1


def test_nothing_is_exported_before_the_end_of_the_analysis(desk: Desk, clip: Path) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.presenter.export()
    assert desk.presenter.dialog is None


def test_markers_are_exported_with_the_timeline(
    desk: Desk, clip: Path, make_segments: Callable[..., list], until
) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.worker.identified.emit(SHA256)
    segments = make_segments(*[HAPPY] * 16)
    desk.analyse(segments)
    desk.worker.finished.emit(timeline_of(clip, segments))
    desk.presenter.mark()
    desk.presenter.export()
    dialog = desk.presenter.dialog
    assert dialog is not None
    assert dialog.chosen().folder == clip.parent
    for suffix, box in dialog.boxes.items():
        box.setChecked(suffix == "json")
    dialog.export.click()
    written = clip.parent / "clip-emotions.json"
    until(lambda: "Written" in dialog.said.text(), 20)
    assert '"markers"' in written.read_text()


def test_a_failed_export_is_told_in_the_dialog_alone_until_another_is_written(
    desk: Desk, clip: Path, make_segments: Callable[..., list], until
) -> None:
    desk.presenter.open(clip, has_picture=False)
    segments = make_segments(HAPPY)
    desk.worker.finished.emit(timeline_of(clip, segments))
    desk.presenter.export()
    dialog = desk.presenter.dialog
    assert dialog is not None
    dialog.folder.setText(str(clip / "no folder"))
    dialog.export.click()
    until(lambda: "cannot be written" in dialog.said.text(), 20)
    dialog.folder.setText(str(clip.parent))
    dialog.export.click()
    until(lambda: "Written" in dialog.said.text(), 20)
    assert not desk.notices


def test_another_analysis_of_the_file_takes_its_results_away(
    desk: Desk, clip: Path, make_segments: Callable[..., list]
) -> None:
    desk.presenter.open(clip, has_picture=False)
    desk.worker.finished.emit(timeline_of(clip, make_segments(HAPPY)))
    desk.worker.identified.emit(SHA256)
    desk.presenter.export()
    assert desk.presenter.dialog is None


def test_an_export_asked_for_is_written_though_another_analysis_began_behind_it(
    desk: Desk, clip: Path, make_segments: Callable[..., list], until
) -> None:
    desk.presenter.open(clip, has_picture=False)
    segments = make_segments(HAPPY, HAPPY)
    desk.analyse(segments)
    desk.worker.finished.emit(timeline_of(clip, segments))
    desk.presenter.export()
    dialog = desk.presenter.dialog
    desk.worker.identified.emit(SHA256)  # with another model
    dialog.export.click()
    until(lambda: "Written" in dialog.said.text(), 20)
    assert (clip.parent / "clip-emotions.csv").exists()
    dialog.reject()
    assert not dialog.isVisible()
