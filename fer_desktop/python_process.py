"""A process of this program's own code, whose lines arrive as they are written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment

import fer_core


def python_process(arguments: Sequence[str], parent: QObject) -> QProcess:
    """Not yet started; ``arguments`` are the interpreter's."""
    process = QProcess(parent)
    process.setProgram(sys.executable)
    process.setArguments(list(arguments))
    # Where this program's own code is found, also if it is not installed.
    process.setWorkingDirectory(str(Path(fer_core.__file__).parents[1]))
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert("PYTHONIOENCODING", "utf-8")
    process.setProcessEnvironment(environment)
    return process
