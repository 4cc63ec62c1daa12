"""What people see of a session, with the real window and scripted devices."""

from __future__ import annotations

import dataclasses
import json
import random
import threading

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QInputDialog

from fer_core.errors import UserError
from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox
from fer_desktop import live_presenter
from fer_desktop.live.recent_media import SeenFrame
from fer_desktop.live.report import Report
from fer_desktop.live.session import LiveSession
from fer_desktop.live_presenter import LivePresenter
from fer_desktop.settings import MODES, Settings
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.theme import colours_of

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture
def window(qtbot):
    window = MainWindow(Settings(smoothing=0.0, theme="dark"))
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def predictor(scripted):
    return scripted.Predictor()


@pytest.fixture
def sources(scripted):
    return scripted.Sources()


@pytest.fixture
def report_path(tmp_path):
    return tmp_path / "report.json"


@pytest.fixture
def presenter(window, sources, predictor, scripted, report_path, monkeypatch, until):
    monkeypatch.setattr(
        live_presenter, "open_model", lambda *_: (predictor, scripted.state("scripted"))
    )
    session = LiveSession(make_detector=scripted.Detector)
    presenter = LivePresenter(window, sources, Report(report_path, {}), session)
    presenter.load_model()
    presenter.find_devices()
    until(lambda: not session.searching and "scripted" in window.status_line.model.text())
    yield presenter
    presenter.close()


def shown(window: MainWindow) -> set[str]:
    """The keys of the notices in the strip."""
    return set(window.notices.keys())


def bars_say(window: MainWindow) -> str:
    return window.bars.accessibleDescription()


def colour_share(window: MainWindow, emotion: int) -> float:
    """The part of this emotion's tallest cell that its colour fills."""
    image = window.bars.grab().toImage()
    colour = QColor(colours_of(window.bars).emotions[emotion])
    cell = window.bars.cell_rect(emotion, 4)
    x = round(cell.center().x())
    column = [image.pixelColor(x, y) for y in range(round(cell.top()), round(cell.bottom()))]
    return sum(pixel == colour for pixel in column) / len(column)


def test_the_bars_are_as_high_as_what_was_predicted(presenter, window, predictor, until):
    for winner in (2, 6):
        predictor.winner = winner
        window.start_requested.emit()
        until(lambda winner=winner: bars_say(window).startswith(f"{EMOTIONS[winner]} 72%"))
        expected = pytest.approx(0.72, abs=0.06)  # as soon as they are painted
        until(lambda winner=winner, expected=expected: colour_share(window, winner) == expected)
        assert colour_share(window, 0) < 0.1
        window.stop_requested.emit()


@pytest.mark.parametrize(
    ("trained_on", "brief"),
    [
        ("ravdess, 960 items: Everything trains. ferplus, 28,285 items: Its parts.",
         "scripted · trained on ravdess and ferplus"),
        ("Somebody's voices", "scripted · Somebody's voices"),
        (None, "scripted · untrained"),
    ],
)  # fmt: skip
def test_the_status_line_names_who_taught_the_model_and_its_tooltip_tells_how(
    presenter, window, scripted, trained_on, brief
):
    state = scripted.state()
    config = dataclasses.replace(state.config, trained_on=trained_on)
    presenter.session.model_loaded.emit(dataclasses.replace(state, config=config))
    assert window.status_line.model.text() == brief
    assert (trained_on or "untrained") in window.status_line.model.toolTip()
    assert window.untrained.isVisible() is (trained_on is None)


def test_start_to_stop(presenter, window, sources, until):
    window.start_requested.emit()
    until(lambda: window.state == "running" and "happy" in bars_say(window))
    assert not shown(window)
    window.stop_requested.emit()
    assert window.state == "stopped"
    assert "No session" in bars_say(window)
    until(lambda: not sources.cameras["one"].is_open)


def test_without_any_device_both_are_told_and_retry_starts_once_they_are_there(
    presenter, window, sources, until
):
    everything, sources.plugged = sources.plugged, set()
    presenter.find_devices()
    until(lambda: not presenter.session.searching)
    window.start_requested.emit()
    assert window.state == "stopped"
    assert set(window.notices.retryable()) == {"camera", "microphone"}
    assert "No camera is plugged in." in window.notices.text("camera")
    sources.plugged = everything
    window.command("retry").trigger()  # R
    until(lambda: window.state == "running")
    assert not shown(window)


def test_without_a_microphone_the_camera_goes_on_and_is_not_disturbed_by_its_retry(
    presenter, window, sources, until
):
    sources.plugged = {"one"}
    presenter.find_devices()
    until(lambda: not presenter.session.searching)
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    assert window.notices.retryable() == ("microphone",)
    sources.plugged.add("left")
    window.retry_requested.emit("microphone")
    until(lambda: sources.microphones["left"].is_open)
    assert not shown(window)
    assert sources.cameras["one"].opened == 1


@pytest.mark.parametrize(("runs", "missing"), [("two", "left"), ("right", "one")])
def test_retry_of_what_is_missing_leaves_the_list_naming_what_runs(
    presenter, window, sources, until, runs, missing
):
    sources.plugged = {runs}
    presenter.find_devices()
    until(lambda: not presenter.session.searching)
    window.start_requested.emit()
    until(lambda: window.state == "running")
    sources.plugged = {"one", "two", "left", "right"}  # also one that would be the list's first
    window.command("retry").trigger()
    until(lambda: not shown(window) and not presenter.session.searching)
    assert {window.camera(), window.microphone()} == {runs, missing}


def test_what_is_chosen_while_microphones_are_looked_for_again_holds(
    presenter, window, sources, until
):
    sources.plugged = {"one"}
    presenter.find_devices()
    until(lambda: not presenter.session.searching)
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    sources.listed.clear()  # a slow sound system
    window.retry_requested.emit("microphone")
    window.tool_row.mode_picked.emit("microphone")
    sources.plugged.add("left")
    sources.listed.set()
    until(lambda: not presenter.session.searching)
    until(lambda: sources.microphones["left"].is_open)
    assert presenter.session.camera is None


def test_the_next_face_is_followed_by_key(presenter, window, until):
    left, right = FaceBox(10, 10, 20, 20, 0.9), FaceBox(60, 10, 30, 30, 0.9)
    window.start_requested.emit()
    until(lambda: window.video.has_frame())
    asked = []
    presenter.session.lock_face = lambda x, y: asked.append((x, y))
    frame = presenter.session.recent.newest().frame
    for face, others in ((right, (left,)), (left, (right,)), (None, (left, right)), (None, ())):
        presenter.session.recent.newest = lambda face=face, others=others: SeenFrame(
            frame, face, others
        )
        window.command("next_face").trigger()
    assert asked == [(20, 20), (75, 25), (75, 25)], "a mirror shows the right one on the left"


def test_a_camera_that_is_unplugged_and_comes_back(presenter, window, sources, until, monkeypatch):
    monkeypatch.setattr(live_presenter, "OUTDATED_SECONDS", 0.2)
    window.start_requested.emit()
    until(lambda: window.video.has_frame())
    camera = sources.cameras["one"]
    camera.fault = UserError("One was unplugged.", "Plug it in again.")
    until(lambda: "camera" in shown(window))
    assert "One was unplugged. Plug it in again." in window.notices.text("camera")
    until(lambda: not window.video.has_frame())  # an old picture would look like now
    assert window.state == "running"
    camera.fault = None
    until(lambda: window.video.has_frame())
    until(lambda: not shown(window))


def test_a_microphone_that_fails_in_mid_session_and_comes_back(presenter, window, sources, until):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    sources.microphones["left"].fault = UserError("Left was unplugged.", "Plug it in again.")
    until(lambda: "microphone" in shown(window))
    sources.microphones["left"].fault = None
    window.retry_requested.emit("microphone")
    until(lambda: not shown(window))


def test_overflows_are_counted(presenter, window, sources, until):
    window.start_requested.emit()
    until(lambda: sources.microphones["left"].is_open)
    sources.microphones["left"].lost = True
    until(lambda: presenter.session.recent.audio_losses == 1)
    window.stop_requested.emit()
    assert presenter.statistics.audio_overflows == 1


def test_neither_face_nor_voice(presenter, window, predictor, until):
    predictor.does = "nothing"
    window.start_requested.emit()
    until(lambda: "Nothing to judge" in bars_say(window))
    assert window.video.badges == ("no voice", "no face")


def test_failing_predictions_leave_no_old_answer_on_the_bars(presenter, window, predictor, until):
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    predictor.does = "fail"
    until(lambda: "inference" in window.notices.retryable())
    assert "No predictions" in bars_say(window)
    predictor.does = "answer"
    window.retry_requested.emit("inference")
    until(lambda: "happy" in bars_say(window))
    assert not shown(window)


def test_a_model_that_cannot_be_loaded_and_then_can(
    presenter, window, monkeypatch, scripted, until
):
    def fail(*_):
        raise UserError("The weights are damaged.", "Choose another model.")

    monkeypatch.setattr(live_presenter, "open_model", fail)
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    presenter.load_model()
    assert "happy" not in bars_say(window), "the old model's answer"
    until(lambda: "model" in window.notices.retryable())
    assert "No model" in bars_say(window)
    loads = scripted.Predictor(winner=4), scripted.state("other")
    presenter.session.use_model(lambda: loads)
    until(lambda: "angry" in bars_say(window))


def test_retry_loads_the_model_again(window, sources, scripted, monkeypatch, until):
    attempts = iter([UserError("No weights."), None])

    def load(*_):
        if error := next(attempts):
            raise error
        return scripted.Predictor(), scripted.state("found")

    monkeypatch.setattr(live_presenter, "open_model", load)
    presenter = LivePresenter(window, sources, None, LiveSession(None, scripted.Detector))
    presenter.load_model()
    until(lambda: "model" in window.notices.retryable())
    window.retry_requested.emit("model")
    until(lambda: "found" in window.status_line.model.text())
    assert not shown(window)
    presenter.close()


def test_choosing_another_device_keeps_clock_timeline_and_the_other_device(
    presenter, window, sources, until
):
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    origin = presenter.session.origin_s
    window.tool_row.cameras.setCurrentIndex(1)
    window.tool_row.cameras.picked.emit("two")
    until(lambda: sources.cameras["two"].is_open and not sources.cameras["one"].is_open)
    window.tool_row.microphones.setCurrentIndex(1)
    window.tool_row.microphones.picked.emit("right")
    until(lambda: sources.microphones["right"].is_open)
    assert presenter.session.origin_s == origin
    assert sources.cameras["two"].opened == 1


def test_a_network_camera_can_be_typed_and_is_remembered(
    presenter, window, sources, until, monkeypatch
):
    address = "http://192.168.1.7:8080/video"
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: (f" {address} ", True))
    window.start_requested.emit()
    cameras = window.tool_row.cameras
    cameras.activated.emit(cameras.count() - 1)
    until(lambda: address in sources.cameras and sources.cameras[address].is_open)
    assert window.camera() == window.settings.camera == address
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    cameras.activated.emit(cameras.count() - 1)
    assert window.camera() == address, "cancelled: nothing changes"


def test_a_mode_opens_and_closes_only_what_it_is_about(presenter, window, sources, until):
    window.start_requested.emit()
    until(lambda: window.video.has_frame())
    window.tool_row.mode_picked.emit("microphone")
    until(lambda: not sources.cameras["one"].is_open)
    assert not window.video.has_frame()
    window.tool_row.mode_picked.emit("both")
    until(lambda: window.video.has_frame())
    assert sources.microphones["left"].opened == 1


def test_a_paused_session_stays_paused_when_a_device_is_changed(
    presenter, window, sources, predictor, until, qtbot
):
    window.start_requested.emit()
    until(lambda: "happy" in bars_say(window))
    window.pause_requested.emit()
    window.tool_row.mode_picked.emit("camera")
    until(lambda: not sources.microphones["left"].is_open)
    before = len(predictor.clips)
    qtbot.wait(500)
    assert window.state == "paused"
    assert len(predictor.clips) <= before + 1, "one may have been under way"


def test_start_waits_for_the_list_of_microphones_but_not_for_ever(
    presenter, window, sources, until, monkeypatch
):
    sources.listed.clear()
    presenter._patience.setInterval(200)
    presenter.find_devices()
    window.set_microphones(())
    window.start_requested.emit()
    assert window.state == "starting"
    until(lambda: window.state == "running")
    assert "does not answer" in window.notices.text("microphone")
    sources.listed.set()
    until(lambda: not presenter.session.searching)


def test_stop_while_the_microphones_are_listed_starts_nothing(presenter, window, sources, until):
    sources.listed.clear()
    presenter.find_devices()
    window.start_requested.emit()
    window.stop_requested.emit()
    sources.listed.set()
    until(lambda: not presenter.session.searching)
    assert window.state == "stopped"
    assert presenter.session.camera is None


def test_closing_while_the_microphones_are_listed_starts_nothing(
    presenter, window, sources, until, qtbot
):
    sources.listed.clear()
    presenter.find_devices()
    window.start_requested.emit()
    presenter.close()
    sources.listed.set()
    until(lambda: not presenter.session.searching)
    qtbot.wait(20)
    assert presenter.session.camera is None
    assert presenter.session.microphone is None


def test_the_report_is_right_when_the_session_was_stopped_before_the_window(
    presenter, window, until, report_path
):
    window.start_requested.emit()
    until(lambda: presenter.statistics.predictions.count >= 3)
    window.stop_requested.emit()
    presenter.close()
    report = json.loads(report_path.read_text())
    assert len(report["predictions"]) >= 3
    assert report["stats"]["camera_fps"] > 10
    assert report["stats"]["latency_ms"]["median"] > 0
    assert report["stats"]["model"] == "scripted"


def test_a_report_tells_two_sessions_apart(presenter, window, until, report_path):
    for _ in range(2):
        window.start_requested.emit()
        until(lambda: presenter.statistics.predictions.count >= 2)
        window.stop_requested.emit()
    report = json.loads(report_path.read_text())
    assert {p["session"] for p in report["predictions"]} == {1, 2}
    for session in (1, 2):
        ends_s = [p["clip_end_s"] for p in report["predictions"] if p["session"] == session]
        assert ends_s == sorted(ends_s), "from each session's start"
    (earlier,) = report["earlier_stats"]
    assert (earlier["session"], report["stats"]["session"]) == (1, 2)
    assert earlier["camera_fps"] > 10


def test_a_full_disk_ends_the_report_and_nothing_else(presenter, window, until, report_path):
    resource = pytest.importorskip("resource")
    window.start_requested.emit()
    until(lambda: presenter.statistics.predictions.count >= 1)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (report_path.stat().st_size + 200, hard))
    try:
        until(lambda: "report" in shown(window))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    count = presenter.statistics.predictions.count
    until(lambda: presenter.statistics.predictions.count > count)
    assert json.loads(report_path.read_text())["predictions"], "what was written stays readable"


@pytest.mark.timeout(60)
def test_four_hundred_random_commands_leave_a_program_that_works(
    presenter, window, sources, predictor, until, qtbot
):
    chance = random.Random(20261121)
    unplugged = UserError("It was unplugged.", "Plug it in again.")

    def plug() -> None:
        device = chance.choice([*sources.cameras.values(), *sources.microphones.values()])
        device.fault = unplugged if device.fault is None else None

    def pick(what: str) -> None:
        combo = getattr(window.tool_row, what)
        combo.setCurrentIndex(chance.randrange(combo.count()))
        if combo.currentData() is not None:
            getattr(window, f"_pick_{what[:-1]}")(combo.currentData())

    commands = [
        window.command("start").trigger,
        window.command("start").trigger,
        window.command("pause").trigger,
        window.command("stop").trigger,
        window.command("retry").trigger,
        window.command("refresh").trigger,
        lambda: window.tool_row.mode_picked.emit(chance.choice(MODES)),
        lambda: pick("cameras"),
        lambda: pick("microphones"),
        lambda: window.face_clicked.emit(30.0, 20.0),
        plug,
        presenter.load_model,
        lambda: setattr(predictor, "does", chance.choice(["answer", "answer", "nothing", "fail"])),
    ]
    for _ in range(400):
        chance.choice(commands)()
        qtbot.wait(chance.choice([0, 0, 1, 5, 30]))
    for device in (*sources.cameras.values(), *sources.microphones.values()):
        device.fault = None
    predictor.does, predictor.winner = "answer", 7
    window.stop_requested.emit()
    until(lambda: not presenter.session.searching)
    window.tool_row.mode_picked.emit("both")
    window.start_requested.emit()
    until(lambda: "surprised 72%" in bars_say(window))
    until(lambda: not shown(window))
    busy = [t.name for t in threading.enumerate() if t.name in ("camera", "microphone")]
    assert sorted(busy) == ["camera", "microphone"]
    assert np.count_nonzero([c.is_open for c in sources.cameras.values()]) == 1


def test_answers_leave_the_focus_where_it_is(presenter, window, predictor, until):
    presenter.start()
    until(lambda: window.state == "running")
    window.tool_row.pause.setFocus()
    seen = len(predictor.clips)
    until(lambda: len(predictor.clips) > seen + 2)
    assert window.tool_row.pause.hasFocus(), "Tab would never get any further"
