import pytest
from PySide6.QtGui import QAction

from fer_desktop.ui.analysis_strip import AnalysisStrip


@pytest.fixture
def strip(qtbot):
    strip = AnalysisStrip(QAction())
    qtbot.addWidget(strip)
    strip.show()
    return strip


def test_progress_says_how_far_and_how_long_still(strip):
    strip.show_progress(30.0, 120.0, 75.0)
    assert strip.bar.value() / strip.bar.maximum() == pytest.approx(0.25)
    assert "1:15 left" in strip.words.text()
    assert strip.button.text() == "Cancel"


def test_what_was_cancelled_can_go_on(strip):
    strip.show_progress(30.0, 120.0, 75.0)
    strip.show_cancelled()
    assert strip.button.text() == "Continue"
    assert strip.bar.value() / strip.bar.maximum() == pytest.approx(0.25)


def test_at_the_end_there_is_nothing_to_cancel(strip):
    strip.show_finished(warnings=2)
    assert strip.words.text() == "Analysed, 2 warnings"
    assert strip.bar.value() == strip.bar.maximum()
    assert not strip.button.isVisible()
    strip.show_preparing()
    assert strip.button.isVisible()
    strip.show_failed()
    assert not strip.button.isVisible()


def test_a_file_whose_answers_were_known_can_be_analysed_anew(strip):
    strip.show_known("As said live")
    assert strip.words.text() == "As said live"
    assert strip.button.isVisible()
    assert strip.button.accessibleName() == "Analyse the file anew"
    strip.show_preparing()
    assert strip.button.accessibleName() == "Cancel the analysis"


def test_faces_are_offered_whole_once_they_are_known(strip, qtbot):
    narrow = strip.faces.sizeHint().width()
    strip.offer_faces(["Face 0: 1234 s from 1:00:00", "Face 1: 8 s from 0:02"], chosen=2)
    assert strip.faces.currentText() == "Face 1: 8 s from 0:02"
    assert strip.faces.sizeHint().width() > narrow
    with qtbot.waitSignal(strip.face_picked) as picked:
        strip.faces.activated.emit(1)
    assert picked.args == [1]
