"""Icons drawn as lines in ``resources/icons``; ``currentColor`` becomes a colour of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from fer_core.resources import resource

_SIDES = (16, 24, 32, 48, 64)  # pixels: one to three times what buttons show


@lru_cache(maxsize=128)
def icon(name: str, colour: str = "#000000", disabled: str | None = None) -> QIcon:
    """``resources/icons/<name>.svg`` with its lines in ``colour``, or ``disabled`` when it is.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    drawn = QIcon()
    _draw(drawn, name, colour, QIcon.Mode.Normal)
    if disabled is not None:
        _draw(drawn, name, disabled, QIcon.Mode.Disabled)
    return drawn


def _draw(drawn: QIcon, name: str, colour: str, mode: QIcon.Mode) -> None:
    text = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", colour).encode()))
    for side in _SIDES:
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, side, side))
        painter.end()
        drawn.addPixmap(pixmap, mode)
