"""Recording with the real window, the real threads and scripted devices."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PySide6.QtCore import Qt

import fer_core.analysis.model  # noqa: F401  # torch, which a model that answers has imported
from fer_core.errors import UserError
from fer_desktop import live_presenter
from fer_desktop.live.session import LiveSession
from fer_desktop.live_presenter import LivePresenter
from fer_desktop.recording_presenter import RecordingPresenter
from fer_desktop.settings import Settings
from fer_desktop.ui.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("no_thread_stays")

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def window(qtbot, base):
    window = MainWindow(Settings(theme="dark", recordings=str(base)))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitActive(window).__enter__()
    return window


@pytest.fixture
def sources(scripted):
    return scripted.Sources()


@pytest.fixture
def session(window, sources, scripted, monkeypatch, until):
    monkeypatch.setattr(
        live_presenter, "open_model", lambda *_: (scripted.Predictor(), scripted.state())
    )
    session = LiveSession(make_detector=scripted.Detector)
    presenter = LivePresenter(window, sources, session=session)
    session.presenter = RecordingPresenter(window, session)
    session.live = presenter
    presenter.load_model()
    presenter.find_devices()
    until(lambda: not session.searching and "scripted" in window.status_line.model.text())
    yield session
    presenter.close()


@pytest.fixture
def record(qtbot, window, session, until):
    """Presses the keys, and waits until so much is recorded; where it goes."""

    def press(seconds: float = 0.8) -> Path:
        qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)
        until(lambda: elapsed_s(session) > seconds, 30)
        return session.recorder.status(time.monotonic()).video

    return press


def elapsed_s(session) -> float:
    status = session.recorder.status(time.monotonic())
    return -1.0 if status is None else status.elapsed_s


def length_s(video: Path) -> float:
    with av.open(str(video)) as file:
        return float(file.duration / av.time_base)


def test_a_key_records_and_ends_it_and_the_window_says_so(
    qtbot, window, session, record, until, base
):
    assert not window.tool_row.record.isEnabled(), "there is nothing to record"
    window.start_requested.emit()
    until(lambda: window.state == "running")
    assert not base.exists(), "off unless asked"
    video = record(1.2)
    assert window.tool_row.record.isChecked()
    until(lambda: window.video.recording == "0:01")
    assert str(video.parent) in window.status_line.recording.text()
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)
    until(lambda: "recording" in set(window.notices.keys()), 30)
    assert str(video.parent) in window.notices.text("recording")
    assert (window.video.recording, window.status_line.recording.isVisible()) == ("", False)
    assert not window.tool_row.record.isChecked()
    assert window.state == "running", "the session goes on"
    assert length_s(video) > 1
    assert "happy" in video.with_suffix(".jsonl").read_text()


def test_it_is_never_remembered_as_on(qtbot, window, session, record, until):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    with qtbot.assertNotEmitted(window.settings_changed):
        record(0.1)
    window.stop_requested.emit()
    until(lambda: not window.tool_row.record.isChecked())
    window.start_requested.emit()
    until(lambda: window.state == "running")
    qtbot.wait(300)
    assert elapsed_s(session) == -1


def test_stop_ends_it_and_what_waits_for_a_session_is_forgotten(
    qtbot, window, session, record, until, base
):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    video = record()
    with qtbot.waitSignal(session.presenter.recorded) as told:
        window.stop_requested.emit()
    until(lambda: "recording" in set(window.notices.keys()), 30)
    assert length_s(video) > 0.7
    assert window.video.recording == ""
    assert told.args == [video], "to be opened again"
    window.start_requested.emit()
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)  # before a picture is there
    window.stop_requested.emit()
    window.start_requested.emit()
    until(lambda: window.state == "running")
    qtbot.wait(500)
    assert len(list(base.iterdir())) == 1


def test_what_waits_is_forgotten_also_when_an_opened_file_ends_the_session(
    qtbot, window, session, until
):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    window.pause_requested.emit()
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)  # begins when the session goes on
    session.live.stop()
    until(lambda: not window.tool_row.record.isChecked())
    window.start_requested.emit()
    until(lambda: window.state == "running")
    qtbot.wait(500)
    assert elapsed_s(session) == -1


def test_asked_for_before_the_start_it_begins_when_all_devices_deliver(
    window, session, until, base
):
    session.presenter.record(True)
    window.start_requested.emit()
    until(lambda: elapsed_s(session) > 0.5, 30)
    video = session.recorder.status(time.monotonic()).video
    window.stop_requested.emit()
    assert session.recorder.join(60)
    with av.open(str(video)) as file:
        assert {stream.type for stream in file.streams} == {"audio", "video"}


def test_a_device_that_fails_is_not_waited_for(window, session, sources, until):
    sources.microphones["left"].fault = UserError("It is unplugged.")
    session.presenter.record(True)
    window.start_requested.emit()
    until(lambda: elapsed_s(session) > 0.2)


@pytest.mark.parametrize("patience_s", [0.3, 60.0])
def test_a_device_that_says_nothing_is_waited_for_a_while(
    qtbot, window, session, sources, until, monkeypatch, patience_s
):
    monkeypatch.setattr("fer_desktop.recording_presenter.PATIENCE_SECONDS", patience_s)
    monkeypatch.setattr(sources.microphones["left"], "read", lambda _: time.sleep(0.02))
    session.presenter.record(True)
    window.start_requested.emit()
    until(lambda: window.video.has_frame())
    if patience_s < 1:
        until(lambda: elapsed_s(session) > 0.2)
    else:
        qtbot.wait(1000)
        assert elapsed_s(session) == -1


def test_a_pause_stands_still_and_says_so(qtbot, window, session, record, until):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    video = record()
    window.pause_requested.emit()
    until(lambda: window.video.recording.endswith("paused"))
    paused_s = elapsed_s(session)
    qtbot.wait(1500)
    assert elapsed_s(session) == paused_s
    window.resume_requested.emit()
    until(lambda: elapsed_s(session) > paused_s + 0.5)
    assert "paused" not in window.video.recording
    window.stop_requested.emit()
    assert session.recorder.join(60)
    assert length_s(video) < paused_s + 1.5


def test_a_camera_that_is_lost_and_comes_back_is_in_one_file(
    window, session, sources, record, until, base
):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    video = record(0.5)
    sources.cameras["one"].fault = UserError("It was unplugged.")
    until(lambda: "camera" in set(window.notices.keys()))
    lost_s = elapsed_s(session)
    sources.cameras["one"].fault = None
    until(lambda: "camera" not in set(window.notices.keys()))
    until(lambda: elapsed_s(session) > lost_s + 2)
    window.stop_requested.emit()
    assert session.recorder.join(60)
    assert len(list(base.iterdir())) == 1
    with av.open(str(video)) as file:
        times_s = [frame.time for frame in file.decode(video=0)]
    assert max(b - a for a, b in pairwise(times_s)) > 0.2
    assert times_s[-1] > lost_s + 1


def test_closing_the_window_completes_it(window, session, record, until):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    video = record()
    session.close()
    assert length_s(video) > 0.7
    lines = [json.loads(line) for line in video.with_suffix(".jsonl").read_text().splitlines()]
    assert lines[0]["video"] == video.name


def test_a_folder_that_cannot_be_written_is_a_notice_and_the_session_goes_on(
    qtbot, window, session, until, base
):
    base.write_text("a file")
    window.start_requested.emit()
    until(lambda: window.state == "running")
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)
    until(lambda: "recording" in set(window.notices.keys()), 30)
    assert "cannot be written" in window.notices.text("recording")
    until(lambda: not window.tool_row.record.isChecked())
    assert window.state == "running"


def test_what_was_said_of_the_last_recording_goes_when_another_begins(window, session, until, base):
    window.start_requested.emit()
    until(lambda: window.state == "running")
    base.write_text("a file where the folder would be")
    session.presenter.record(True)
    until(lambda: "recording" in set(window.notices.keys()))
    base.unlink()
    session.presenter.record(True)
    until(lambda: elapsed_s(session) > 0.5)
    assert "recording" not in set(window.notices.keys())
