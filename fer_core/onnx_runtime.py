"""The one place that imports ONNX Runtime, because it reports to Microsoft unless told not to.

Since 1.29 its wheels for Linux and macOS send what they ran and on what, half a minute after the
first model was opened. Everything else says ``from fer_core.onnx_runtime import onnxruntime``.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when the first session begins

import onnxruntime

onnxruntime.disable_telemetry_events()  # on Windows, where the variable is not read

__all__ = ["onnxruntime"]
