"""The emotions' names in rich text, each behind a square of its colour."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from fer_core.labels import EMOTIONS
from fer_desktop.ui.theme import colours_of


def named_emotion(widget: QWidget, emotion: int, value: str = "") -> str:
    """In the colours of the theme that ``widget`` is shown in; ``value`` follows the name."""
    colour = colours_of(widget).emotions[emotion]
    return f'<span style="color:{colour}">■</span>&nbsp;{EMOTIONS[emotion]}{value}'


def legend(widget: QWidget) -> str:
    return "&nbsp; ".join(named_emotion(widget, i) for i in range(len(EMOTIONS)))
