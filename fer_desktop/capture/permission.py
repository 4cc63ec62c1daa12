"""Asking people for camera and microphone where the system wants a program to ask."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCameraPermission, QCoreApplication, QMicrophonePermission, QObject, Qt


def ask_once(context: QObject, then: Callable[[], None]) -> None:
    """Let the system ask for what it has not asked before, then do ``then``.

    macOS asks, and only the main thread may make it; elsewhere nothing is asked and ``then`` runs
    at once. A refusal is told where the device is opened: its remedy belongs to the device.
    ``then`` is not called when ``context`` has gone meanwhile.
    """
    app = QCoreApplication.instance()
    assert app is not None
    for permission in (QCameraPermission(), QMicrophonePermission()):
        if app.checkPermission(permission) == Qt.PermissionStatus.Undetermined:
            app.requestPermission(permission, context, lambda _: ask_once(context, then))
            return
    then()
