"""The sound of a file under a window that moves on through it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fer_core.media import CLIP_SAMPLES, SAMPLE_RATE, BoolArray, Waveform


class SlidingSound:
    """Keeps what the window may still need, and no more."""

    def __init__(self, blocks: Iterable[Waveform]) -> None:
        """``blocks``: consecutive samples at 16 kHz from the file's beginning."""
        self._blocks = iter(blocks)
        self._kept = np.zeros(0, np.float32)
        self._first = 0  # number of the first sample that is kept

    @property
    def end_s(self) -> float:
        """How far it was read."""
        return (self._first + len(self._kept)) / SAMPLE_RATE

    def reaches(self, time_s: float) -> bool:
        """Read on to ``time_s``; False if the sound ends before."""
        missing = round(time_s * SAMPLE_RATE) - self._first - len(self._kept)
        blocks = [self._kept]
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            missing -= len(block)
        self._kept = np.concatenate(blocks) if len(blocks) > 1 else self._kept
        return missing <= 0

    def at(self, start_s: float) -> tuple[Waveform, BoolArray]:
        """The samples (48000,) from ``start_s`` on, and which of them are real.

        What lies before ``start_s`` is forgotten.
        """
        passed = round(start_s * SAMPLE_RATE) - self._first
        self._kept, self._first = self._kept[passed:], self._first + passed
        samples, real = np.zeros(CLIP_SAMPLES, np.float32), np.zeros(CLIP_SAMPLES, np.bool_)
        piece = self._kept[:CLIP_SAMPLES]
        samples[: len(piece)], real[: len(piece)] = piece, True
        return samples, real
