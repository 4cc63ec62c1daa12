"""What a timeline says of the file it is about."""

from __future__ import annotations

from pathlib import Path

from fer_core.analysis.timeline import AudioSource, Source, VideoSource
from fer_core.data.media_info import MediaInfo


def source_of(path: Path, info: MediaInfo, sha256: str, duration_s: float) -> Source:
    """``info`` is what its header says, ``duration_s`` how long it really is."""
    video, audio = None, None
    if info.size is not None:
        video = VideoSource(*info.size, info.fps or 0.0, info.frames or 0)
    if info.sample_rate is not None and info.channels is not None:
        audio = AudioSource(info.sample_rate, info.channels)
    return Source(str(path), sha256, duration_s, video, audio)
