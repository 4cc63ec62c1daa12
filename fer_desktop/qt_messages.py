"""What Qt says of itself goes to the log file; people in front of a terminal did not ask for it."""

from __future__ import annotations

import logging
import sys

from PySide6.QtCore import QLoggingCategory, QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger("qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_qt_messages() -> None:
    """From now on; what Qt aborts the process for is also printed."""
    # QtMultimedia tells which libraries it misses while the loader loads it. Python's handler may
    # hand the interpreter to a thread that imports and thus waits for the loader: a deadlock.
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")
    qInstallMessageHandler(_log)


def _log(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    log.log(_LEVELS[kind], "%s: %s", context.category, message)
    if kind == QtMsgType.QtFatalMsg and sys.stderr is not None:
        print(f"fer-desktop: {message.strip()}", file=sys.stderr)
