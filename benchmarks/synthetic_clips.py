"""Clips of the drawn face and the made-up voice, one hop apart, without waiting for a clock."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer_core.media import (
    CLIP_SAMPLES,
    FRAMES_PER_CLIP,
    FRAMES_PER_SEGMENT,
    HOP_SECONDS,
    SAMPLE_RATE,
    TICK_SECONDS,
    Clip,
    FaceBox,
    VideoFrame,
    Waveform,
)
from fer_desktop.capture.synthetic import draw_face, speech
from fer_desktop.capture.synthetic_voice import VOICE_RATE

FACE = FaceBox(220, 120, 200, 240, 0.9)  # about where it is drawn


def clips(count: int) -> Iterator[Clip]:
    """``count`` clips; a frame that two of them share is the same object."""
    frames: dict[int, VideoFrame] = {}
    for hop in range(count):
        first = hop * FRAMES_PER_SEGMENT
        for k in range(first, first + FRAMES_PER_CLIP):
            if k not in frames:
                frames[k] = VideoFrame(draw_face(k * TICK_SECONDS), k * TICK_SECONDS, k)
        yield Clip(
            start_s=hop * HOP_SECONDS,
            frames=tuple(frames[k] for k in range(first, first + FRAMES_PER_CLIP)),
            faces=(FACE,) * FRAMES_PER_CLIP,
            waveform=voice(hop * HOP_SECONDS, CLIP_SAMPLES),
            waveform_mask=np.ones(CLIP_SAMPLES, np.bool_),
        )
        frames.pop(first)
        frames.pop(first + 1)


def voice(start_s: float, samples: int) -> Waveform:
    """(samples,) at 16 kHz: the made-up voice has nothing above 8 kHz worth a filter."""
    step = VOICE_RATE // SAMPLE_RATE
    return np.ascontiguousarray(speech(start_s, samples * step)[::step])
