"""A model's card, to be read: who taught it, its scores with their splits, its limits."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from fer_core.resources import CARD_NAME, bundled_model
from fer_desktop.errors import Notice


def card_of(model: Path | None) -> Path:
    """Of the model in that folder, by default the bundled one."""
    return (model or bundled_model()) / CARD_NAME


def show_card(model: Path | None, parent: QWidget | None = None) -> Notice | None:
    """Until it is closed; returns why it cannot be."""
    card = card_of(model)
    try:
        dialog = CardDialog(card, parent)
    except FileNotFoundError:
        text, hint = (
            f"There is no card in {card.parent}.",
            "A training writes one beside its model.",
        )
        return Notice("card", text, hint, severity="info")
    except OSError as error:
        return Notice("card", f"The card {card} cannot be read: {error.strerror}.", "", "warning")
    dialog.exec()
    dialog.deleteLater()
    return None


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
        self.text.setMarkdown(card.read_text(encoding="utf-8", errors="replace"))
        self.text.setOpenLinks(False)  # nothing is fetched
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Back (Esc)")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.addWidget(self.text)
        column.addWidget(buttons)
        room = self.screen().availableSize() - QSize(40, 80)
        self.resize(QSize(860, 640).boundedTo(room))
