"""The Open button with the files opened last, the dialog behind it, and files dropped anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from fer_desktop.playback.recent_files import RecentFiles

# What the dialog shows at first. FFmpeg reads many more: "All files" shows them.
SUFFIXES = (
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv", "3gp"),
    *("wav", "mp3", "flac", "m4a", "aac", "ogg", "opus", "wma"),
)


class OpenButton(QToolButton):
    picked = Signal(Path)  # one of those opened last

    def __init__(self, action: QAction, several: QAction) -> None:
        """``several``: the last entry of its list."""
        super().__init__()
        self._several = several
        self.setDefaultAction(action)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(18, 18))
        self.setAccessibleName("Open a file")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._recent = QMenu(self)
        self._recent.setToolTipsVisible(True)
        self.setMenu(self._recent)
        self.setAccessibleDescription("Alt+Down: files opened last")
        self.set_recent(())
        self._forget: Callable[[], None] = lambda: None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.showMenu()
        else:
            super().keyPressEvent(event)

    def offer(self, recent: RecentFiles) -> None:
        """List them from now on, as they change."""
        self._forget = recent.clear
        recent.on_change = self.set_recent
        self.set_recent(recent.all)

    def set_recent(self, paths: Sequence[Path]) -> None:
        """Newest first."""
        self._recent.clear()
        for path in paths:
            entry = self._recent.addAction(path.name.replace("&", "&&"))
            entry.setToolTip(str(path))
            entry.triggered.connect(lambda _=False, path=path: self.picked.emit(path))
        if paths:
            self._recent.addSeparator()
            self._recent.addAction("Forget these files").triggered.connect(lambda: self._forget())
        else:
            self._recent.addAction("No file was opened yet").setEnabled(False)
        self._recent.addSeparator()
        self._recent.addAction(self._several)


def ask_for_file(parent: QWidget) -> Path | None:
    """None when people think better of it."""
    name, _ = QFileDialog.getOpenFileName(parent, "Open a video or sound file", "", _filters())
    return Path(name) if name else None


def ask_for_files(parent: QWidget) -> list[Path]:
    names, _ = QFileDialog.getOpenFileNames(parent, "Video and sound files", "", _filters())
    return [Path(name) for name in names]


def _filters() -> str:
    media = " ".join(f"*.{suffix}" for suffix in SUFFIXES)
    return f"Video and sound ({media} {media.upper()});;All files (*)"


class FileDrop(QObject):
    """Takes files and folders that are dropped onto a window."""

    dropped = Signal(list)  # of Path: files and folders

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent):  # QDragEnterEvent is one too
            paths = _files(event)
            if not paths:
                return False
            event.acceptProposedAction()
            if not isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.Drop:
                self.dropped.emit(paths)
            return True
        return False


def _files(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
