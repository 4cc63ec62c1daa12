"""A picture of the window, kept among the user's own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QWidget

from fer_desktop.errors import Notice


def save_picture(window: QWidget) -> Notice:
    """Where the picture is now, or why it is nowhere."""
    place = QStandardPaths.StandardLocation.PicturesLocation
    folder = Path(QStandardPaths.writableLocation(place) or Path.home())
    path = folder / f"emotions-{datetime.now():%Y%m%d-%H%M%S}.png"
    if window.grab().save(str(path)):
        return Notice("picture", f"Picture saved as {path}.", severity="info")
    hint = "Check that the folder exists and can be written."
    return Notice("picture", f"{path} could not be written.", hint)
