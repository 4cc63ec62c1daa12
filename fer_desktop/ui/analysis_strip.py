"""How far the analysis of a file is, how long it will take, and the button that cancels it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QWidget,
)

from fer_desktop.ui.elided_combo import ElidedComboBox
from fer_desktop.ui.timeline import clock

_STEPS = 1000


class AnalysisStrip(QWidget):
    face_picked = Signal(int)  # 0 the largest, behind it each, or those that were offered

    def __init__(self, action: QAction) -> None:
        """``action`` cancels, or goes on."""
        super().__init__()
        self._action = action
        self.words = QLabel()
        self.words.setProperty("muted", True)
        self.words.setMinimumWidth(self.fontMetrics().horizontalAdvance("Analysing…  0:00:00 left"))
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setMinimumWidth(40)  # words and faces need the room
        self.bar.setAccessibleName("How far the analysis is")
        self.button = QToolButton()
        self.button.setDefaultAction(action)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.faces = ElidedComboBox()
        self.faces.setAccessibleName("Whose face")
        self.faces.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.faces.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.faces.setMinimumContentsLength(7)  # in narrow windows: "Face 1…"
        self.faces.activated.connect(self.face_picked)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 2, 0)
        row.setSpacing(10)
        row.addWidget(self.words)
        row.addWidget(self.bar, 1)
        row.addWidget(self.faces)
        row.addWidget(self.button)
        self.show_preparing()
        self.offer_faces((), 0)

    def sizeHint(self) -> QSize:
        return QSize(400, 34)

    def offer_faces(self, texts: Sequence[str], chosen: int) -> None:
        """The largest, and those of ``texts``; without any, to look at each."""
        self.faces.clear()
        self.faces.addItems(["Largest face", *(texts or ["Each face"])])
        self.faces.setCurrentIndex(chosen)
        self.faces.setToolTip(
            "Whose face is shown" if texts else "The largest face, or all who are seen, one by one"
        )

    def show_faces(self, shown: bool) -> None:
        """Whether there can be any."""
        self.faces.setVisible(shown)

    def show_preparing(self) -> None:
        """The model and the file are being looked at."""
        self.bar.setRange(0, 0)
        self._say("Analysing…", "Cancel")

    def show_progress(self, done_s: float, duration_s: float, left_s: float) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round(_STEPS * done_s / duration_s) if duration_s > 0 else 0)
        self._say(f"Analysing…  {clock(left_s)} left", "Cancel")

    def show_cancelled(self) -> None:
        if self.bar.maximum() == 0:
            self.bar.setRange(0, _STEPS)
        self._say("Analysis cancelled", "Continue")

    def show_failed(self) -> None:
        self.bar.setRange(0, _STEPS)
        self._say("Analysis failed", "")

    def show_finished(self, warnings: int) -> None:
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(_STEPS)
        found = f", {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
        self._say(f"Analysed{found}", "")

    def show_known(self, whence: str) -> None:
        """Answers that were there before are shown; the file can be analysed all the same."""
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(_STEPS)
        self._say(whence, "Analyse anew", "Analyse the file anew")

    def _say(self, text: str, button: str, command: str = "") -> None:
        """Without a text on it the button is not needed."""
        self.words.setText(text)
        self._action.setEnabled(bool(button))
        self.button.setVisible(bool(button))
        if button:
            self._action.setText(command or f"{button} the analysis")
            self._action.setIconText(button)
            self.button.setAccessibleName(self._action.text())
