"""Every desktop test runs without a screen and with settings of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before anything imports Qt: the platform is read once.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["FER_DESKTOP_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
