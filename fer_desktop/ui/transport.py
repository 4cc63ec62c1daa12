"""The row under a file's picture: where it is, play and step, speed, loop, sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.ui.icons import icon
from fer_desktop.ui.status_line import ElidedLabel
from fer_desktop.ui.theme import colours_of, is_theme_change
from fer_desktop.ui.timeline import clock

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
_ICONS = {"step_back": "step_back", "step_on": "step_on", "set_in": "set_in",
          "set_out": "set_out", "loop": "loop", "clear_selection": "close"}  # fmt: skip
_MILLI = 1000


class Transport(QWidget):
    """Shows the window's actions as buttons, and what people choose as signals."""

    seek_requested = Signal(float)  # seconds
    rate_picked = Signal(float)
    volume_picked = Signal(float)  # 0 to 1
    sound_track_picked = Signal(int)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._playing = self._muted = False
        self.place = SeekSlider()
        self.place.sought.connect(lambda value: self.seek_requested.emit(value / _MILLI))
        self.time = QLabel()
        self.time.setAccessibleName("Place in the file")
        self.selection = ElidedLabel("Selection")
        self.selection.setAccessibleName("Selection")
        self.play = self._button("play")
        self.mute = self._button("mute")
        self.speed = QComboBox()
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g} x", speed)
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Speed ([ slower, ] faster, Backspace normal)")
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.speed.activated.connect(lambda i: self.rate_picked.emit(self.speed.itemData(i)))
        self.sound_track = QComboBox()
        self.sound_track.setAccessibleName("Sound track")
        self.sound_track.setToolTip("Which of the sound tracks is heard (A)")
        self.sound_track.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.sound_track.setMaximumWidth(140)
        self.sound_track.activated.connect(self.sound_track_picked)
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setRange(0, 100)
        self.volume.setMinimumWidth(50)
        self.volume.setMaximumWidth(90)
        self.volume.setAccessibleName("Volume")
        self.volume.setToolTip("Volume (Up and Down)")
        self.volume.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.volume.valueChanged.connect(lambda value: self.volume_picked.emit(value / 100))

        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.play)
        for name in ("step_back", "step_on"):
            row.addWidget(self._button(name))
        row.addWidget(self.speed)
        for name in ("set_in", "set_out", "loop", "clear_selection"):
            row.addWidget(self._button(name))
        row.addWidget(self.selection, 10)
        for widget in (self.sound_track, self.mute, self.volume):
            row.addWidget(widget, 1 if widget is self.volume else 0)
        place = QHBoxLayout()
        place.setSpacing(10)
        place.addWidget(self.place, 1)
        place.addWidget(self.time)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(place)
        column.addLayout(row)
        self.set_duration(0.0)
        self.show_sound((), -1)
        self._restyle()

    def set_duration(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self.show_position(0.0)  # else a shorter range would move the handle, as people do
        self.place.setRange(0, round(duration_s * _MILLI))
        self.place.setPageStep(max(round(duration_s * _MILLI / 20), 1))
        widest = f"{clock(duration_s, 3)} / {clock(duration_s, 3)}"
        self.time.setMinimumWidth(self.time.fontMetrics().horizontalAdvance(widest) + 12)

    def show_position(self, time_s: float) -> None:
        self.time.setText(f"{clock(time_s, 3)} / {clock(self._duration_s, 3)}")
        if not self.place.isSliderDown():
            self.place.show_value(round(time_s * _MILLI))

    def show_playing(self, playing: bool, rate: float, looping: bool) -> None:
        self._playing = playing
        self._actions["play"].setText("Pause" if playing else "Play")
        self.play.setAccessibleName("Pause" if playing else "Play")
        self._actions["loop"].setChecked(looping)
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - rate))
        self.speed.setCurrentIndex(nearest)
        self._restyle()

    def show_selection(self, selection: tuple[float, float] | None) -> None:
        self._actions["clear_selection"].setEnabled(selection is not None)
        if selection is None:
            self.selection.setText("")
        else:
            start_s, end_s = selection
            self.selection.setText(f"{clock(start_s, 3)} to {clock(end_s, 3)}")

    def show_volume(self, volume: float, muted: bool) -> None:
        self._muted = muted
        self.volume.blockSignals(True)
        self.volume.setValue(round(100 * volume))
        self.volume.blockSignals(False)
        self._actions["mute"].setText("Sound on" if muted else "Mute")
        self.mute.setAccessibleName(self._actions["mute"].text())
        self._restyle()

    def show_sound(self, tracks: Sequence[str], chosen: int) -> None:
        """The file's sound tracks; a choice only where there are several."""
        self.sound_track.clear()
        self.sound_track.addItems(list(tracks))
        self.sound_track.setCurrentIndex(chosen)
        self.sound_track.setVisible(len(tracks) > 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and hasattr(self, "volume"):
            self._restyle()

    def _button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[name])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setIconSize(QSize(18, 18))
        button.setProperty("compact", True)
        button.setAccessibleName(self._actions[name].text())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _restyle(self) -> None:
        colours = colours_of(self)
        drawings = {**_ICONS, "play": "pause" if self._playing else "play",
                    "mute": "muted" if self._muted else "sound"}  # fmt: skip
        for name, drawing in drawings.items():
            self._actions[name].setIcon(icon(drawing, colours.text, colours.muted))


class SeekSlider(QSlider):
    """Goes where it is clicked, instead of a page in that direction."""

    sought = Signal(int)  # by people, also while they drag

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName("Place in the file")
        self.setToolTip("Click or drag to go there")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSingleStep(_MILLI)
        self._showing = False
        self.valueChanged.connect(self._on_value)

    def show_value(self, value: int) -> None:
        """Without seeking."""
        self._showing = True
        self.setValue(value)
        self._showing = False

    def _on_value(self, value: int) -> None:
        if not self._showing:
            self.sought.emit(value)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style, control = self.style(), QStyle.ComplexControl.CC_Slider
        handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, self)
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(
            event.position().toPoint()
        ):
            length = self.width() - handle.width()
            at = round(event.position().x()) - handle.width() // 2
            value = QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), at, length)
            self.setValue(value)
        super().mousePressEvent(event)  # on the handle now: it can be dragged on
