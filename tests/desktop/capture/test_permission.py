import sys

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt

from fer_desktop.capture.permission import ask_once

UNDETERMINED, DENIED = Qt.PermissionStatus.Undetermined, Qt.PermissionStatus.Denied


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS would ask whoever runs the tests")
def test_where_nothing_is_asked_it_goes_on_at_once(qapp):
    done = []
    ask_once(QObject(), lambda: done.append(True))
    assert done == [True]


def test_each_permission_is_asked_for_once_and_a_refusal_is_no_end(qapp, monkeypatch):
    status = {"QCameraPermission": UNDETERMINED, "QMicrophonePermission": UNDETERMINED}
    asked, done = [], []

    def request(_self, permission, _context, answered):
        asked.append(type(permission).__name__)
        status[type(permission).__name__] = DENIED
        answered(permission)

    monkeypatch.setattr(
        QCoreApplication, "checkPermission", lambda _, permission: status[type(permission).__name__]
    )
    monkeypatch.setattr(QCoreApplication, "requestPermission", request)
    ask_once(QObject(), lambda: done.append(True))
    assert asked == ["QCameraPermission", "QMicrophonePermission"]
    assert done == [True]
