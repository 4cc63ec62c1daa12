"""A frame and a clip's sound as the network gets them, live and of files.

Training hears by the same ``sound``, and looks by the same ``looked_at``: it varies pictures before
they become tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_core.config import FERConfig
from fer_core.media import (
    CLIP_SECONDS,
    SEGMENTS,
    BoolArray,
    FaceBox,
    RgbImage,
    Waveform,
)
from fer_core.preprocess.audio import heard_segments, level_dbfs
from fer_core.preprocess.image import looked_at
from fer_core.preprocess.spectra import Spectra
from fer_core.preprocess.speech import speech_by_segment

# (48000,), (48000,) and the probability from which it is speech -> (8,): as speech_by_segment.
SpeechIn = Callable[[Waveform, BoolArray, float], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as the network sees it."""

    pixels: Tensor  # (3, 224, 224), -1 to 1
    roi: Tensor  # (196,) bool, the patches on the face


@dataclass(frozen=True, slots=True)
class Sound:
    """A clip's sound as the network hears it, and what was measured on the way."""

    spectra: Tensor  # (301, 160), log-mel and log-pitch, natural log
    audio_mask: Tensor  # (8,) bool, the segments that count as heard
    level_dbfs: float | None  # of all real samples; None without any
    segment_speech: NDArray[np.float64]  # (8,), share in which somebody speaks, 0 to 1

    @property
    def speech(self) -> float:
        """Share of the clip in which somebody speaks, 0 to 1."""
        return float(self.segment_speech.mean())


class ClipProcessor:
    """Frames -> tensors and sound -> tensors, apart: of a clip only new frames are looked at."""

    def __init__(self, config: FERConfig) -> None:
        self._vision = config.vision
        self._thresholds = config.thresholds
        self._spectra = Spectra()

    def picture(self, image: RgbImage, face: FaceBox) -> Picture:
        """What is shown of ``image`` (H, W, 3) when ``face`` is looked at.

        Raises:
            ValueError: ``image`` is not a picture.
        """
        shown, roi = looked_at(image, face, self._vision)
        return Picture(as_pixels(shown), torch.from_numpy(roi))

    def sound(
        self, waveform: Waveform, mask: BoolArray, speech_in: SpeechIn = speech_by_segment
    ) -> Sound:
        """What is heard of ``waveform`` (48000,) where ``mask`` (48000,) is True.

        ``speech_in`` is asked where somebody speaks, unless it is silent.

        The whole sound counts as absent if it is under the silence threshold or nobody speaks for
        long enough; then and in a segment too quiet or mostly missing ``audio_mask`` is False. The
        spectra cover the real samples all the same.

        Raises:
            ValueError: a real sample is not finite.
        """
        waveform = np.where(mask, waveform, np.float32(0))
        if not np.isfinite(waveform).all():
            raise ValueError(f"{(~np.isfinite(waveform)).sum()} samples are not finite numbers")
        limits = self._thresholds
        level = level_dbfs(waveform[mask])
        if level is None or level < limits.silence_dbfs:
            heard, speech = np.zeros(SEGMENTS, np.bool_), np.zeros(SEGMENTS)
        else:
            speech = speech_in(waveform, mask, limits.speech_probability)
            heard = heard_segments(waveform, mask, limits.silence_dbfs)
            heard &= speech.mean() * CLIP_SECONDS >= limits.min_speech_s
        return Sound(
            self._spectra(torch.from_numpy(waveform)), torch.from_numpy(heard), level, speech
        )


def as_pixels(shown: RgbImage) -> Tensor:
    """(224, 224, 3) -> (3, 224, 224), by SigLIP's mean and standard deviation of 0.5: -1 to 1."""
    pixels = torch.from_numpy(shown).permute(2, 0, 1)
    return pixels.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1)
