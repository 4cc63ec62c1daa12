from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QStandardPaths, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QStyleOptionComboBox,
    QTabBar,
    QWidget,
)

from fer_core.prediction import Prediction
from fer_desktop.errors import Notice
from fer_desktop.live.smoothing import Scores
from fer_desktop.settings import Settings
from fer_desktop.ui.card_dialog import CardDialog
from fer_desktop.ui.main_window import MainWindow
from fer_desktop.ui.settings_dialog import SettingsDialog
from fer_desktop.ui.theme import DARK, LIGHT, colours_of
from fer_desktop.ui.tool_row import DeviceList

CAMERAS = [("/dev/video0", "Webcam"), ("/dev/video2", "Phone")]
SETTINGS = Settings(theme="dark", camera="/dev/video2", microphone="Yeti")


@pytest.fixture
def window(qtbot) -> MainWindow:
    window = MainWindow(SETTINGS)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitActive(window).__enter__()
    return window


def picture() -> np.ndarray:
    return np.full((720, 1280, 3), 90, np.uint8)


def test_importing_the_window_loads_neither_torch_nor_opencv() -> None:
    code = (
        "import sys, fer_desktop.ui.main_window;"
        "print([m for m in ('torch', 'transformers', 'cv2', 'pyqtgraph') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("state", "key", "modifier", "signal"),
    [
        ("stopped", Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, "start_requested"),
        ("running", Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, "pause_requested"),
        ("paused", Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, "resume_requested"),
        ("running", Qt.Key.Key_S, Qt.KeyboardModifier.NoModifier, "stop_requested"),
        ("starting", Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier, "stop_requested"),
        ("stopped", Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier, "refresh_requested"),
        ("running", Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier, "face_released"),
        ("stopped", Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier, "closing"),
    ],
)
def test_keys_ask_for_what_they_say(qtbot, window, state, key, modifier, signal) -> None:
    window.set_state(state)
    with qtbot.waitSignal(getattr(window, signal), timeout=1000):
        qtbot.keyClick(window, key, modifier)


@pytest.mark.parametrize("state", ["starting", "running", "paused"])
def test_the_lists_of_devices_stay_as_they_are_while_a_session_runs(qtbot, window, state) -> None:
    window.set_state(state)
    assert not window.tool_row.refresh.isEnabled()
    with qtbot.assertNotEmitted(window.refresh_requested):
        qtbot.keyClick(window, Qt.Key.Key_F5)
    window.set_state("stopped")
    assert window.tool_row.refresh.isEnabled()


@pytest.mark.parametrize("state", ["starting", "running", "paused"])
def test_nothing_starts_twice(qtbot, window: MainWindow, state) -> None:
    window.set_state(state)
    assert not window.tool_row.start.isEnabled()
    with qtbot.assertNotEmitted(window.start_requested):
        qtbot.keyClick(window, Qt.Key.Key_Space)


def test_space_presses_the_button_that_has_the_focus(qtbot, window: MainWindow) -> None:
    window.tool_row.stop.setEnabled(True)
    window.set_state("running")
    window.tool_row.stop.setFocus()
    with (
        qtbot.assertNotEmitted(window.pause_requested),
        qtbot.waitSignal(window.stop_requested, timeout=1000),
    ):
        qtbot.keyClick(window.tool_row.stop, Qt.Key.Key_Space)


@pytest.mark.parametrize(
    ("page", "name"),
    [("live", "Smoothing"), ("file", "Volume"), ("file", "View"), ("file", "Values")],
)
def test_what_was_touched_with_the_mouse_leaves_space_to_the_page(
    qtbot, window: MainWindow, page, name
) -> None:
    window.set_state("running")
    window.show_page(page)
    kinds = [*window.findChildren(QComboBox), *window.findChildren(QAbstractSlider)]
    (touched,) = (widget for widget in kinds if widget.accessibleName() == name)
    qtbot.mouseClick(touched, Qt.MouseButton.LeftButton)
    if isinstance(touched, QComboBox):
        touched.hidePopup()
    does = window.command("pause" if page == "live" else "play")
    with qtbot.waitSignal(does.triggered, timeout=1000):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Space)


def test_a_slider_with_the_focus_keeps_the_arrows_but_not_space(qtbot, window: MainWindow) -> None:
    window.show_page("file")
    volume = window.file_page.transport.volume
    volume.setFocus()
    with (
        qtbot.assertNotEmitted(window.command("on").triggered),
        qtbot.waitSignal(window.command("play").triggered, timeout=1000),
    ):
        qtbot.keyClick(volume, Qt.Key.Key_Right)
        qtbot.keyClick(volume, Qt.Key.Key_Space)


def test_a_button_that_becomes_useless_does_not_hand_space_to_stop(
    qtbot, window: MainWindow
) -> None:
    window.tool_row.start.setFocus()
    window.set_state("starting")
    window.set_state("running")
    assert window.focusWidget() not in (window.tool_row.stop, window.tool_row.pause)
    with qtbot.waitSignal(window.pause_requested, timeout=1000):
        qtbot.keyClick(window, Qt.Key.Key_Space)


def test_the_session_is_looked_through_by_keys(qtbot, window) -> None:
    window.timeline.build()
    for number in range(400):
        window.timeline.append(number * 0.375, np.full(8, 0.125, np.float32), uncertain=True)
    newest = window.timeline.shown()
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    start, end = window.timeline.shown()
    assert end < newest[1]
    assert end - start < newest[1] - newest[0]
    qtbot.keyClick(window, Qt.Key.Key_End)
    assert window.timeline.shown() == newest


@pytest.mark.parametrize(
    ("key", "field"),
    [
        (Qt.Key.Key_M, "mirror"),
        (Qt.Key.Key_B, "show_face"),
        (Qt.Key.Key_P, "show_patches"),
        (Qt.Key.Key_E, "show_emotion"),
    ],
)
def test_overlays_are_switched_by_key_and_remembered(qtbot, window, key, field) -> None:
    with qtbot.waitSignal(window.settings_changed) as changed:
        qtbot.keyClick(window, key)
    assert changed.args == [dataclasses.replace(SETTINGS, **{field: False})]
    assert getattr(window.video, field) is False
    qtbot.keyClick(window, key)
    assert window.settings == SETTINGS


def test_t_switches_between_dark_and_light(qtbot, window: MainWindow) -> None:
    assert colours_of(window.bars) is DARK
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.settings.theme == "light"
    assert colours_of(window.bars) is LIGHT


def test_r_retries_whatever_offers_it(qtbot, window: MainWindow) -> None:
    window.notices.show_notice(Notice("camera", "Unplugged.", retry=True))
    window.notices.show_notice(Notice("report", "Saved.", severity="info"))
    with qtbot.waitSignal(window.retry_requested) as retried:
        qtbot.keyClick(window, Qt.Key.Key_R)
    assert retried.args == ["camera"]
    window.notices.clear("camera")
    with qtbot.assertNotEmitted(window.retry_requested):
        qtbot.keyClick(window, Qt.Key.Key_R)


def test_the_remembered_camera_is_selected_by_id(window: MainWindow) -> None:
    window.set_cameras(CAMERAS)
    assert window.camera() == "/dev/video2"
    window.set_cameras(CAMERAS[::-1])
    assert window.camera() == "/dev/video2"
    window.set_cameras(CAMERAS[:1])
    assert window.camera() == "/dev/video0"
    assert window.settings.camera == "/dev/video2"  # it may be plugged in again
    window.set_cameras([])
    assert window.camera() is None
    assert window.tool_row.cameras.currentText() == "No camera found"


def test_choosing_a_device_or_mode_says_so_and_is_remembered(qtbot, window: MainWindow) -> None:
    window.set_cameras(CAMERAS)
    window.set_microphones([("Yeti", "Yeti"), ("Built-in", "Built-in")])
    for name, combo, index, signal, value in (
        ("camera", window.tool_row.cameras, 0, window.camera_chosen, "/dev/video0"),
        ("microphone", window.tool_row.microphones, 1, window.microphone_chosen, "Built-in"),
        ("mode", window.tool_row.modes, 1, window.mode_chosen, "camera"),
    ):
        with qtbot.waitSignals([signal, window.settings_changed]):
            combo.setCurrentIndex(index)
            combo.activated.emit(index)
        assert getattr(window.settings, name) == value


def test_a_list_that_changes_by_itself_chooses_nothing(qtbot, window: MainWindow) -> None:
    with qtbot.assertNotEmitted(window.camera_chosen):
        window.set_cameras(CAMERAS)
        window.set_cameras([])


def test_a_click_on_the_picture_names_the_place_in_the_frame(qtbot, window: MainWindow) -> None:
    window.set_state("running")
    window.video.show_frame(picture())
    place = window.video.picture_rect()
    at = QPoint(round(place.left() + place.width() / 4), round(place.center().y()))
    with qtbot.waitSignal(window.face_clicked) as clicked:
        qtbot.mouseClick(window.video, Qt.MouseButton.LeftButton, pos=at)
    assert clicked.args == pytest.approx([960, 360], abs=3)  # mirrored: from the right


def test_a_long_name_of_a_model_is_cut_and_does_not_widen_the_window(window: MainWindow) -> None:
    narrow = window.minimumSizeHint().width()
    sentence = "compact · " + 20 * "validated on somebody "
    window.set_model_state(sentence, untrained=False)
    assert window.minimumSizeHint().width() == narrow
    assert sentence in window.status_line.model.toolTip()


def test_an_untrained_model_is_called_so_and_cannot_be_dismissed(window: MainWindow) -> None:
    window.set_model_state("compact", untrained=True)
    assert window.untrained.isVisible()
    assert "mean nothing" in window.untrained.text()
    for state in ("starting", "running", "stopped"):
        window.set_state(state)
        assert window.untrained.isVisible()
    window.set_model_state("compact", untrained=False)
    assert not window.untrained.isVisible()


def test_empty_views_say_what_to_do_or_wait_for(window: MainWindow) -> None:
    assert "Press Start" in window.video.accessibleDescription()
    assert "Loading the model" in window.bars.accessibleDescription()
    window.set_model_state("compact", untrained=False)
    assert "Loading" not in window.bars.accessibleDescription()
    window.set_state("running")
    assert "Waiting for a picture" in window.video.accessibleDescription()


def test_a_new_session_begins_with_an_empty_timeline(
    window: MainWindow, make_prediction: Callable[..., Prediction]
) -> None:
    window.set_state("starting")
    window.set_state("running")
    window.live_page.show_answer(make_prediction(), Scores(np.zeros(8), np.zeros((8, 8))), "both")
    for state in ("paused", "running", "stopped"):
        window.set_state(state)
        assert len(window.timeline.history) == 1
    window.set_state("starting")
    assert len(window.timeline.history) == 0


def test_everything_that_can_be_used_has_a_name_and_a_tip(window: MainWindow) -> None:
    window.notices.show_notice(Notice("camera", "Unplugged.", retry=True))
    window.timeline.build()
    usable = [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QComboBox | QAbstractSlider)
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and type(widget).__module__ != "PySide6.QtWidgets.QScrollBar"
        and not widget.inherits("QScrollBar")
        and not isinstance(widget.parent(), QTabBar)  # its arrows, which are never shown
    ]
    assert len(usable) >= 12
    for widget in usable:
        assert widget.accessibleName(), widget
        assert widget.toolTip(), widget.accessibleName()


def test_the_tab_key_goes_from_start_to_smoothing_in_reading_order(window: MainWindow) -> None:
    row = window.tool_row
    order = [row.start, row.cameras, row.microphones, row.modes, row.view, row.settings, row.help]
    chain, widget = [], row.start
    while widget is not window.smoothing:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    assert [w for w in chain if w in order] == order


@pytest.mark.parametrize("page", ["live", "file"])
def test_it_fits_a_small_screen(window: MainWindow, page) -> None:
    """As 1920x1080 at 200 % is: 960x540, and the system's bars take some of that."""
    window.show_page(page)
    smallest = window.minimumSizeHint()
    assert smallest.width() <= 960
    assert smallest.height() <= 480


@pytest.mark.parametrize("page", ["live", "file"])
def test_it_fits_a_small_screen_with_notices(qtbot, window: MainWindow, page) -> None:
    window.show_page(page)
    window.resize(960, 540)
    words = "is what went wrong, told in so many words that they have room in two lines only. " * 2
    for key in ("camera", "microphone", "settings"):
        window.notices.show_notice(Notice(key, f"The {key} {words}", retry=True))
        QApplication.processEvents()
        assert window.size().toTuple() == (960, 540)
    newest, oldest = (window.notices.strips[key] for key in ("settings", "camera"))
    assert newest.visibleRegion().boundingRect().size() == newest.size()
    window.notices.ensureWidgetVisible(oldest)
    qtbot.waitUntil(lambda: not oldest.retry.visibleRegion().isEmpty())


def test_the_settings_fit_a_small_screen(qtbot, window: MainWindow) -> None:
    dialog = SettingsDialog(SETTINGS, {}, window.training, window)
    qtbot.addWidget(dialog)
    dialog.show_training()
    dialog.show()
    assert dialog.width() <= 960
    assert dialog.height() <= 510
    dialog.reject()


def test_a_saved_picture_says_where_it_is(qtbot, window: MainWindow, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _place: str(tmp_path))
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_S, modifiers)
    (saved,) = tmp_path.glob("*.png")
    assert str(saved) in window.notices.text("picture")


def test_status_fields_keep_their_place_while_figures_change(window: MainWindow) -> None:
    window.status_line.show_statistics(9.9, 0.5, None, 0)
    before = [f.geometry() for f in (window.status_line.camera, window.status_line.dropped)]
    window.status_line.show_statistics(120.0, 12.67, 1234.5, 123456)
    after = [f.geometry() for f in (window.status_line.camera, window.status_line.dropped)]
    assert before == after
    assert window.status_line.latency.text() == "latency 1234 ms"


def test_a_recording_says_how_long_it_is_and_where_it_goes(window: MainWindow) -> None:
    window.set_state("running")
    narrow = window.minimumSizeHint().width()
    place = "/home/ann/Documents/Emotion recordings/2026-11-21_14-03-05"
    window.show_recording(3725.9, place, dropped=3)
    assert window.tool_row.record.isChecked()
    assert window.video.recording == "1:02:05"
    assert place in window.status_line.recording.toolTip()
    assert "3 pictures left out" in window.status_line.recording.text()
    assert window.minimumSizeHint().width() == narrow
    window.show_recording(None)
    assert not window.tool_row.record.isChecked()
    assert not window.status_line.recording.isVisible()


def test_a_notice_can_be_dismissed_by_key_while_a_session_runs(qtbot, window: MainWindow) -> None:
    window.show()
    qtbot.waitActive(window).__enter__()
    window.set_state("running")
    window.notices.show_notice(Notice("camera", "Unplugged."))
    dismiss = window.notices.strips["camera"].close_button
    dismiss.setFocus()
    with qtbot.assertNotEmitted(window.pause_requested):
        qtbot.keyClick(dismiss, Qt.Key.Key_Space)
    assert window.notices.keys() == ()


def test_a_long_name_of_a_device_ends_with_an_ellipsis_and_is_told_whole(qtbot) -> None:
    devices = DeviceList("camera")
    qtbot.addWidget(devices)
    devices.resize(150, 32)
    devices.set_devices([("c", "Integrated Webcam HD 720p (04f2:b5ce)")], "c")
    option = QStyleOptionComboBox()
    devices.initStyleOption(option)
    shown = option.currentText
    assert shown.startswith("Integ")
    assert shown.endswith("…")
    assert devices.toolTip() == "Which camera to use: Integrated Webcam HD 720p (04f2:b5ce)"


def test_devices_are_not_said_to_be_missing_before_anybody_looked(qtbot) -> None:
    devices = DeviceList("microphone")
    qtbot.addWidget(devices)
    assert devices.currentText() == "Looking…"
    devices.set_devices((), None)
    assert devices.currentText() == "No microphone found"


def test_ctrl_i_tells_how_right_the_model_is_and_about_whom(qtbot, window, tmp_path) -> None:
    (tmp_path / "model_card.md").write_text("# Mine\n\nUAR 0.5 on luna5")
    window.use_model(tmp_path)
    read = []

    def look() -> None:
        card = QApplication.activeModalWidget()
        assert isinstance(card, CardDialog)
        read.append(card.text.toPlainText())
        card.reject()

    QTimer.singleShot(50, look)
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert "luna5" in read[0]
    (tmp_path / "model_card.md").unlink()
    window.command("card").trigger()
    assert "no card" in window.notices.text("card")


def test_screen_readers_are_told_what_the_session_and_the_recording_do(
    window: MainWindow, announced: list[str]
) -> None:
    for state in ("starting", "running", "running", "paused", "stopped"):
        window.set_state(state)
    for elapsed_s in (0.0, 1.0, None, None):
        window.show_recording(elapsed_s)
    assert announced == [
        *(f"Session {state}" for state in ("starting", "running", "paused", "stopped")),
        "Recording",
        "Recording ended",
    ]
