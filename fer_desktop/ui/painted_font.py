"""The font of words that a view paints itself: with the system's font they grow as labels do."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import QWidget

USUAL_PIXELS = 13  # of the fonts of most systems; what is painted was measured beside these


def painted_size(widget: QWidget, pixels: float, most: float = 1000.0) -> int:
    """``pixels`` high beside labels of the usual size, more beside larger ones, up to ``most``."""
    growth = max(QFontInfo(widget.font()).pixelSize() / USUAL_PIXELS, 1.0)
    return int(max(min(pixels * growth, most), pixels))


def painted_font(widget: QWidget, pixels: float, most: float = 1000.0, bold: bool = False) -> QFont:
    font = QFont(widget.font())
    font.setPixelSize(painted_size(widget, pixels, most))
    font.setBold(bold)
    return font
