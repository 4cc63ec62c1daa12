"""The one exception that is written for people."""

from __future__ import annotations


class UserError(Exception):
    """Something a person can mend: what happened, and what to do about it.

    Both are whole sentences. Programs show them as they are, without a traceback.
    """

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(f"{text} {hint}".strip())
        self.text = text
        self.hint = hint
