"""The one place that imports OpenCV, because what surrounds its import matters.

Everything else says ``from fer_core.preprocess.opencv import cv2``.
"""

from __future__ import annotations

import os

# Windows' Media Foundation otherwise looks for hardware transforms for 10 to 60 s at each open.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
# macOS lets only the main thread ask for the camera; the window does it before OpenCV opens one.
os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")
# A camera that is not there is reported to the user; OpenCV need not print it as well.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET

# cv2's wheel points Qt to its own plugins, with which PySide6's QApplication aborts.
_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

__all__ = ["cv2"]
