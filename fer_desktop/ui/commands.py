"""Everything the window can be told to do, with its keys: the one place where they are written."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QTabBar,
    QWidget,
)

Page = Literal["live", "file"]


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    text: str
    keys: tuple[str, ...]
    tip: str
    icon: str = ""
    checkable: bool = False
    page: Page | None = None  # where it can be used; None: everywhere


def _of_page(page: Page, *commands: Command) -> tuple[Command, ...]:
    return tuple(dataclasses.replace(command, page=page) for command in commands)


# What shares a key is never enabled together: Start and Pause, and the commands of the two pages.
COMMANDS = (
    *_of_page(
        "live",
        Command("start", "Start", ("Space",), "Start camera and microphone", "play"),
        Command("pause", "Pause", ("Space",), "Pause the session, or go on", "pause"),
        Command("stop", "Stop", ("S", "Ctrl+."), "Stop; camera and microphone are closed", "stop"),
        Command("record", "Record", ("Ctrl+R",), "Record the session, or end that", "record", True),
        Command("refresh", "Look for devices", ("F5",), "Look for cameras, microphones", "refresh"),
        Command("mirror", "Mirror the picture", ("M",), "Show the picture as a mirror", "", True),
        Command("patches", "Kept patches", ("P",), "Shade the patches the network kept", "", True),
        Command("next_face", "Follow the next face", ("N",), "Follow the next face to the right"),
        Command("release", "Follow the largest face", ("Esc",), "Unlock the face"),
        Command("look_closer", "Shorter time", ("+", "="), "Show a shorter time of the session"),
        Command("look_wider", "Longer time", ("-",), "Show a longer time of the session"),
        Command("look_back", "Timeline back", ("PgUp",), "Look back in the session"),
        Command("look_on", "Timeline on", ("PgDown",), "Look on in the session"),
        Command("newest", "Newest minute", ("End",), "Follow the newest minute again"),
    ),
    *_of_page(
        "file",
        Command("play", "Play", ("Space", "K"), "Play or pause"),
        Command("step_back", "Picture before", (",",), "The picture before this one"),
        Command("step_on", "Next picture", (".",), "The next picture"),
        Command("back", "5 s back", ("Left",), "Go 5 s back"),
        Command("on", "5 s on", ("Right",), "Go 5 s on"),
        Command("back_a_little", "1 s back", ("Shift+Left",), "Go 1 s back"),
        Command("on_a_little", "1 s on", ("Shift+Right",), "Go 1 s on"),
        Command("beginning", "To the beginning", ("Home",), "Go to the beginning"),
        Command("end", "To the end", ("End",), "Go to the end"),
        Command("slower", "Slower", ("[",), "Play slower"),
        Command("faster", "Faster", ("]",), "Play faster"),
        Command("normal_speed", "Normal speed", ("Backspace",), "Play at normal speed"),
        Command("set_in", "Selection from here", ("I",), "Begin the selection here"),
        Command("set_out", "Selection to here", ("O",), "End the selection here"),
        Command("loop", "Loop", ("L",), "Repeat the selection, or the file", "", True),
        Command("clear_selection", "Clear the selection", ("X",), "Select nothing"),
        Command("louder", "Louder", ("Up",), "Louder"),
        Command("quieter", "Quieter", ("Down",), "Quieter"),
        Command("mute", "Mute", ("U",), "Sound off or on"),
        Command("sound_track", "Next sound track", ("A",), "Hear the next sound track"),
        Command("zoom_in", "Shorter time", ("+", "="), "Show a shorter time of the timeline"),
        Command("zoom_out", "Longer time", ("-",), "Show a longer time of the timeline"),
        Command("fit", "Whole file", ("0",), "Show the whole file in the timeline"),
        Command("page_back", "Timeline back", ("PgUp",), "Scroll the timeline back"),
        Command("page_on", "Timeline on", ("PgDown",), "Scroll the timeline on"),
        Command("mark", "Mark this moment", ("M",), "Mark this moment, with a note"),
        Command("analysis", "Cancel the analysis", ("C",), "Cancel the analysis, or go on"),
        Command("export", "Export", ("Ctrl+E",), "Write results, chart, report or video", "export"),
        Command("live", "Camera", ("Esc",), "Back to camera and microphone", "back"),
    ),
    Command(
        "open",
        "Open",
        ("Ctrl+O",),
        "Open a video or sound file (Alt+Down: those opened last), or drop it here",
        "open",
    ),
    Command("batch", "Several recordings", ("Ctrl+Shift+O",), "Analyse several recordings"),
    Command("retry", "Try again", ("R",), "Try again whatever failed"),
    Command("face", "Face boxes", ("B",), "Show boxes around faces", "", True),
    Command("emotion", "Emotion on the picture", ("E",), "Write it on the picture", "", True),
    Command("theme", "Dark or light", ("T",), "Switch between dark and light"),
    Command("full_screen", "Full screen", ("F11",), "Fill the screen; Esc leaves it", "", True),
    Command("screenshot", "Save a picture", ("Ctrl+Shift+S",), "Save a picture of the window"),
    Command("settings", "Settings", ("Ctrl+,",), "Settings", "settings"),
    Command("training", "Train a model", ("Ctrl+T",), "Train a model on recordings"),
    Command("card", "The model's card", ("Ctrl+I",), "How right the model is, and about whom"),
    Command("shortcuts", "Keyboard shortcuts", ("F1", "?"), "Keyboard shortcuts", "help"),
    Command("quit", "Quit", ("Ctrl+Q",), "Stop and quit"),
)


def make_actions(window: QWidget) -> dict[str, QAction]:
    """One action per command, by name, with its shortcuts active in ``window``."""
    actions = {}
    for command in COMMANDS:
        action = QAction(command.text, window)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setToolTip(f"{command.tip} ({', '.join(command.keys)})")
        action.setCheckable(command.checkable)
        window.addAction(action)
        actions[command.name] = action
    return actions


_MOVING = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)


class KeysAreTheirs(QObject):
    """Lets a focused button or list keep Space, a slider, list or tabs the arrows; else they play.

    Only the widget with the focus is watched: a filter of the program would see every event.
    """

    _PRESSED = QAbstractButton | QComboBox
    _MOVED = QAbstractSlider | QComboBox | QAbstractItemView | QTabBar

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow)

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None and now.window() is self._window:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            presses = event.key() == Qt.Key.Key_Space and isinstance(watched, self._PRESSED)
            if presses or (event.key() in _MOVING and isinstance(watched, self._MOVED)):
                event.accept()
                return True
        return super().eventFilter(watched, event)
