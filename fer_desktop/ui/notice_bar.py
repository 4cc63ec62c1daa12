"""Strips that say what happened and what to do; one per subject, the newest words on top."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.errors import Notice
from fer_desktop.ui.announcement import announce
from fer_desktop.ui.icons import icon
from fer_desktop.ui.theme import colours_of, is_theme_change

_GAP = 6  # pixels between strips
_MOST = 2  # strips that are shown whole, where there is room


class NoticeBar(QScrollArea):
    """Takes no room while there is nothing to say, and never so much that the window grows.

    In a low window it is one strip high; older ones are scrolled to.
    """

    retry = Signal(str)  # key

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strips: dict[str, _Strip] = {}
        inside = QWidget()
        self._layout = QVBoxLayout(inside)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(_GAP)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        inside.setAutoFillBackground(False)  # which setWidget switches on
        self.viewport().setAutoFillBackground(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setAccessibleName("Notices")
        self.hide()

    def sizeHint(self) -> QSize:
        heights = self._heights()[:_MOST]
        return QSize(400, sum(heights) + _GAP * max(len(heights) - 1, 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, max(self._heights(), default=0))

    def _heights(self) -> list[int]:
        """Of the strips, from the top, in the width that there is; in pixels."""
        parent = self.parentWidget()
        width = self.width() if parent is None else parent.contentsRect().width()
        items = (self._layout.itemAt(place) for place in range(self._layout.count()))
        return [item.heightForWidth(width) for item in items if item is not None]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # words wrap elsewhere

    def show_notice(self, notice: Notice) -> None:
        """Show it, in place of an older one with the same key."""
        strip = self.strips.get(notice.key)
        news = strip is None or strip.notice != notice
        if strip is None:
            strip = _Strip(notice.key)
            strip.retry.clicked.connect(lambda: self.retry.emit(notice.key))
            strip.close_button.clicked.connect(lambda: self._dismiss(notice.key))
            self.strips[notice.key] = strip
        strip.show_notice(notice)
        if news:
            self._layout.insertWidget(0, strip)
            self.verticalScrollBar().setValue(0)
        self.show()
        self.updateGeometry()
        if news:
            announce(strip, strip.words.accessibleName())

    def clear(self, key: str) -> None:
        strip = self.strips.pop(key, None)
        if strip is None:
            return
        self._layout.removeWidget(strip)
        strip.hide()
        strip.deleteLater()
        self.setVisible(bool(self.strips))
        self.updateGeometry()

    def keys(self) -> tuple[str, ...]:
        return tuple(self.strips)

    def retryable(self) -> tuple[str, ...]:
        """Keys of the notices that offer Retry, oldest first."""
        return tuple(key for key, strip in self.strips.items() if strip.notice.retry)

    def text(self, key: str) -> str:
        return self.strips[key].words.text()

    def _dismiss(self, key: str) -> None:
        self.clear(key)


class _Strip(QFrame):
    notice: Notice

    def __init__(self, key: str) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._sign = QLabel()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.words.setMinimumWidth(200)
        self.retry = QToolButton()
        self.retry.setText("Retry")
        self.retry.setAccessibleName(f"Retry {key}")
        self.retry.setToolTip("Try again (R)")
        self.close_button = QToolButton()
        self.close_button.setProperty("flat", True)
        self.close_button.setAccessibleName(f"Dismiss the notice about {key}")
        self.close_button.setToolTip("Dismiss")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 6, 3)
        row.setSpacing(10)
        row.addWidget(self._sign)
        row.addWidget(self.words, 1)
        row.addWidget(self.retry)
        row.addWidget(self.close_button)

    def show_notice(self, notice: Notice) -> None:
        self.notice = notice
        self.words.setText(f"{notice.text} {notice.hint}".strip())
        self.words.setAccessibleName(f"{notice.severity}: {notice.text} {notice.hint}".strip())
        self.retry.setVisible(notice.retry)
        self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and hasattr(self, "notice"):
            self._restyle()

    def _restyle(self) -> None:
        colours = colours_of(self)
        colour = {
            "info": colours.info,
            "warning": colours.warning,
            "error": colours.error,
        }[self.notice.severity]
        self._sign.setPixmap(icon(self.notice.severity, colour).pixmap(22, 22))
        self.close_button.setIcon(icon("close", colours.muted))
        sheet = (
            f"#strip {{ background: {colours.surface}; border: 1px solid {colour};"
            " border-radius: 6px; }"
        )
        if self.styleSheet() != sheet:
            self.setStyleSheet(sheet)
