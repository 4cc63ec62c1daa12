"""The rounded surface on which views that paint themselves lie."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from fer_desktop.ui.theme import colours_of

RADIUS = 8  # pixels


def paint_panel(widget: QWidget) -> QPainter:
    """A smooth painter of ``widget``, under which the surface is already painted."""
    colours = colours_of(widget)
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.line), 1))
    painter.setBrush(QColor(colours.surface))
    painter.drawRoundedRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
    return painter
