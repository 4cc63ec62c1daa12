"""The Open button with the files opened last, the dialog behind it, and files dropped anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from fer_desktop.playback.recent_files import RecentFiles

# What the dialog shows at first. FFmpeg reads many more: "All files" shows them.
SUFFIXES = (
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv", "3gp"),
    *("wav", "mp3", "flac", "m4a", "aac", "ogg", "opus", "wma"),
)


class OpenButton(QToolButton):
    picked = Signal(Path)  # one of those opened last

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self.setDefaultAction(action)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(18, 18))
        self.setAccessibleName("Open a file")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._recent = QMenu(self)
        self._recent.setToolTipsVisible(True)
        self.setMenu(self._recent)
        self.set_recent(())
        self._forget: Callable[[], None] = lambda: None

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


def ask_for_file(parent: QWidget) -> Path | None:
    """None when people think better of it."""
    media = " ".join(f"*.{suffix}" for suffix in SUFFIXES)
    name, _ = QFileDialog.getOpenFileName(
        parent,
        "Open a video or sound file",
        "",  # the folder of the last time
        f"Video and sound ({media} {media.upper()});;All files (*)",
    )
    return Path(name) if name else None


class FileDrop(QObject):
    """Takes files that are dropped onto a window."""

    dropped = Signal(Path)  # the first
    left_out = Signal(int)  # how many others

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
                self.dropped.emit(paths[0])
                if len(paths) > 1:
                    self.left_out.emit(len(paths) - 1)
            return True
        return False


def _files(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
