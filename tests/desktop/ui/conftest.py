"""The views are tested dark, unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from fer_desktop.ui.theme import apply_theme


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "dark")
    yield
    # Windows of earlier tests would be restyled and repainted in every later one.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
