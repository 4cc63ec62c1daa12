"""What the program does with camera and microphone, to be agreed to before the first session."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fer_desktop.ui.icons import icon
from fer_desktop.ui.theme import colours_of

_AROUND = QSize(80, 260)  # the dialog's title, edges and buttons, and what the system takes
TEXT = """
<p><b>What is captured.</b> Pictures of the camera and sound of the microphone you choose, only
while a session runs: from Start to Stop, never before and never after.</p>
<p><b>Where it stays.</b> Everything is computed on this machine, and nothing is sent anywhere.
Nothing is recorded unless you press Record: then a red badge is on the picture, and the recording
stays in its folder, in your documents or where Settings say, until you delete it. Settings,
markers, the names of the files opened last with the places reached in them, and a log of warnings
and errors are kept. Other files are written only when you ask.</p>
<p><b>What the answers are.</b> Guesses about how an expression looks and how a voice sounds. They
do not tell what a person feels or intends, they are often wrong, and they are less reliable for
people unlike those the model was trained on.</p>
<p><b>What the law says.</b> Tell everybody in view or within hearing, and ask for their consent.
Inferring emotions of people at work or in education is prohibited in the European Union, except for
medical or safety reasons (Regulation (EU) 2024/1689, the AI Act, Article 5(1)(f)). Elsewhere you
must inform the people concerned (Article 50(3)).</p>
"""


class PrivacyDialog(QDialog):
    """Accepted by Agree, rejected by Quit, Esc and closing it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Before the first session")
        self.setAccessibleName("Before the first session")
        sign = QLabel()
        sign.setPixmap(icon("lock", colours_of(self).accent).pixmap(QSize(32, 32)))
        title = QLabel("Camera and microphone stay on this machine")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.4)
        font.setBold(True)
        title.setFont(font)
        title.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(sign)
        head.addWidget(title, 1)
        self.words = QLabel(TEXT)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.words.setAccessibleName("What is captured, where it stays and what the law says")
        room = self.screen().availableSize() - _AROUND
        width = min(max(560, 80 * self.words.fontMetrics().averageCharWidth()), room.width())
        self.words.setFixedWidth(width)
        height = self.words.heightForWidth(width)
        area = QScrollArea()
        area.setWidget(self.words)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName(self.words.accessibleName())
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumSize(width + bar, min(height, room.height()))  # nothing of it is cut off
        buttons = QDialogButtonBox()
        self.agree = buttons.addButton("Agree", QDialogButtonBox.ButtonRole.AcceptRole)
        self.quit = buttons.addButton("Quit", QDialogButtonBox.ButtonRole.RejectRole)
        self.agree.setDefault(True)
        self.agree.setToolTip("Go on to the window; nothing is captured before you press Start")
        self.quit.setToolTip("Leave the program")
        for button in (self.agree, self.quit):
            button.setAccessibleName(button.text())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(area)
        column.addWidget(buttons)
        self.agree.setFocus()
