"""What goes into the network and what comes out, as tensors.

Letters: B batch, T frames (16), P patches (196), K kept patches (64), F mel frames (301),
S segments (8), D width, C classes (8). Masks are True where real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from fer_core.media import SEGMENT_SECONDS, SEGMENTS

MEL_BINS = 80
MEL_FRAMES = 301  # of 3 s: hop 160 at 16 kHz, centred
MEL_HOP_MS = 10
PITCH_BINS = 80  # of a second spectrogram, with frames at the same times
PITCH_BINS_PER_OCTAVE = 18  # as far apart as mel bins are above 1 kHz
LOWEST_PITCH_HZ = 60.0
SPECTRA_BINS = MEL_BINS + PITCH_BINS  # side by side
POWER_FLOOR = 1e-6  # the power in a bin counts as at least this much
LOG_FLOOR = math.log(POWER_FLOOR)  # what digital silence looks like, about -13.8
AUDIO_SUBSAMPLING = 8  # FastConformer's: a step every 80 ms
AUDIO_STEPS = -(-MEL_FRAMES // AUDIO_SUBSAMPLING)  # 38
SEGMENT_MS = round(1000 * SEGMENT_SECONDS)  # 375


def segment_of(time_ms: Tensor) -> Tensor:
    """The segment, 0 to 7, that whole milliseconds from the clip's start fall into."""
    return (time_ms // SEGMENT_MS).clamp(max=SEGMENTS - 1)


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """A batch of clips, for the network as a whole; answers and training go by its parts."""

    pixels: Tensor  # (B, T, 3, 224, 224), -1 to 1
    frame_mask: Tensor  # (B, T) bool
    roi: Tensor | None  # (B, T, 196) bool, patches the face covers; None: not known
    spectra: Tensor  # (B, 301, 160), log-mel and log-pitch, natural log, not normalised
    audio_mask: Tensor  # (B, S) bool


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """The answers, before the temperature, and what training's auxiliary losses look at."""

    logits: Tensor  # (B, C)
    segment_logits: Tensor  # (B, S, C)
    segment_weights: Tensor  # (B, S), sum 1: the share of each segment in the pooled answer
    audio_segments: Tensor  # (B, S, D), the audio branch, before fusion
    video_segments: Tensor  # (B, S, D), the visual branch, before fusion
    audio_logits: Tensor  # (B, S, C), the audio branch's own answer
    video_logits: Tensor  # (B, S, C), the visual branch's own answer
