"""What the window tells people, and the gate through which every unexpected error goes."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import platformdirs

log = logging.getLogger(__name__)

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line in the notice strip; a newer one with the same key replaces it."""

    key: str  # what it is about: "camera", "microphone", "model", "report", ...
    text: str  # what happened
    hint: str = ""  # what to do
    severity: Severity = "error"
    retry: bool = False  # whether trying again may help


def log_path() -> Path:
    return platformdirs.user_log_path("fer-desktop") / "fer-desktop.log"


def write_log_file() -> None:
    """Send warnings and errors to a small rotating file, and to the terminal."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(log_path(), maxBytes=1_000_000, backupCount=1)
        )
    except OSError:
        pass  # a full or read-only disk must not keep the window from opening
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s",
        handlers=handlers,
    )


def catch_everything(listener: Callable[[Notice], None]) -> None:
    """Log what nobody caught, on any thread, and tell ``listener`` in one sentence.

    Errors in Qt slots and in QThread.run reach ``sys.excepthook``, those of other threads
    ``threading.excepthook``.
    """

    def tell(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), trace)
            return
        log.error("unexpected error", exc_info=(kind, error or kind(), trace))
        listener(
            Notice(
                "program",
                f"Something unexpected happened: {error or kind.__name__}.",
                f"The rest goes on. The details are in {log_path()}.",
            )
        )

    sys.excepthook = tell
    threading.excepthook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)
