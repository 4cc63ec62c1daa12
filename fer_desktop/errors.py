"""What the window tells people, and the gate through which every unexpected error goes."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
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


def first_line(error: Exception) -> str:
    """What an unexpected error says, as a part of a sentence; its kind if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def log_path() -> Path:
    return platformdirs.user_log_path("fer-desktop") / "fer-desktop.log"


def libraries_log_path() -> Path:
    return log_path().with_name("libraries.log")


def write_log_file() -> None:
    """Send warnings and errors to a small rotating file, and nothing to the terminal."""
    handler: logging.Handler = logging.NullHandler()
    # A full or read-only disk must not keep the window from opening.
    with contextlib.suppress(OSError):
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            log_path(), maxBytes=1_000_000, backupCount=1, encoding="utf-8"
        )
    logging.raiseExceptions = False  # nor one that becomes full fill the terminal
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s",
        handlers=[handler],
    )
    # What libraries warn of as Python does, torch of its own kernels now and then, goes there too.
    logging.captureWarnings(True)


def keep_terminal_quiet() -> None:
    """Send what libraries print past Python to a file beside the log, begun anew at each start.

    Qt, ALSA, JACK, PortAudio and MediaPipe have much to say about devices that are not there. Only
    ``sys.stderr`` still reaches the terminal. (A handler for Qt's messages in Python is no way: Qt
    Multimedia has one while it is loaded, the handler lets another thread run, that one imports
    and waits for the loader: a deadlock, seen.)
    """
    try:
        terminal = os.dup(2)
    except OSError:
        return  # a program without a terminal
    try:
        quiet = os.open(libraries_log_path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        quiet = os.open(os.devnull, os.O_WRONLY)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, errors="backslashreplace")
    os.dup2(quiet, 2)
    os.close(quiet)


def catch_everything(listener: Callable[[Notice], None]) -> None:
    """Log what nobody caught, on any thread, and tell ``listener`` in one sentence.

    Errors in Qt slots reach ``sys.excepthook``, those of threads ``threading.excepthook``, those of
    callbacks and destructors, which are only logged, ``sys.unraisablehook``. The terminal gets one
    line, for the first.
    """
    printed = threading.Event()

    def tell(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.error("unexpected error", exc_info=(kind, error or kind(), trace))
        words = str(error).strip().splitlines() if error else []
        text = f"Something unexpected happened: {(words or [kind.__name__])[0].rstrip('.')}."
        details = f"The details are in {log_path()}."
        if not printed.is_set() and sys.stderr is not None:
            printed.set()
            print(f"fer-desktop: {text} {details}", file=sys.stderr)
        with contextlib.suppress(RuntimeError):  # the window has gone
            listener(Notice("program", text, f"The rest goes on. {details}"))

    def note(unraisable: sys.UnraisableHookArgs) -> None:
        error = unraisable.exc_value or unraisable.exc_type()
        log.error("%s: %r", unraisable.err_msg or "ignored", unraisable.object, exc_info=error)

    sys.excepthook = tell
    threading.excepthook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = note
