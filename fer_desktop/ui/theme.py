"""The colours of the window, dark and light, and the little style there is on top of Fusion.

A painted widget asks :func:`colours_of` in its paintEvent and so follows a change of theme without
being told. The emotions' colours are those of ``fer_core.palette``, which have a contrast of 3:1 on
``surface``.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from fer_core.palette import ON_DARK, ON_LIGHT
from fer_core.resources import resource
from fer_desktop.settings import Theme


@dataclass(frozen=True)
class Colours:
    """One theme; every value is ``#rrggbb``, emotions in the order of ``fer_core.labels``."""

    window: str
    surface: str  # panels: what emotions are drawn on
    raised: str  # buttons, fields
    line: str
    text: str
    muted: str  # secondary text, 4.5:1 on surface
    accent: str
    on_accent: str
    info: str
    warning: str
    error: str
    live: str
    emotions: tuple[str, ...]


DARK = Colours(
    window="#13161c",
    surface="#1b1f27",
    raised="#272c37",
    line="#363d4a",
    text="#eef1f5",
    muted="#9ca6b5",
    accent="#4c9fff",
    on_accent="#06111f",
    info="#4c9fff",
    warning="#f2b53a",
    error="#ff6b5e",
    live="#35d07f",
    emotions=ON_DARK,
)

LIGHT = Colours(
    window="#f1f3f6",
    surface="#ffffff",
    raised="#ffffff",
    line="#cfd5de",
    text="#171b22",
    muted="#5a6473",
    accent="#0b63c9",
    on_accent="#ffffff",
    info="#0b63c9",
    warning="#9a6200",
    error="#c2271a",
    live="#0b7a43",
    emotions=ON_LIGHT,
)


def colours_of(widget: QWidget) -> Colours:
    """The theme the widget is shown in, read from its palette."""
    dark = widget.palette().color(QPalette.ColorRole.Window).lightness() < 128
    return DARK if dark else LIGHT


def is_theme_change(event: QEvent) -> bool:
    """For a widget's ``changeEvent``: whether colours it has baked in are now wrong."""
    return event.type() == QEvent.Type.PaletteChange


def resolve(theme: Theme) -> Colours:
    """The colours of a choice; a system that does not say counts as dark."""
    if theme == "system":
        light = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return LIGHT if theme == "light" else DARK


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Show the whole program in ``theme``, now and without a restart."""
    colours = resolve(theme)
    sheet = _stylesheet(colours)
    if app.styleSheet() == sheet:
        return  # restyling every widget takes 50 ms
    app.setStyle("Fusion")
    app.setPalette(_palette(colours))
    app.setStyleSheet(sheet)


class SystemThemeWatcher(QObject):
    """Follows the system's switch between dark and light while the choice is ``system``."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.theme: Theme = "system"
        QApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def _follow(self) -> None:
        app = QApplication.instance()
        if self.theme == "system" and isinstance(app, QApplication):
            apply_theme(app, "system")


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for roles, colour in (
        ((role.Window,), colours.window),
        ((role.Base, role.ToolTipBase), colours.surface),
        ((role.AlternateBase, role.Button), colours.raised),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), colours.text),
        ((role.BrightText,), colours.error),
        ((role.PlaceholderText,), colours.muted),
        ((role.Highlight, role.Link, role.Accent), colours.accent),
        ((role.HighlightedText,), colours.on_accent),
        ((role.Mid, role.Dark, role.Midlight), colours.line),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    for one in (role.WindowText, role.Text, role.ButtonText):
        faded = QColor(colours.muted)
        faded.setAlphaF(0.55)
        palette.setColor(QPalette.ColorGroup.Disabled, one, faded)
    return palette


def _stylesheet(c: Colours) -> str:
    check = resource(f"icons/check_{'dark' if c is DARK else 'light'}.svg").as_posix()
    chevron = resource("icons/chevron.svg").as_posix()  # a mid grey, seen on both themes
    return f"""
    QToolTip {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.line}; padding: 4px; }}
    QFrame[panel="true"] {{
        background: {c.surface}; border: 1px solid {c.line}; border-radius: 8px; }}
    QToolButton, QPushButton {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.line};
        border-radius: 6px; padding: 5px 10px; min-height: 20px; }}
    QToolButton:hover, QPushButton:hover {{ border-color: {c.accent}; }}
    QToolButton:focus, QPushButton:focus, QComboBox:focus, QSlider:focus {{
        border: 1px solid {c.accent}; }}
    QToolButton:pressed, QPushButton:pressed, QToolButton:checked {{ background: {c.line}; }}
    QToolButton:disabled, QPushButton:disabled, QComboBox:disabled {{
        color: {c.muted}; background: {c.window}; }}
    QToolButton[primary="true"]:enabled, QPushButton:default:enabled {{
        background: {c.accent}; color: {c.on_accent}; border-color: {c.accent}; }}
    QToolButton[primary="true"]:enabled {{ font-weight: 600; }}
    QToolButton[primary="true"]:focus, QPushButton:default:focus {{ border-color: {c.text}; }}
    QToolButton[flat="true"] {{ background: transparent; border-color: transparent; padding: 4px; }}
    QToolButton[flat="true"]:hover, QToolButton[flat="true"]:focus {{ border-color: {c.accent}; }}
    QToolButton[compact="true"] {{ padding: 5px 6px; }}
    QTabBar {{ qproperty-drawBase: 0; }}
    QTabBar::tab {{
        color: {c.muted}; padding: 3px 11px 5px 11px; border: 1px solid transparent;
        border-radius: 4px; border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {c.text}; border-bottom-color: {c.accent}; }}
    QTabBar::tab:hover {{ color: {c.text}; }}
    QTabBar::tab:focus {{ border: 1px solid {c.accent}; border-bottom-width: 2px; }}
    QTabWidget::pane {{ border: none; }}
    QComboBox {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.line};
        border-radius: 6px; padding: 4px 4px 4px 8px; min-height: 22px; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox::down-arrow {{ image: url({chevron}); width: 12px; height: 12px; }}
    QLineEdit, QSpinBox, QPlainTextEdit {{
        background: {c.surface}; color: {c.text}; border: 1px solid {c.line};
        border-radius: 6px; padding: 4px 8px; }}
    QLineEdit, QSpinBox {{ min-height: 22px; }}
    QLineEdit:disabled, QSpinBox:disabled {{ color: {c.muted}; background: {c.window}; }}
    QSpinBox::up-button, QSpinBox::down-button {{ width: 0; }}
    QLineEdit, QPlainTextEdit {{ placeholder-text-color: {c.muted}; }}
    QLineEdit:focus, QSpinBox:focus, QPlainTextEdit:focus {{ border-color: {c.accent}; }}
    QDialog QPushButton {{ min-width: 64px; }}
    QComboBox QAbstractItemView {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.line};
        selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
    QCheckBox {{ border: 1px solid transparent; border-radius: 4px; padding: 2px 4px 2px 0; }}
    QCheckBox:focus {{ border-color: {c.accent}; }}
    QCheckBox::indicator {{
        border: 1px solid {c.muted}; border-radius: 3px; background: {c.surface};
        width: 12px; height: 12px; }}
    QCheckBox::indicator:checked {{
        border-color: {c.accent}; background: {c.accent}; image: url({check}); }}
    QCheckBox::indicator:disabled {{ border-color: {c.line}; }}
    QLabel[muted="true"] {{ color: {c.muted}; }}
    QLabel[badge="true"] {{
        color: {c.muted}; border: 1px solid {c.line}; border-radius: 6px; padding: 4px 8px; }}
    QLabel[state="running"] {{ color: {c.live}; border-color: {c.live}; font-weight: 600; }}
    QLabel[state="paused"] {{ color: {c.warning}; border-color: {c.warning}; font-weight: 600; }}
    QLabel[warning="true"] {{ color: {c.warning}; font-weight: 600; }}
    QHeaderView::section {{
        color: {c.muted}; background: {c.surface}; padding: 4px 3px;
        border: none; border-bottom: 1px solid {c.line}; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:horizontal {{ height: 10px; }}
    QScrollBar:vertical {{ width: 10px; }}
    QScrollBar::handle {{ background: {c.line}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:horizontal {{ min-width: 24px; }}
    QScrollBar::handle:vertical {{ min-height: 24px; }}
    QScrollBar::handle:hover {{ background: {c.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:hover {{ background: {c.line}; }}
    QStatusBar QLabel {{ color: {c.muted}; }}
    QStatusBar::item {{ border: none; }}
    """
