"""What is counted and timed in a session; shown in the status bar and written to the report."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

RECENT_SECONDS = 3.0
LATENCIES_KEPT = 4096  # 25 minutes of predictions; memory stays constant


class RateMeter:
    """How often something happens, lately and since its first time."""

    def __init__(self) -> None:
        self.count = 0
        self._first_s = 0.0
        self._last_s = 0.0
        self._recent: deque[tuple[float, int]] = deque()

    def tick(self, now: float, times: int = 1) -> None:
        if self.count == 0:
            self._first_s = now
        self.count += times
        self._last_s = now
        self._recent.append((now, times))
        self._forget(now)

    def per_second(self, now: float) -> float:
        """Over the last 3 s; sinks to zero when nothing happens any more."""
        self._forget(now)
        span = min(RECENT_SECONDS, now - self._first_s)
        return sum(times for _, times in self._recent) / span if span > 0.5 else 0.0

    @property
    def overall(self) -> float:
        """Per second, from the first to the last time."""
        span = self._last_s - self._first_s
        return (self.count - 1) / span if span > 0 else 0.0

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > RECENT_SECONDS:
            self._recent.popleft()


class Statistics:
    """Of one session; the GUI thread alone writes it."""

    def __init__(self, model: str = "", device: str = "") -> None:
        self.model = model
        self.device = device
        self.camera = RateMeter()
        self.preview = RateMeter()
        self.predictions = RateMeter()
        self.frames_dropped = 0  # delivered by the camera, replaced before the preview drew them
        self.clips_skipped = 0  # hops that passed while the network was busy
        self.audio_overflows = 0
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def frame_drawn(self, now: float, taken_s: float, new: int) -> None:
        """The preview draws a frame; the camera has delivered ``new`` up to it since the last."""
        self.camera.tick(taken_s, new)
        self.preview.tick(now)
        self.frames_dropped += new - 1

    def prediction_drawn(self, now: float, clip_end_s: float) -> None:
        self.predictions.tick(now)
        self._latencies_ms.append((now - clip_end_s) * 1000)

    @property
    def latency_ms(self) -> float | None:
        """Of the newest prediction drawn."""
        return self._latencies_ms[-1] if self._latencies_ms else None

    def as_json(self) -> dict[str, Any]:
        latencies = np.array(self._latencies_ms) if self._latencies_ms else None
        return {
            "camera_fps": round(self.camera.overall, 2),
            "preview_fps": round(self.preview.overall, 2),
            "predictions_per_s": round(self.predictions.overall, 3),
            "latency_ms": {
                "median": None if latencies is None else round(float(np.median(latencies)), 1),
                "p95": None if latencies is None else round(float(np.percentile(latencies, 95)), 1),
            },
            "frames_dropped": self.frames_dropped,
            "clips_skipped": self.clips_skipped,
            "audio_overflows": self.audio_overflows,
            "model": self.model,
            "device": self.device,
        }
