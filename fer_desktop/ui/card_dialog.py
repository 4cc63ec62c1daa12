"""A model's card, to be read: who taught it, its scores with their splits, its limits."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget


class CardDialog(QDialog):
    def __init__(self, card: Path, parent: QWidget | None = None) -> None:
        """``card``: in Markdown, its pictures beside it.

        Raises:
            OSError: it cannot be read.
        """
        super().__init__(parent)
        self.setWindowTitle("Model card")
        self.setAccessibleName("Model card")
        self.text = QTextBrowser()
        self.text.setAccessibleName("Model card")
        self.text.setSearchPaths([str(card.parent)])
        self.text.setMarkdown(card.read_text(encoding="utf-8"))
        self.text.setOpenLinks(False)  # nothing is fetched
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Back (Esc)")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.resize(860, 640)
