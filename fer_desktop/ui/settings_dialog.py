"""The settings, edited as a copy: the window takes it over only when the dialog is accepted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSlider,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.settings import DEVICES, THEMES, Device, Settings, Theme, recordings_folder
from fer_desktop.ui.card_dialog import card_of, show_card
from fer_desktop.ui.diagnosis_panel import DiagnosisPanel
from fer_desktop.ui.folder_field import browse_button, path_in, side_by_side

_THEME_TEXTS: dict[Theme, str] = {"system": "As the system", "dark": "Dark", "light": "Light"}
_DEVICE_TEXTS: dict[Device, str] = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "NVIDIA graphics card (CUDA)",
    "mps": "Apple graphics (MPS)",
}


class SettingsDialog(QDialog):
    """``unavailable`` names the devices that cannot be used here and says why."""

    def __init__(
        self,
        settings: Settings,
        unavailable: Mapping[str, str] | None = None,
        training: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """``training``: what the tab of that name holds; it is lent, and handed back at the end."""
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setAccessibleName("Settings")
        self._settings = settings

        self.theme = QComboBox()
        for theme in THEMES:
            self.theme.addItem(_THEME_TEXTS[theme], theme)
        self.theme.setCurrentIndex(THEMES.index(settings.theme))
        self.smoothing = smoothing_slider(settings.smoothing)
        self.mirror = QCheckBox("Mirror the picture")
        self.mirror.setChecked(settings.mirror)
        self.face = QCheckBox("Boxes around faces")
        self.face.setChecked(settings.show_face)
        self.patches = QCheckBox("Patches the network kept")
        self.patches.setChecked(settings.show_patches)
        self.emotion = QCheckBox("Emotion on the picture")
        self.emotion.setChecked(settings.show_emotion)
        self.device = QComboBox()
        for device in DEVICES:
            self.device.addItem(_DEVICE_TEXTS[device], device)
            if unavailable and device in unavailable:
                self._grey_out(self.device.count() - 1, unavailable[device])
        self.device.setCurrentIndex(DEVICES.index(settings.device))
        self.model = QLineEdit(settings.model or "")
        self.model.setPlaceholderText("The bundled model")
        self.model.setClearButtonEnabled(True)
        self.browse = browse_button(self.model, "Model folder")
        self.card = QPushButton("Card…")
        self.card.setAutoDefault(False)
        self.card.clicked.connect(self._show_card)
        self.model.textChanged.connect(self._look_for_card)
        self._look_for_card()
        self.recordings = QLineEdit(settings.recordings or "")
        default = recordings_folder(dataclasses.replace(settings, recordings=None))
        self.recordings.setPlaceholderText(str(default))
        self.recordings.setClearButtonEnabled(True)
        self.browse_recordings = browse_button(self.recordings, "Folder for recordings")
        for widget, name, tip in (
            (self.theme, "Theme", "Colours of the window"),
            (self.mirror, "Mirror the picture", "Only the view; what is computed stays the same"),
            (self.face, "Boxes around faces", "The face followed, and others to click on"),
            (self.patches, "Patches", "What of the picture the network looked at"),
            (self.emotion, "Emotion on the picture", "The leading emotion in large letters"),
            (self.device, "Compute device", "Where the model runs"),
            (self.model, "Model folder", "A folder with config.json and weights; empty: bundled"),
            (self.browse, "Browse for a model folder", "Choose the model's folder"),
            (self.card, "The model's card", "How right this model is, and about whom"),
            (self.recordings, "Folder for recordings", "Where sessions go that you record"),
            (self.browse_recordings, "Browse for a folder", "Choose where recordings go"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

        general = QWidget()
        general.setMinimumWidth(436)
        form = QFormLayout(general)
        form.setContentsMargins(0, 12, 0, 0)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("Theme", self.theme)
        form.addRow("Smoothing", self.smoothing)
        form.addRow("Picture", self.mirror)
        form.addRow("", self.face)
        form.addRow("", self.patches)
        form.addRow("", self.emotion)
        form.addRow("Runs on", self.device)
        form.addRow("Model", side_by_side(self.model, self.browse, self.card))
        form.addRow("Recordings", side_by_side(self.recordings, self.browse_recordings))
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        for kind, tip in (
            (QDialogButtonBox.StandardButton.Ok, "Use and remember these settings"),
            (QDialogButtonBox.StandardButton.Cancel, "Leave everything as it was"),
        ):
            button = buttons.button(kind)
            button.setToolTip(tip)
            button.setAccessibleName(button.text().replace("&", ""))
            button.setAutoDefault(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(18)
        self.tabs = QTabWidget()
        self.tabs.addTab(general, "General")
        self.tabs.setDocumentMode(True)
        for named in (self.tabs, self.tabs.tabBar()):
            named.setAccessibleName("Kinds of settings")
        self._lent, self._lender = training, None if training is None else training.parentWidget()
        if training is not None:
            self.tabs.addTab(training, "Training")
        self.diagnosis = DiagnosisPanel(settings)
        self.tabs.addTab(self.diagnosis, "Diagnosis")
        column.addWidget(self.tabs)
        column.addWidget(buttons)
        self.finished.connect(self._hand_back)
        self.finished.connect(self.diagnosis.close_process)
        self._ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._ok.setDefault(True)
        self.tabs.currentChanged.connect(self._show_default)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)  # which makes OK the default, if there is none
        self._show_default(self.tabs.currentIndex())

    def show_training(self) -> None:
        if self._lent is not None:
            self.tabs.setCurrentWidget(self._lent)

    def _show_card(self) -> None:
        notice = show_card(path_in(self.model), self)
        if notice is not None:  # it was there a moment ago
            QMessageBox.information(self, "Model card", f"{notice.text} {notice.hint}".strip())

    def _look_for_card(self) -> None:
        self.card.setEnabled(card_of(path_in(self.model)).is_file())

    def take_over(self, settings: Settings) -> None:
        """The model is another, chosen while the dialog is open."""
        self.model.setText(settings.model or "")

    def _show_default(self, tab: int) -> None:
        """Enter accepts the settings, but does not leave a training that is being described."""
        self._ok.setDefault(tab == 0)

    def _hand_back(self) -> None:
        if self._lent is not None:
            self._lent.setParent(self._lender)
            self._lent.hide()

    def chosen(self) -> Settings:
        """The settings as they now stand in the dialog."""
        return dataclasses.replace(
            self._settings,
            theme=self.theme.currentData(),
            smoothing=self.smoothing.value() / 100,
            mirror=self.mirror.isChecked(),
            show_face=self.face.isChecked(),
            show_patches=self.patches.isChecked(),
            show_emotion=self.emotion.isChecked(),
            device=self.device.currentData(),
            model=_text(path_in(self.model)),
            recordings=_text(path_in(self.recordings)),
        )

    def _grey_out(self, index: int, reason: str) -> None:
        item: QStandardItem = cast(QStandardItemModel, self.device.model()).item(index)
        item.setEnabled(False)
        item.setToolTip(reason)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def smoothing_slider(strength: float) -> QSlider:
    """0 to 100 for a strength of 0 (raw) to 1; the window has one too."""
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setPageStep(10)
    slider.setValue(round(strength * 100))
    slider.setAccessibleName("Smoothing")
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still means pause
    slider.setToolTip("How much scores are steadied over time; left shows them raw")
    return slider
