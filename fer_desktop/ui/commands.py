"""Everything the window can be told to do, with its keys: the one place where they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    text: str
    keys: tuple[str, ...]
    tip: str
    icon: str = ""
    checkable: bool = False


# Start and Pause share Space: never are both enabled.
COMMANDS = (
    Command("start", "Start", ("Space",), "Start camera and microphone", "play"),
    Command("pause", "Pause", ("Space",), "Pause the session, or go on", "pause"),
    Command("stop", "Stop", ("S", "Ctrl+."), "Stop; camera and microphone are closed", "stop"),
    Command("record", "Record", ("Ctrl+R",), "Record the session, or end that", "record", True),
    Command("retry", "Try again", ("R",), "Try again whatever failed"),
    Command("refresh", "Look for devices", ("F5",), "Look for cameras and microphones", "refresh"),
    Command("mirror", "Mirror the picture", ("M",), "Show the picture as a mirror", "", True),
    Command("face", "Face boxes", ("B",), "Show boxes around faces", "", True),
    Command("patches", "Kept patches", ("P",), "Shade the patches the network kept", "", True),
    Command("emotion", "Emotion on the picture", ("E",), "Write it on the picture", "", True),
    Command("release", "Follow the largest face", ("Esc",), "Unlock the face; leave full screen"),
    Command("theme", "Dark or light", ("T",), "Switch between dark and light"),
    Command("full_screen", "Full screen", ("F11",), "Fill the screen with the window", "", True),
    Command("screenshot", "Save a picture", ("Ctrl+Shift+S",), "Save a picture of the window"),
    Command("settings", "Settings", ("Ctrl+,",), "Settings", "settings"),
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


class SpaceIsTheirs(QObject):
    """Lets a focused button or list keep Space, which would otherwise start or pause."""

    def watch(self, widgets: Iterable[QWidget]) -> None:
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)
