import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from fer_desktop.ui.commands import make_actions
from fer_desktop.ui.transport import Transport


@pytest.fixture
def transport(qapp):
    window = QWidget()
    transport = Transport(make_actions(window), window)
    transport.set_duration(60.0)
    transport.resize(640, 80)
    window.show()
    yield transport
    window.close()


def test_a_click_on_the_line_goes_there_and_a_shown_place_does_not(qtbot, transport):
    place = transport.place
    with qtbot.assertNotEmitted(transport.seek_requested):
        transport.show_position(10.0)
    assert place.value() == 10_000
    with qtbot.waitSignal(transport.seek_requested) as sought:
        at = QPoint(round(place.width() * 0.75), place.height() // 2)
        qtbot.mouseClick(place, Qt.MouseButton.LeftButton, pos=at)
    assert sought.args[0] == pytest.approx(45, abs=1)


def test_the_playhead_does_not_pull_the_handle_from_under_the_mouse(transport):
    transport.place.setSliderDown(True)
    transport.show_position(30.0)
    assert transport.place.value() == 0
    assert "0:30.000" in transport.time.text()


def test_buttons_say_what_they_would_do(transport):
    transport.show_playing(True, 1.0, looping=False)
    assert transport.play.accessibleName() == "Pause"
    transport.show_playing(False, 0.25, looping=True)
    assert transport.play.accessibleName() == "Play"
    assert transport.speed.currentData() == 0.25
    transport.show_volume(0.3, muted=True)
    assert transport.mute.accessibleName() == "Sound on"
    assert transport.volume.value() == 30


def test_a_choice_of_sound_is_offered_only_where_there_is_one(transport):
    transport.show_sound(("English",), 0)
    assert not transport.sound_track.isVisible()
    transport.show_sound(("English", "Comment"), 1)
    assert transport.sound_track.isVisible()
    assert transport.sound_track.currentText() == "Comment"


def test_the_selection_is_told_and_can_be_cleared_only_if_there_is_one(transport):
    clear = transport._actions["clear_selection"]
    transport.show_selection((1.0, 2.5))
    assert transport.selection.text() == "0:01.000 to 0:02.500"
    assert clear.isEnabled()
    transport.show_selection(None)
    assert transport.selection.text() == ""
    assert not clear.isEnabled()
