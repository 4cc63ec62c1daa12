"""From any thread to the GUI thread, which alone may touch what is shown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal


class GuiCalls(QObject):
    """Made on the GUI thread, and deleted with its owner."""

    _posted = Signal(object)  # a callable

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self._posted.connect(self._call)

    def call(self, what: Callable[[], None]) -> None:
        """Call ``what`` on the GUI thread, after all that was asked for before; returns at once.

        Raises:
            RuntimeError: the owner has gone.
        """
        self._posted.emit(what)

    def _call(self, what: Callable[[], None]) -> None:
        what()
