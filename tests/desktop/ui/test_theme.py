from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from fer_core.labels import EMOTIONS
from fer_desktop.ui.theme import DARK, LIGHT, Colours, apply_theme, colours_of

THEMES = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def linear(colour: str) -> np.ndarray:
    """sRGB ``#rrggbb`` as linear RGB, 0 to 1 (IEC 61966-2-1)."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's ratio, 1 to 21."""
    a, b = (linear(c) @ [0.2126, 0.7152, 0.0722] + 0.05 for c in (one, other))
    return float(max(a, b) / min(a, b))


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Ottosson's OKLab (2020): distances in it are even to the eye; 0.02 is just noticeable."""
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return to_lab @ np.cbrt(to_lms @ np.clip(rgb, 0, 1))


@THEMES
def test_every_emotion_stands_out_from_its_background(colours: Colours) -> None:
    for label, colour in zip(EMOTIONS, colours.emotions, strict=True):
        assert contrast(colour, colours.surface) >= 3.0, label


@THEMES
@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_emotions_look_alike_to_anybody(colours: Colours, sight: str) -> None:
    seen = [oklab(SIGHT[sight] @ linear(colour)) for colour in colours.emotions]
    for (a, one), (b, other) in itertools.combinations(zip(EMOTIONS, seen, strict=True), 2):
        assert np.linalg.norm(one - other) >= 0.06, f"{a} and {b}"


@THEMES
def test_words_can_be_read(colours: Colours) -> None:
    for background in (colours.window, colours.surface, colours.raised):
        assert contrast(colours.text, background) >= 7.0
        assert contrast(colours.muted, background) >= 4.5
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    for sign in (colours.warning, colours.error, colours.live):
        assert contrast(sign, colours.surface) >= 3.0


def test_the_theme_changes_while_the_program_runs(qtbot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    for theme, colours in (("light", LIGHT), ("dark", DARK), ("light", LIGHT)):
        apply_theme(app, theme)
        assert colours_of(widget) is colours
