"""The whole program in this process: from the first paint to the end, at any moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from fer_core.errors import UserError
from fer_desktop import file_presenter, live_presenter
from fer_desktop.batch.batch_process import BatchProcess
from fer_desktop.command_line import parse_arguments
from fer_desktop.program import Program
from fer_desktop.settings import Settings, load_settings, save_settings
from fer_desktop.ui.batch_dialog import BatchDialog
from fer_desktop.ui.end_recording import EndRecordingQuestion
from fer_desktop.ui.privacy_dialog import PrivacyDialog
from fer_desktop.ui.settings_dialog import SettingsDialog

pytestmark = pytest.mark.usefixtures("kept_hooks", "no_thread_stays")


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return path


@pytest.fixture
def start(qtbot, settings_file, scripted, monkeypatch):
    """Shows the program with a scripted predictor; always closed."""
    monkeypatch.setattr(
        live_presenter, "open_model", lambda *_: (scripted.Predictor(), scripted.state())
    )
    programs = []

    def start(*arguments: str) -> Program:
        program = Program(parse_arguments(list(arguments)))
        qtbot.addWidget(program.window)
        programs.append(program)
        program.window.show()
        return program

    yield start
    for program in programs:
        program.window.close()


def when_open(kind: type[QDialog], do: Callable[[], object]) -> None:
    """Do it as soon as such a dialog is open: its event loop is inside that of the test."""

    def look() -> None:
        if isinstance(QApplication.activeModalWidget(), kind):
            do()
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(10, look)


def press(button: str) -> None:
    getattr(QApplication.activeModalWidget(), button).click()


def test_the_demo_starts_by_itself_and_leaves_report_and_picture(start, tmp_path, until):
    report, picture = tmp_path / "out" / "r.json", tmp_path / "w.png"
    program = start("--demo", "--report", str(report), "--screenshot", str(picture))
    until(lambda: report.exists() and len(json.loads(report.read_text())["predictions"]) >= 3)
    program.window.close()
    assert picture.stat().st_size > 10_000
    assert json.loads(report.read_text())["stats"]["model"] == "scripted"
    assert program.status == 0


def test_the_first_start_asks_once_and_remembers(start, settings_file, until):
    when_open(PrivacyDialog, lambda: press("agree"))
    program = start()
    until(lambda: program.live is not None)
    assert load_settings(settings_file).agreed
    assert program.window.state == "stopped", "nothing is captured before Start"
    program.window.close()
    again = start()
    until(lambda: again.live is not None)


def test_quit_in_the_first_dialog_leaves_without_anything_begun(start, settings_file, until):
    when_open(PrivacyDialog, lambda: press("quit"))
    program = start()
    until(lambda: not program.window.isVisible())
    assert program.live is None
    assert not settings_file.exists()


def test_closing_during_the_first_dialog_takes_the_dialog_along(start, until):
    program = start()
    when_open(PrivacyDialog, program.window.close)  # what a signal does
    until(lambda: not program.window.isVisible())
    assert QApplication.activeModalWidget() is None
    assert program.live is None


def test_closing_before_the_first_paint_begins_nothing(start, qtbot):
    program = start("--demo")
    program.window.close()
    qtbot.wait(50)
    assert program.live is None


def test_closing_with_an_open_dialog_takes_it_along(start, until):
    program = start("--demo")
    until(lambda: program.live is not None)
    when_open(SettingsDialog, program.window.close)
    program.window.command("settings").trigger()
    assert QApplication.activeModalWidget() is None
    assert not program.window.isVisible()


def test_exit_after_closes_the_window(start, until):
    program = start("--demo", "--exit-after", "0.3")
    until(lambda: program._closed)


def test_damaged_settings_are_told_and_cost_nothing_else(start, settings_file, until, tmp_path):
    settings_file.write_text('{"theme": ')
    report = tmp_path / "r.json"
    program = start("--demo", "--report", str(report))
    until(lambda: "settings" in set(program.window.notices.keys()))
    assert "cannot be read" in program.window.notices.text("settings")
    program.window.close()
    assert any("settings" in notice for notice in json.loads(report.read_text())["notices"])


def test_damaged_settings_are_put_aside_before_others_take_their_place(start, settings_file, until):
    damaged = '{"agreed": true, "theme": "light",}'
    settings_file.write_text(damaged)
    aside = settings_file.with_name("settings.json.damaged")
    when_open(PrivacyDialog, lambda: press("agree"))
    program = start()
    until(lambda: program.live is not None)
    assert load_settings(settings_file).agreed
    assert aside.read_text() == damaged
    assert str(aside) in program.window.notices.text("settings")
    settings_file.write_text("{")  # by hand, meanwhile
    program.window.command("mirror").trigger()
    assert aside.read_text() == "{"
    assert load_settings(settings_file) == replace(Settings(agreed=True), mirror=False)


def test_settings_that_cannot_be_saved_are_told(start, tmp_path, monkeypatch, until):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "file" / "settings.json"))
    program = start("--demo")
    until(lambda: program.live is not None)
    program.window.command("mirror").trigger()
    assert "cannot be saved" in program.window.notices.text("settings")


def test_a_picture_that_cannot_be_written_is_one_line_and_a_status(start, tmp_path, capsys, until):
    program = start("--demo", "--screenshot", str(tmp_path / "w.png"))
    (tmp_path / "w.png").mkdir()
    until(lambda: program.live is not None)
    program.window.close()
    assert program.status == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_said_before_the_window(settings_file, tmp_path, qapp):
    taken = tmp_path / "r.json"
    options = parse_arguments(["--demo", "--report", str(taken)])
    taken.mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        Program(options)


def test_an_unexpected_error_is_a_notice_from_any_thread(start, until, capsys):
    program = start("--demo")
    until(lambda: program.live is not None)

    def fail() -> None:
        raise ValueError("no such colour")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    until(lambda: "program" in set(program.window.notices.keys()))
    assert "no such colour" in program.window.notices.text("program")
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_what_only_the_command_line_said_is_not_remembered(start, settings_file):
    kept = Settings(camera="/dev/video2", smoothing=0.2, agreed=True)
    save_settings(kept, settings_file)
    window = start("--camera", "0", "--microphone", "none").window
    assert (window.settings.camera, window.settings.mode) == ("0", "camera")
    window.command("mirror").trigger()
    assert load_settings(settings_file) == replace(kept, mirror=False)


def test_what_another_window_changed_meanwhile_stays_changed(start, settings_file):
    window = start("--demo").window
    other = replace(load_settings(settings_file), model="/models/mine", smoothing=0.9)
    save_settings(other, settings_file)
    window.command("mirror").trigger()
    assert load_settings(settings_file) == replace(other, mirror=False)


@pytest.fixture
def no_file_model(monkeypatch):
    def refuse(*_):
        raise UserError("There is no model.", "None is needed to play.")

    monkeypatch.setattr(file_presenter, "open_file_model", refuse)


@pytest.mark.no_qt_log  # a handler in Python of what Qt Multimedia's threads say is a deadlock
def test_a_file_takes_the_place_of_the_session_and_the_camera_is_closed(
    start, until, write_film, no_file_model
):
    program = start("--demo")
    until(lambda: program.window.state == "running", 30)
    session = program.live.session
    program.window.open_requested.emit(write_film())
    assert program.window.state == "stopped"
    assert session.camera is session.microphone is None
    until(lambda: program.files.player.playing, 30)
    program.window.command("live").trigger()
    assert (program.window.page, program.window.state) == ("live", "stopped")
    assert program.window.command("start").isEnabled()
    assert not program.window.command("play").isEnabled()
    program.window.open_requested.emit(write_film("film.mkv"))
    until(lambda: program.files.player.playing, 30)


@pytest.fixture
def recording(start, until, tmp_path) -> Program:
    """A session that is being recorded."""
    program = start("--demo", "--record", str(tmp_path / "recordings"))
    until(lambda: program.window.command("record").isChecked(), 30)
    return program


@pytest.mark.no_qt_log
def test_a_recording_is_not_ended_unasked_by_opening_a_file(
    recording, until, write_film, no_file_model, qtbot
):
    window, film = recording.window, write_film()
    window.open_requested.emit(film)
    question = QApplication.activeModalWidget()
    assert film.name in question.text()
    qtbot.keyClick(question, Qt.Key.Key_Return)
    until(lambda: not window.findChildren(EndRecordingQuestion))
    assert (window.page, window.state) == ("live", "running")
    assert window.command("record").isChecked()
    window.open_requested.emit(film)
    press("end")
    assert (window.page, window.state) == ("file", "stopped")
    until(lambda: recording.files.player.playing, 30)


def test_closing_does_not_wait_for_the_answer_whether_a_recording_goes_on(recording, write_film):
    recording.window.open_requested.emit(write_film())
    recording.window.close()  # what a signal does
    assert QApplication.activeModalWidget() is None
    assert recording.files is None


@pytest.mark.no_qt_log
def test_a_file_named_at_the_start_is_played_and_no_device_is_opened(
    start, until, write_film, settings_file, no_file_model
):
    save_settings(Settings(agreed=True), settings_file)
    program = start(str(write_film()), "--exit-after", "60")
    until(lambda: program.files is not None and program.files.player.playing, 30)
    assert program.window.page == "file"
    assert program.window.state == "stopped"
    assert program.live.session.camera is None


def test_closing_ends_a_training_which_can_go_on(
    start, plan, scripted_training, told, until
) -> None:
    scripted_training(("out", told()), ("sleep", 3600))
    program = start("--exit-after", "60")
    until(lambda: program.training is not None)
    training = program.training
    training.start(plan)
    until(lambda: "epoch 1" in program.window.training.words.text())
    program.window.close()
    assert not training.process.runs


def test_nobody_is_filmed_while_other_work_is_being_ended(start, until, monkeypatch) -> None:
    program = start("--demo")
    until(lambda: program.window.state == "running", 30)
    session, filming = program.live.session, []
    monkeypatch.setattr(program.training, "close", lambda: filming.append(session.camera))
    program.window.close()
    assert filming == [None]


def test_several_files_named_at_the_start_are_listed(start, until, settings_file, tmp_path) -> None:
    save_settings(Settings(agreed=True), settings_file)
    (tmp_path / "a.mp4").touch()
    program = start(str(tmp_path), str(tmp_path / "a.mp4"), "--exit-after", "60")
    until(lambda: program.window.findChild(BatchDialog) is not None)
    assert program.window.findChild(BatchDialog).plan().named == (tmp_path, tmp_path / "a.mp4")
    assert program.files is None


def test_several_recordings_are_listed_beside_the_session_and_closing_ends_their_analysis(
    start, until, scripted_batch, batch_plan, analysed, tmp_path, qtbot
) -> None:
    program = start("--demo")
    until(lambda: program.window.state == "running")
    program.window.batch_requested.emit(list(batch_plan.named))
    until(lambda: program.window.findChild(BatchDialog) is not None)
    dialog = program.window.findChild(BatchDialog)
    dialog.folder.setText(str(batch_plan.out))
    scripted_batch(("out", analysed.files("a.mp4") + analysed.step("a.mp4", 1.0)), ("sleep", 3600))
    dialog.begin.click()
    until(lambda: "0 of 1 recordings" in program.window.status_line.work.text())
    assert program.window.state == "running"
    process = program.window.findChild(BatchProcess)
    program.window.close()
    assert not process.runs
    assert not dialog.isVisible()
