"""The row on top: of a session its devices and what to do, of a file its name; what both share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from fer_desktop.settings import MODES, Mode
from fer_desktop.ui.announcement import announce
from fer_desktop.ui.commands import COMMANDS, Page
from fer_desktop.ui.elided_combo import ElidedComboBox
from fer_desktop.ui.icons import icon
from fer_desktop.ui.open_button import OpenButton
from fer_desktop.ui.status_line import ElidedLabel
from fer_desktop.ui.theme import colours_of, is_theme_change

State = Literal["stopped", "starting", "running", "paused"]

_BADGES: dict[State, str] = {
    "stopped": "STOPPED",
    "starting": "STARTING",
    "running": "● LIVE",
    "paused": "PAUSED",
}
_PRIVACY = "All on this machine"
_LETTERS = 5  # of what is chosen that a narrow list shows
_COLOURS = {"start": "on_accent", "record": "error"}  # of icons that are not the text's
_MODE_TEXTS: dict[Mode, str] = {
    "both": "Face and voice",
    "camera": "Camera only",
    "microphone": "Microphone only",
}


class _Form(NamedTuple):
    """What of a session's row is told in words."""

    of_session: bool  # Start, Pause, Stop, and the whole of what to use
    of_both: bool  # Open, and the whole of what is said about privacy
    privacy: bool


# From wide to narrow: the words of what is pressed most stay longest.
_FORMS = (
    _Form(True, True, True),
    _Form(True, False, True),
    _Form(False, False, True),
    _Form(False, False, False),
)


class DeviceList(ElidedComboBox):
    """Devices by name; remembers ids, because places in the list move."""

    picked = Signal(str)  # id, by the user only
    other_wanted = Signal()  # one that is not in the list

    def __init__(self, what: str, other: str = "") -> None:
        """``other`` is the text of a last entry, for a device that cannot be listed."""
        super().__init__()
        self._what = what
        self._other = other
        self._selected = 0
        self.setAccessibleName(what.capitalize())
        self.setToolTip(f"Which {what} to use")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LETTERS)
        self.setMaximumWidth(260)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still means Start
        self.activated.connect(self._on_activated)
        self.currentTextChanged.connect(self._tell)
        self.addItem("Looking…")  # until they are listed
        self.setEnabled(False)

    def set_devices(self, devices: Sequence[tuple[str, str]], wanted: str | None) -> None:
        """Show (id, name) pairs and select ``wanted``, or the first where it is not there."""
        self.clear()
        for device, name in devices:
            self.addItem(name, device)
            self.setItemData(self.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        if not devices:
            self.addItem(f"No {self._what} found")
        self._selected = max(0, self.findData(wanted))
        self.setCurrentIndex(self._selected)
        if self._other:
            self.insertSeparator(self.count())
            self.addItem(self._other)
        self.setEnabled(bool(devices or self._other))

    def current(self) -> str | None:
        """Id of the device selected; None where there is none."""
        return self.currentData()

    def _tell(self, name: str) -> None:
        """Of a long name the list shows the beginning."""
        self.setToolTip(f"Which {self._what} to use: {name}")

    def _on_activated(self, index: int) -> None:
        if self._other and index == self.count() - 1:
            self.setCurrentIndex(self._selected)
            self.other_wanted.emit()
        elif self.itemData(index) is not None:
            self._selected = index
            self.picked.emit(self.itemData(index))


class ToolRow(QWidget):
    """Shows the window's actions as buttons; decides nothing."""

    mode_picked = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cameras = DeviceList("camera", other="Network camera or file…")
        self.microphones = DeviceList("microphone")
        self.modes = ElidedComboBox()
        for mode in MODES:
            self.modes.addItem(_MODE_TEXTS[mode], mode)
        self.modes.setMinimumContentsLength(_LETTERS)
        self.modes.setAccessibleName("What to use")
        self.modes.setToolTip("Use face and voice, or only one of them")
        self.modes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.modes.activated.connect(lambda i: self.mode_picked.emit(self.modes.itemData(i)))

        self._page: Page = "live"
        self._icons = {c.name: c.icon for c in COMMANDS if c.icon}
        self._actions = actions
        self._signs = {"camera": QLabel(), "microphone": QLabel()}
        self.start = self._button("start", text=True)
        self.start.setProperty("primary", True)
        self.pause = self._button("pause", text=True)
        # "Resume" is wider than "Pause": the row must not move when it changes.
        self._pause_width = self.fontMetrics().horizontalAdvance("Resume") + 56
        self.pause.setMinimumWidth(self._pause_width)
        self.stop = self._button("stop", text=True)
        self.record = self._button("record")
        self.refresh = self._button("refresh")
        self.back = self._button("live", text=True)
        self.file = ElidedLabel("The file that is open")
        self.file.setAccessibleName("Open file")
        self.export = self._button("export", text=True)
        self.open = OpenButton(actions["open"], actions["batch"])
        self.view = self._view_button()
        self.settings = self._button("settings")
        self.help = self._button("shortcuts")

        self.privacy = QLabel(_PRIVACY)
        self.privacy.setProperty("badge", True)
        self.privacy.setToolTip("Nothing is sent anywhere, and nothing recorded unless you ask")
        self.privacy.setAccessibleName("All on this machine: nothing is sent anywhere")
        self.badge = QLabel()
        self.badge.setProperty("badge", True)
        self.badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.badge.setMinimumWidth(self.fontMetrics().horizontalAdvance("STARTING") + 30)

        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        # The layout must not hold the window wide: narrow windows get the short form below.
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._of_session = (
            self.badge,
            self.start,
            self.pause,
            self.stop,
            self.record,
            self._signs["camera"],
            self.cameras,
            self._signs["microphone"],
            self.microphones,
            self.refresh,
            self.modes,
        )
        self._of_file = (self.back, self.file, self.export)
        for widget in self._of_session:
            row.addWidget(widget, 2 if isinstance(widget, DeviceList) else 0)
        for widget in self._of_file:
            row.addWidget(widget, 100 if widget is self.file else 0)
            widget.hide()
        row.addStretch()  # takes only what the lists of devices leave
        for widget in (self.privacy, self.open, self.view, self.settings, self.help):
            row.addWidget(widget)
        self._widths: list[int] = []  # that the forms of a session's row need
        self.set_state("stopped")
        self._restyle()

    def set_state(self, state: State) -> None:
        self.badge.setText(_BADGES[state])
        before, now = self.badge.accessibleName(), f"Session {state}"
        self.badge.setAccessibleName(now)
        if before not in ("", now):
            announce(self.badge, now)
        self.badge.setToolTip(f"The session is {state}")
        self.badge.setProperty("state", state)
        self.style().unpolish(self.badge)  # a changed property is restyled only so
        self.style().polish(self.badge)
        self.start.setProperty("primary", state == "stopped")

    def show_page(self, page: Page) -> None:
        of_session, of_file = self._of_session, self._of_file
        before, now = (of_file, of_session) if page == "live" else (of_session, of_file)
        for widget in before:  # first: both together would widen the window
            widget.hide()
        self._page = page
        for widget in now:
            widget.show()
        self._widths = []
        self._fit()

    def set_mode(self, mode: Mode) -> None:
        self.modes.setCurrentIndex(MODES.index(mode))

    def minimumSizeHint(self) -> QSize:
        if self._page == "live" and not self._widths:
            self._fit()
        least = self._widths[-1] if self._page == "live" else self._least_width()
        return QSize(least, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        """Without room for them, words give way to their icons."""
        if self._page == "file":
            self._show_words(_FORMS[0])
            return
        if not self._widths:  # as they are in the font and style of now
            for form in _FORMS:
                self._show_words(form)
                self._widths.append(self._least_width())
        forms = zip(_FORMS, self._widths, strict=True)
        self._show_words(next((f for f, width in forms if width <= self.width()), _FORMS[-1]))

    def _least_width(self) -> int:
        row = self.layout()
        assert row is not None
        row.invalidate()
        return row.minimumSize().width()

    def _show_words(self, form: _Form) -> None:
        style = Qt.ToolButtonStyle
        for buttons, words in (
            ((self.start, self.pause, self.stop), form.of_session),
            ((self.open,), form.of_both),
        ):
            for button in buttons:
                button.setToolButtonStyle(
                    style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly
                )
        self.pause.setMinimumWidth(self._pause_width if form.of_session else 0)
        self.modes.setMinimumWidth(self.modes.sizeHint().width() if form.of_session else 0)
        self.privacy.setText(_PRIVACY if form.of_both else "Local")
        self.privacy.setVisible(form.privacy)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._widths = []
            self.updateGeometry()
        if is_theme_change(event) and hasattr(self, "badge"):
            self._restyle()

    def _button(self, name: str, text: bool = False) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[name])
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly
        )
        button.setIconSize(QSize(18, 18))
        button.setAccessibleName(self._actions[name].text())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _view_button(self) -> QToolButton:
        menu = QMenu(self)
        for name in ("mirror", "face", "patches", "emotion"):
            menu.addAction(self._actions[name])
        menu.addSeparator()
        for name in ("theme", "full_screen", "screenshot"):
            menu.addAction(self._actions[name])
        button = QToolButton()
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setIconSize(QSize(18, 18))
        button.setAccessibleName("View")
        button.setToolTip("What is shown")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _restyle(self) -> None:
        colours = colours_of(self)
        for name, drawing in self._icons.items():
            colour = getattr(colours, _COLOURS.get(name, "text"))
            self._actions[name].setIcon(icon(drawing, colour, colours.muted))
        self.view.setIcon(icon("view", colours.text))
        for name, sign in self._signs.items():
            sign.setPixmap(icon(name, colours.muted).pixmap(20, 20))
