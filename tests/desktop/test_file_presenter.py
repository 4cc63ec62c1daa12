"""The file page with the real player, the real worker and a tiny network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTabBar

from fer_core.analysis.model import LoadedModel
from fer_core.analysis.timeline import ModelUsed
from fer_core.config import (
    AudioConfig,
    FERConfig,
    FusionConfig,
    TemporalConfig,
    Thresholds,
    VisionConfig,
)
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox
from fer_core.predictor import Predictor
from fer_core.weights import new_model
from fer_desktop import file_presenter
from fer_desktop.file_presenter import FilePresenter
from fer_desktop.playback import analysis_worker
from fer_desktop.playback.recent_files import RecentFiles
from fer_desktop.settings import Settings
from fer_desktop.ui.export_dialog import ExportDialog
from fer_desktop.ui.main_window import MainWindow

# Without pytest-qt's log: a handler in Python of what Qt Multimedia's threads say is a deadlock.
pytestmark = [pytest.mark.usefixtures("no_thread_stays"), pytest.mark.no_qt_log]
TINY = FERConfig(
    name="tiny",
    audio=AudioConfig(width=16, layers=1, heads=2, subsampling_channels=8),
    vision=VisionConfig(width=16, layers=1, heads=2, mlp=32),
    temporal=TemporalConfig(conv_layers=1, attention_layers=1, heads=2),
    fusion=FusionConfig(width=16, layers=3, heads=2, key_value_heads=1),
    thresholds=Thresholds(min_speech_s=0.0),  # a tone counts as heard
)


class Network(Predictor):
    """A real one, tiny, that finds everybody angry; waits while ``go_on`` is cleared."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        model = new_model(TINY, seed=0)
        for last in (
            model.classifier.mlp[-1],
            *(head[-1] for part in (model.audio_head, model.video_head) for head in part.heads),
        ):
            last.weight.data.zero_()
            last.bias.data.zero_()
        for head in model.audio_head.heads:
            head[-1].bias.data[EMOTIONS.index("angry")] = 3.0
        super().__init__(model)
        self.go_on = threading.Event()
        self.go_on.set()
        self.windows: list[float] = []
        self.fault: UserError | None = None

    def answers(self, clips, seen, listener=None):
        self.go_on.wait(20)
        self.windows += [clip.start_s for clip in clips]
        return super().answers(clips, seen, listener)


class Desk(SimpleNamespace):
    window: MainWindow
    presenter: FilePresenter
    network: Network
    recent: RecentFiles
    analysed: dict[Path, Path]


@pytest.fixture
def desk(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripted) -> Iterator[Desk]:
    network = Network()

    def load(folder: Path | None, device: str) -> LoadedModel:
        if network.fault is not None:
            raise network.fault
        return LoadedModel(network, ModelUsed("scripted", "compact", "0" * 64))

    monkeypatch.setattr(file_presenter, "open_file_model", load)
    monkeypatch.setattr("fer_core.analysis.encoded_frames.FaceDetector", _NoFaces)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    window = MainWindow(Settings(theme="dark"))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitActive(window).__enter__()
    recent = RecentFiles(tmp_path / "recent.json")
    window.tool_row.open.offer(recent)
    analysed: dict[Path, Path] = {}
    presenter = FilePresenter(window, recent, analysed)
    window.open_requested.connect(presenter.open)
    yield Desk(
        window=window, presenter=presenter, network=network, recent=recent, analysed=analysed
    )
    network.go_on.set()
    presenter.close()


class _NoFaces:
    def __init__(self, everybody: bool) -> None: ...

    def __enter__(self) -> _NoFaces:
        return self

    def __exit__(self, *_: object) -> None: ...

    def detect(self, image: np.ndarray) -> list:
        return []

    def close(self) -> None: ...


class _TwoFaces(_NoFaces):
    """One on the left, in every picture; a smaller one on the right comes and stays."""

    def __init__(self, everybody: bool) -> None:
        self._looked = 0

    def detect(self, image: np.ndarray) -> list:
        self._looked += 1
        left, right = FaceBox(10, 10, 40, 40, 0.9), FaceBox(100, 12, 30, 30, 0.9)
        return [left] if self._looked < 24 else [left, right]


@pytest.fixture
def film(write_film: Callable[..., Path]) -> Path:
    return write_film("long.mp4", seconds=12, sound="aac")


def test_a_file_opens_on_its_page_plays_and_fills_with_results(desk, film, until):
    desk.window.open_requested.emit(film)
    assert desk.window.page == "file"
    assert desk.window.tool_row.file.text() == film.name
    page, presenter = desk.presenter.page, desk.presenter
    until(lambda: presenter.timeline is not None, 60)
    until(lambda: presenter.player.position_s > 0.3, 30)
    assert page.video.has_frame()
    assert page.timeline.table.end_s == pytest.approx(12, abs=0.1)
    until(lambda: page.bars.accessibleDescription().startswith("angry 74%"), 30)
    assert page.video.emotion[0] == EMOTIONS.index("angry")
    assert page.analysis.words.text().startswith("Analysed")
    assert desk.window.command("export").isEnabled()
    assert desk.recent.all == (film,)
    assert not desk.window.notices.keys()


def test_another_strength_smooths_the_files_timeline_once(desk, monkeypatch):
    table = desk.presenter.page.timeline.table
    strengths: list[float] = []
    monkeypatch.setattr(table, "smooth", strengths.append)
    desk.window.smoothing.setValue(90)
    assert strengths == [0.9]


def test_before_there_are_results_it_says_analysing(desk, film, until):
    desk.network.go_on.clear()
    desk.presenter.open(film)
    page = desk.presenter.page
    until(page.video.has_frame, 30)
    until(lambda: "Analysing" in page.bars.accessibleDescription())
    assert page.video.emotion is None
    assert not desk.window.command("export").isEnabled()


def test_cancelled_it_waits_and_goes_on_where_it_was(desk, film, until, qtbot):
    desk.presenter.open(film)
    results, network = desk.presenter.results, desk.network
    until(lambda: network.windows, 30)
    qtbot.keyClick(desk.window, Qt.Key.Key_C)
    page = desk.presenter.page
    assert page.analysis.words.text() == "Analysis cancelled"
    if desk.presenter.timeline is None:
        qtbot.wait(300)
        stood = len(network.windows)
        qtbot.wait(300)
        assert len(network.windows) <= stood + 1
        qtbot.keyClick(desk.window, Qt.Key.Key_C)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert len(network.windows) == len(set(network.windows)), "no window is seen twice"
    assert results.duration_s == pytest.approx(12, abs=0.1)


def test_back_to_the_camera_pauses_and_the_same_file_comes_back_as_it_was(desk, film, until, qtbot):
    desk.presenter.open(film)
    until(lambda: desk.presenter.player.position_s > 0.2, 30)
    qtbot.keyClick(desk.window, Qt.Key.Key_Escape)
    assert desk.window.page == "live"
    assert not desk.presenter.player.playing
    found = len(desk.presenter.results)
    desk.presenter.open(film)
    assert desk.window.page == "file"
    assert len(desk.presenter.results) >= found
    until(lambda: desk.presenter.timeline is not None, 60)


@pytest.mark.parametrize(
    ("key", "modifier", "from_s", "to_s"),
    [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 2.0, 7.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 7.0, 2.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 2.0, 0.0),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 2.0, 3.0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 3.0, 2.0),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 2.0, 0.0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 2.0, 12.0),
        (Qt.Key.Key_Period, Qt.KeyboardModifier.NoModifier, 2.0, 2.04),
        (Qt.Key.Key_Comma, Qt.KeyboardModifier.NoModifier, 2.0, 1.96),
    ],
)
def test_keys_move_the_playhead(desk, film, until, qtbot, key, modifier, from_s, to_s):
    player = desk.presenter.player
    player.open(film)
    player._play_once_open = False
    desk.window.show_page("file", film.name)
    desk.presenter._poll_timer.start()
    until(lambda: desk.presenter.page.video.has_frame(), 30)
    player.seek(from_s)
    until(lambda: player._goal is not None and not player._goal.waiting, 30)
    qtbot.keyClick(desk.window, key, modifier)
    until(lambda: player.position_s == pytest.approx(to_s, abs=0.02), 30)


def test_keys_play_and_change_speed_loop_and_sound(desk, film, until, qtbot):
    desk.presenter.open(film)
    player, window = desk.presenter.player, desk.window
    until(lambda: player.playing, 30)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert not player.playing
    qtbot.keyClick(window, Qt.Key.Key_BracketRight)
    assert player.rate == 1.25
    qtbot.keyClick(window, Qt.Key.Key_BracketLeft)
    qtbot.keyClick(window, Qt.Key.Key_BracketLeft)
    assert player.rate == 0.75
    for _ in range(9):
        qtbot.keyClick(window, Qt.Key.Key_BracketLeft)
    assert player.rate == 0.25
    qtbot.keyClick(window, Qt.Key.Key_Backspace)
    assert player.rate == 1.0
    qtbot.keyClick(window, Qt.Key.Key_U)
    assert player.sound.muted
    before = player.sound.volume
    qtbot.keyClick(window, Qt.Key.Key_Down)
    assert player.sound.volume == pytest.approx(before - 0.1, abs=0.02)
    assert desk.presenter.page.transport.volume.value() == pytest.approx(100 * before - 10, abs=2)
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert player.looping
    assert window.command("loop").isChecked()


def test_in_and_out_select_and_x_clears(desk, film, until, qtbot):
    desk.presenter.open(film)
    player, window = desk.presenter.player, desk.window
    until(lambda: player.playing, 30)
    player.pause()
    player.seek(2.0)
    qtbot.keyClick(window, Qt.Key.Key_I)
    assert player.selection == (2.0, player.duration_s)
    player.seek(5.0)
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert player.selection == (2.0, 5.0) == desk.presenter.page.timeline.selection
    player.seek(8.0)
    qtbot.keyClick(window, Qt.Key.Key_I)
    assert player.selection == (8.0, player.duration_s), "behind its old end it goes to the end"
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert player.selection is None


def test_a_focused_slider_keeps_its_arrows(desk, film, until, qtbot):
    desk.presenter.open(film)
    player, slider = desk.presenter.player, desk.presenter.page.transport.volume
    until(lambda: player.playing, 30)
    player.pause()
    player.seek(6.0)
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert slider.value() < before
    assert player.position_s == 6.0


def test_a_click_on_the_timeline_goes_there(desk, film, until):
    desk.presenter.open(film)
    until(lambda: desk.presenter.player.playing, 30)
    desk.presenter.player.pause()
    desk.presenter.page.timeline.seek_requested.emit(4.5)
    until(lambda: desk.presenter.player.position_s == 4.5)
    until(lambda: desk.presenter.page.transport.place.value() == pytest.approx(4500, abs=30))


def test_m_marks_the_moment(desk, film, until, qtbot):
    desk.presenter.open(film)
    until(lambda: desk.presenter.player.playing, 30)
    desk.presenter.player.pause()
    desk.presenter.player.seek(3.0)
    qtbot.keyClick(desk.window, Qt.Key.Key_M)
    page = desk.presenter.page
    assert page.sides.currentWidget() is page.markers
    assert page.markers.table.rowCount() == 1


def test_sound_alone_has_a_calm_page(desk, write_film, until):
    path = write_film("calm.mp3", codec=None, sound="mp3", seconds=4)
    desk.presenter.open(path)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert "Sound only" in desk.presenter.page.video.accessibleDescription()
    assert not desk.window.notices.keys()


def test_what_is_no_film_is_one_notice_and_a_calm_page(desk, tmp_path, until):
    path = tmp_path / "letter.mp4"
    path.write_text("Dear all, " * 99)
    desk.presenter.open(path)
    until(lambda: desk.window.notices.keys(), 30)
    assert desk.window.notices.keys() == ("file",)
    assert "cannot be opened" in desk.presenter.page.video.accessibleDescription()
    assert desk.recent.all == ()
    assert desk.window.notices.retryable() == ("file",)


def test_a_recent_file_that_has_gone_says_so_and_leaves_the_list(desk, tmp_path, until):
    gone = tmp_path / "gone.mp4"
    desk.recent.add(gone)
    desk.presenter.open(gone)
    until(lambda: desk.window.notices.keys() == ("file",), 30)
    assert "There is no file" in desk.window.notices.text("file")
    assert desk.recent.all == ()


def test_what_is_opened_when_people_have_left_it_is_not_analysed_behind_their_back(
    desk, film, until
):
    desk.window.open_requested.emit(film)
    desk.window.command("live").trigger()  # before the file is open
    until(lambda: desk.presenter.player.info is not None, 30)
    time.sleep(0.3)
    assert not desk.network.windows
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None, 60)


def test_without_a_model_the_file_plays_all_the_same(desk, film, until):
    desk.network.fault = UserError("The model is damaged.", "Choose another.")
    desk.presenter.open(film)
    until(lambda: desk.window.notices.keys() == ("analysis",), 30)
    until(lambda: desk.presenter.player.position_s > 0.2, 30)
    until(lambda: "No results" in desk.presenter.page.bars.accessibleDescription(), 30)
    desk.network.fault = None
    desk.window.retry_requested.emit("analysis")
    until(lambda: desk.presenter.timeline is not None, 60)


def test_why_there_was_no_analysis_is_told_no_more_once_there_is_one(desk, film, until):
    desk.network.fault = UserError("There is no model in /nowhere.", "Choose another.")
    desk.presenter.open(film)
    until(lambda: desk.window.notices.keys() == ("analysis",), 30)
    desk.network.fault = None
    desk.window.change(model="/somewhere")
    until(lambda: desk.presenter.timeline is not None, 60)
    assert not desk.window.notices.keys()


def test_another_file_begins_with_nothing_of_the_last_one(desk, film, write_film, until):
    desk.presenter.open(film)
    until(lambda: desk.presenter.timeline is not None, 60)
    other = write_film("film.mkv")
    desk.presenter.open(other)
    assert len(desk.presenter.results) == 0
    assert desk.presenter.timeline is None
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.timeline.source.path == str(other)
    assert desk.recent.all == (other, film)


def test_another_model_analyses_anew(desk, film, until):
    desk.presenter.open(film)
    until(lambda: desk.presenter.timeline is not None, 60)
    desk.window.change(device="cpu")
    until(lambda: desk.presenter.timeline is not None, 60)
    assert len(desk.network.windows) == 2 * len(set(desk.network.windows))


def test_the_volume_is_remembered(desk, film, until):
    desk.presenter.open(film)
    until(lambda: desk.presenter.player.playing, 30)
    desk.presenter.player.sound.set_volume(0.35)
    desk.presenter.leave()
    assert desk.window.settings.volume == pytest.approx(0.35, abs=0.01)


def test_another_model_waits_while_the_camera_is_shown(desk, film, until):
    window = desk.window
    window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None)
    before = desk.presenter.timeline
    window.live_requested.emit()
    window.change(device="cpu")
    asked = len(desk.network.windows)
    desk.presenter._cancel_or_go_on()  # the key C, twice
    desk.presenter._cancel_or_go_on()
    time.sleep(0.5)
    assert len(desk.network.windows) == asked, "what computes is the session's"
    window.open_requested.emit(film)
    assert not window.command("export").isEnabled(), "the old model's results are none of the new"
    until(lambda: desk.presenter.timeline is not None)
    assert desk.presenter.timeline is not before


def test_a_file_that_has_grown_is_analysed_anew(desk, film, write_film, until):
    whole = film.read_bytes()
    short = write_film("short.mkv", seconds=1.0).read_bytes()
    film.write_bytes(short)
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None)
    first_s = desk.presenter.timeline.source.duration_s
    desk.window.live_requested.emit()
    film.write_bytes(whole)
    desk.window.open_requested.emit(film)
    until(
        lambda: (
            desk.presenter.timeline is not None
            and desk.presenter.timeline.source.duration_s > first_s + 0.5
        )
    )


def test_opening_another_file_does_not_wait_for_the_analysis(
    desk, film, write_film, until, monkeypatch
):
    monkeypatch.setattr(analysis_worker, "CLOSE_SECONDS", 60.0)
    desk.network.go_on.clear()
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.worker._thread is not None)
    before = desk.presenter.worker._thread
    desk.window.open_requested.emit(write_film("b.mkv"))
    assert before.is_alive(), "it is inside the network for 20 s, and nobody waited"
    desk.network.go_on.set()


@pytest.mark.parametrize("key", [Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home])
def test_a_focused_list_of_markers_keeps_its_keys(desk, film, until, qtbot, key):
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None)
    player = desk.presenter.player
    player.pause()
    player.seek(1.0)
    volume = player.sound.volume
    desk.presenter.page.show_markers()
    table = desk.presenter.page.markers.findChild(QAbstractItemView)
    table.setFocus()
    qtbot.keyClick(table, key)
    assert (player.sound.volume, player.position_s) == (volume, pytest.approx(1.0, abs=0.2))


def test_focused_tabs_keep_their_arrows(desk, film, until, qtbot):
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None)
    desk.presenter.player.pause()
    desk.presenter.player.seek(0.0)
    tabs = desk.presenter.page.findChild(QTabBar)
    tabs.setCurrentIndex(0)
    tabs.setFocus()
    qtbot.keyClick(tabs, Qt.Key.Key_Right)
    assert tabs.currentIndex() == 1
    assert desk.presenter.player.position_s == pytest.approx(0.0, abs=0.2)


def test_a_file_that_was_cut_off_is_as_long_as_what_was_found_in_it(desk, cut_film, until):
    player, page = desk.presenter.player, desk.presenter.page
    desk.network.go_on.clear()
    desk.window.open_requested.emit(cut_film)
    until(lambda: player.playing, 30)
    player.pause()
    page.timeline.set_selection(2.0, 5.9)
    desk.window.command("end").trigger()
    until(lambda: "not come this far" in page.bars.accessibleDescription())
    assert player.position_s == player.duration_s == 6.0
    desk.network.go_on.set()
    until(lambda: desk.presenter.timeline is not None, 60)
    end_s = desk.presenter.timeline.source.duration_s
    assert 3 < end_s < 5
    assert player.position_s == player.duration_s == page.timeline.shown()[1] == end_s
    assert player.selection == (2.0, end_s)
    assert page.transport.place.maximum() == round(1000 * end_s)
    until(lambda: page.transport.place.value() == round(1000 * end_s))
    until(lambda: page.bars.accessibleDescription().startswith("Nothing to judge"))


@pytest.fixture
def recording(film, say_live, tmp_path) -> Path:
    video = tmp_path / "2026-11-21_14-03-05.mp4"
    video.write_bytes(film.read_bytes())
    say_live(video, seconds=12)
    return video


def test_a_recording_shows_at_once_what_was_said_live(desk, recording, until):
    desk.window.open_requested.emit(recording)
    until(lambda: desk.presenter.timeline is not None, 30)
    assert desk.network.windows == [], "nothing is computed again"
    assert desk.presenter.results.at(5.0).emotion == "sad"
    assert desk.presenter.page.analysis.words.text() == "As said live"
    assert desk.window.command("export").isEnabled()
    assert not desk.window.notices.keys()


def test_a_recording_is_analysed_anew_when_that_is_asked_for(desk, recording, until, qtbot):
    desk.window.open_requested.emit(recording)
    until(lambda: desk.presenter.timeline is not None, 30)
    assert desk.presenter.page.analysis.button.text() == "Analyse anew"
    qtbot.keyClick(desk.window, Qt.Key.Key_C)
    assert not desk.window.command("export").isEnabled()
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.results.at(5.0).emotion == "angry"
    assert desk.presenter.page.analysis.words.text() == "Analysed"


def test_another_model_analyses_a_recording_too(desk, recording, until):
    desk.window.open_requested.emit(recording)
    until(lambda: desk.presenter.timeline is not None, 30)
    desk.window.change(device="cpu")
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.results.at(5.0).emotion == "angry"


def test_a_recording_whose_answers_are_damaged_is_analysed(desk, recording, until):
    recording.with_suffix(".jsonl").write_text('{"recording": 1}\n{"model": 3}\n')
    desk.window.open_requested.emit(recording)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.results.at(5.0).emotion == "angry"
    assert not desk.window.notices.keys()


def test_a_file_that_was_analysed_before_shows_its_answers_at_once(
    desk, film, answered, until, qtbot
) -> None:
    desk.analysed[film] = answered(film)
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None, 30)
    assert desk.network.windows == [], "nothing is computed again"
    assert desk.presenter.results.at(1.0).emotion == "sad"
    assert desk.presenter.page.analysis.words.text() == "As analysed before"
    qtbot.keyClick(desk.window, Qt.Key.Key_C)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.results.at(1.0).emotion == "angry"


def test_who_goes_back_to_a_file_finds_it_analysed(desk, film, write_film, until):
    other = write_film("film.mkv")
    for path in (film, other):
        desk.window.open_requested.emit(path)
        until(lambda: desk.presenter.timeline is not None, 60)
    asked = len(desk.network.windows)
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert len(desk.network.windows) == asked, "nothing is computed again"
    assert desk.presenter.timeline.source.path == str(film)
    assert desk.presenter.results.at(11.0).emotion == "angry"
    assert desk.presenter.page.analysis.words.text() == "As analysed before"
    desk.window.change(device="cpu")
    until(lambda: desk.presenter.timeline is not None, 60)
    desk.window.open_requested.emit(other)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.page.analysis.words.text() == "Analysed", "as another device computes"


@pytest.fixture
def two_people(desk, film, until, monkeypatch) -> SimpleNamespace:
    """The file of two, analysed; what it says of the largest face is shown."""
    monkeypatch.setattr("fer_core.analysis.encoded_frames.FaceDetector", _TwoFaces)
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None, 60)
    desk.presenter.player.pause()
    choice = desk.presenter.page.analysis.faces
    desk.pick = lambda place: (choice.setCurrentIndex(place), choice.activated.emit(place))
    desk.offered = lambda: [choice.itemText(place) for place in range(choice.count())]
    desk.choice = choice
    return desk


def test_another_person_than_the_largest_can_be_looked_at(two_people, until):
    desk, presenter = two_people, two_people.presenter
    assert desk.offered() == ["Largest face", "Each face"]
    assert {s.face.x for s in presenter.results.segments} == {10}
    presenter.player.seek(0.5)
    desk.pick(1)
    assert not desk.window.command("export").isEnabled()
    until(lambda: presenter.timeline is not None, 60)
    assert desk.offered()[0] == "Largest face"
    assert desk.offered()[1].startswith("Face 0: 12 s from 0:00")
    assert desk.offered()[2].startswith("Face 1: ")
    assert desk.choice.currentIndex() == 1
    assert {s.face.x for s in presenter.results.segments} == {10}

    desk.pick(2)
    assert presenter.timeline.face_id == 1
    assert {s.face.x for s in presenter.results.segments if s.face} == {100}
    assert presenter.page.timeline.table.end_s == pytest.approx(12, abs=0.1)
    assert presenter.results.at(presenter.player.position_s).seen, "went to where it is seen"
    desk.window.command("export").trigger()
    (dialog,) = desk.window.findChildren(ExportDialog)
    assert dialog.name.text() == "long-emotions-face-1"
    dialog.reject()

    desk.pick(0)
    until(lambda: presenter.timeline is not None, 60)
    assert presenter.timeline.face_id is None
    answers = presenter.timeline
    desk.pick(0)  # the list was opened to be read
    assert presenter.timeline is answers
    assert desk.offered() == ["Largest face", "Each face"]


def test_while_each_face_is_looked_at_nothing_is_said_of_the_sound_alone(two_people, until):
    desk, presenter = two_people, two_people.presenter
    desk.network.go_on.clear()
    desk.pick(1)
    until(lambda: "at the end" in presenter.page.bars.accessibleDescription())
    assert desk.choice.currentText() == "Each face"
    assert len(presenter.results) == 0
    desk.network.go_on.set()
    until(lambda: presenter.timeline is not None, 60)


def test_the_next_file_begins_with_the_largest_face(two_people, write_film, until):
    desk, presenter = two_people, two_people.presenter
    desk.pick(1)
    until(lambda: presenter.timeline is not None, 60)
    desk.window.open_requested.emit(write_film("film.mkv"))
    assert not desk.choice.isVisible(), "the faces of the file before are none of this one's"
    until(lambda: presenter.timeline is not None, 60)
    assert desk.choice.isVisible()
    assert presenter.timeline.face_id is None
    assert desk.offered() == ["Largest face", "Each face"]


def test_who_goes_back_to_a_file_of_several_finds_the_largest_face(two_people, write_film, until):
    desk, presenter = two_people, two_people.presenter
    desk.pick(1)
    until(lambda: presenter.timeline is not None, 60)
    path = presenter.player.path
    for next_one in (write_film("film.mkv"), path):
        desk.window.open_requested.emit(next_one)
        until(lambda: presenter.timeline is not None, 60)
    assert presenter.page.analysis.words.text() == "As analysed before"
    assert presenter.timeline.face_id is None
    assert desk.offered() == ["Largest face", "Each face"]


def test_of_a_file_without_a_face_the_sound_is_told_when_each_is_wanted(desk, film, until):
    desk.window.open_requested.emit(film)
    until(lambda: desk.presenter.timeline is not None, 60)
    desk.presenter.page.analysis.face_picked.emit(1)
    until(lambda: desk.presenter.timeline is not None, 60)
    assert desk.presenter.page.analysis.faces.currentText() == "Each face"
    assert desk.presenter.results.at(5.0).emotion == "angry", "what the sound says"


def test_of_sound_alone_no_face_is_offered(desk, write_film, until):
    desk.presenter.open(write_film("calm.mp3", codec=None, sound="mp3", seconds=4))
    until(lambda: desk.presenter.timeline is not None, 60)
    assert not desk.presenter.page.analysis.faces.isVisible()


def test_a_file_goes_on_where_it_was_left_also_after_a_restart(
    desk, film, write_film, until, qtbot
):
    player = desk.presenter.player
    desk.window.open_requested.emit(film)
    until(lambda: player.playing, 30)
    player.pause()
    player.seek(6.5)
    desk.window.open_requested.emit(write_film("film.mkv"))
    until(lambda: player.playing, 30)
    desk.presenter.close()
    assert RecentFiles(desk.recent._kept_in).place_s(film) == 6.5

    again = FilePresenter(desk.window, RecentFiles(desk.recent._kept_in), desk.analysed)
    again.open(film)
    until(lambda: again.player.playing and again.player.position_s > 6.6, 30)
    again.player.pause()
    until(lambda: again.player._shown is not None and again.player._shown[0] > 6.4, 30)
    assert again.player._offset_s == pytest.approx(0.0, abs=0.1), "the film's own clock"
    assert again.player.position_s < 11.9
    again.player.seek(11.0)
    again.close()
    assert RecentFiles(desk.recent._kept_in).place_s(film) == 0, "its end is no place to go on"
