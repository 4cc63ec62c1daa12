from __future__ import annotations

from typing import cast

import pytest
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAction, QFont, QFontMetrics, QKeySequence, QScreen, QStandardItemModel
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox, QScrollArea

from fer_desktop.settings import Settings
from fer_desktop.ui.card_dialog import CardDialog
from fer_desktop.ui.privacy_dialog import PrivacyDialog
from fer_desktop.ui.settings_dialog import SettingsDialog
from fer_desktop.ui.shortcuts_dialog import ShortcutsDialog
from fer_desktop.ui.theme import apply_theme

ODD = Settings(
    agreed=True,
    theme="light",
    camera="c",
    microphone="m",
    mode="camera",
    smoothing=0.3,
    mirror=False,
    show_face=False,
    show_patches=False,
    show_emotion=False,
    model="/models/mine",
    device="cpu",
    recordings="/recordings",
)


def test_settings_left_alone_come_back_unchanged(qtbot) -> None:
    for settings in (Settings(), ODD):
        dialog = SettingsDialog(settings)
        qtbot.addWidget(dialog)
        assert dialog.chosen() == settings


def test_what_is_changed_is_chosen_and_the_rest_kept(qtbot) -> None:
    dialog = SettingsDialog(ODD)
    qtbot.addWidget(dialog)
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    dialog.smoothing.setValue(80)
    dialog.mirror.setChecked(True)
    dialog.model.setText("  ")
    chosen = dialog.chosen()
    assert (chosen.theme, chosen.smoothing, chosen.mirror, chosen.model) == (
        "dark",
        0.8,
        True,
        None,
    )
    assert (chosen.camera, chosen.mode, chosen.agreed) == ("c", "camera", True)


def test_the_folder_for_recordings_is_browsed_for_and_says_its_default(qtbot, monkeypatch) -> None:
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    assert dialog.recordings.placeholderText().endswith("Emotion recordings")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/chosen")
    qtbot.mouseClick(dialog.browse_recordings, Qt.MouseButton.LeftButton)
    assert (dialog.chosen().recordings, dialog.chosen().model) == ("/chosen", None)


def test_a_device_that_cannot_be_used_is_grey_and_says_why(qtbot) -> None:
    dialog = SettingsDialog(Settings(), {"cuda": "No NVIDIA driver was found."})
    qtbot.addWidget(dialog)
    model = cast(QStandardItemModel, dialog.device.model())
    cuda = model.item(dialog.device.findData("cuda"))
    assert not cuda.isEnabled()
    assert cuda.toolTip() == "No NVIDIA driver was found."
    assert model.item(dialog.device.findData("cpu")).isEnabled()


def test_only_agree_agrees(qtbot) -> None:
    for press, agreed in (("agree", True), ("quit", False)):
        dialog = PrivacyDialog()
        qtbot.addWidget(dialog)
        qtbot.mouseClick(getattr(dialog, press), Qt.MouseButton.LeftButton)
        assert bool(dialog.result()) is agreed
    dialog = PrivacyDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.result()


def test_the_notice_names_the_law_and_can_be_copied(qtbot) -> None:
    dialog = PrivacyDialog()
    qtbot.addWidget(dialog)
    for words in (
        "2024/1689",
        "Article 5(1)(f)",
        "Nothing is recorded",
        "in your documents",
        "Guesses",
    ):
        assert words in dialog.words.text()
    assert dialog.words.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse


def test_shortcuts_are_read_from_the_actions(qtbot) -> None:
    action = QAction("Jump")
    action.setShortcuts([QKeySequence("J"), QKeySequence("Ctrl+J")])
    dialog = ShortcutsDialog({"Everywhere": [action, QAction("Has no keys")]})
    qtbot.addWidget(dialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert texts == ["Everywhere", "J or Ctrl+J", "Jump"]


@pytest.fixture
def large_letters(qapp):
    usual = qapp.font()
    large = QFont(usual)
    large.setPointSize(15)
    qapp.setFont(large)
    yield
    qapp.setFont(usual)


def test_all_shortcuts_fit_on_the_screen_however_large_the_letters_are(
    qtbot, monkeypatch, large_letters
) -> None:
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(1280, 690))
    actions = [QAction(f"What is done with the key {number}") for number in range(55)]
    for number, action in enumerate(actions):
        action.setShortcut(QKeySequence(f"Ctrl+Shift+F{number % 30 + 1}"))
    dialog = ShortcutsDialog({"Everywhere": actions[:20], "A file": actions[20:]})
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.width() <= 1280
    assert dialog.height() <= 690
    (area,) = dialog.findChildren(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0, "only upwards and downwards"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_has_the_focus_shows_it(qtbot, qapp, theme) -> None:
    apply_theme(qapp, theme)
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    for widget in (dialog.mirror, dialog.theme, dialog.model, dialog.tabs.tabBar()):
        dialog.smoothing.setFocus()
        without = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        assert QApplication.focusWidget() is widget
        assert widget.grab().toImage() != without, widget.accessibleName()


def test_the_model_that_is_chosen_shows_its_card(qtbot, tmp_path, monkeypatch) -> None:
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    dialog.model.setText(str(tmp_path))
    assert not dialog.card.isEnabled(), "it has none"
    (tmp_path / "model_card.md").write_text("# Mine\n\nUAR 0.5 on luna5")
    dialog.model.setText(str(tmp_path) + "/")
    assert dialog.card.isEnabled()
    read = []

    def look() -> None:
        card = QApplication.activeModalWidget()
        assert isinstance(card, CardDialog)
        read.append(card.text.toPlainText())
        card.reject()

    QTimer.singleShot(50, look)
    qtbot.mouseClick(dialog.card, Qt.MouseButton.LeftButton)
    assert "luna5" in read[0]
    (tmp_path / "model_card.md").unlink()
    told = []
    monkeypatch.setattr(QMessageBox, "information", lambda _, title, text: told.append(text))
    qtbot.mouseClick(dialog.card, Qt.MouseButton.LeftButton)
    assert "There is no card" in told[0], "a click does not end in nothing"


def test_nothing_of_the_notice_is_cut_off_however_large_the_letters_are(
    qtbot, monkeypatch, large_letters
) -> None:
    for screen in (QSize(1920, 1080), QSize(1280, 690)):
        monkeypatch.setattr(QScreen, "availableSize", lambda _, screen=screen: screen)
        dialog = PrivacyDialog()
        qtbot.addWidget(dialog)
        dialog.show()
        assert dialog.width() <= screen.width()
        assert dialog.height() <= screen.height()
        (area,) = dialog.findChildren(QScrollArea)
        assert dialog.words.height() >= dialog.words.heightForWidth(dialog.words.width())
        shown = area.viewport().height() + area.verticalScrollBar().maximum()
        assert shown >= dialog.words.height(), "and what is not seen can be scrolled to"
        assert area.horizontalScrollBar().maximum() == 0


def test_the_word_of_a_default_button_has_room(qtbot, large_letters) -> None:
    dialog = PrivacyDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    word = QFontMetrics(dialog.agree.font()).horizontalAdvance("Agree")
    assert not dialog.agree.font().bold(), "its width was reckoned without"
    assert dialog.agree.width() >= word + 20
