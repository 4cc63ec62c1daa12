"""The views are tested dark, unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from fer_desktop.ui import announcement
from fer_desktop.ui.theme import apply_theme


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "dark")
    yield
    # Windows of earlier tests would be restyled and repainted in every later one.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def letters_of(qapp: QApplication) -> Iterator[Callable[[float], None]]:
    """Gives the system's font so many points, for views built from then on."""
    usual = qapp.font()

    def change(points: float) -> None:
        font = qapp.font()
        font.setPointSizeF(points)
        qapp.setFont(font)

    yield change
    qapp.setFont(usual)


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What screen readers are told."""
    told: list[str] = []
    monkeypatch.setattr(
        announcement.QAccessible, "updateAccessibility", lambda event: told.append(event.message())
    )
    return told


@pytest.fixture
def drop() -> Callable[[QWidget, Sequence[str]], tuple[bool, bool]]:
    """Drops addresses onto a window; tells whether the drag and the drop were taken."""

    def drop(window: QWidget, urls: Sequence[str]) -> tuple[bool, bool]:
        data = QMimeData()
        data.setUrls([QUrl(url) for url in urls])
        how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
        none = Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(5, 5), *how, none)
        enter.ignore()
        QApplication.sendEvent(window, enter)
        dropped = QDropEvent(QPointF(5, 5), *how, none)
        dropped.ignore()
        QApplication.sendEvent(window, dropped)
        return enter.isAccepted(), dropped.isAccepted()

    return drop
