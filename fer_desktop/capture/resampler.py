"""A microphone's sound at any rate -> 16 kHz, or another, without a seam between blocks."""

from __future__ import annotations

import numpy as np
import soxr

from fer_core.media import SAMPLE_RATE, AudioBlock, Waveform

GAP_SECONDS = 0.1  # beyond the jitter of block times: sound is missing


class StreamResampler:
    """Keeps the state that a resampling filter carries from one block to the next.

    The filter holds back up to 40 ms of sound (measured, from 44.1 and 48 kHz); the times of its
    blocks say so.
    """

    def __init__(self, rate: int = SAMPLE_RATE) -> None:
        self._to_rate = rate
        self._rate = 0
        self._expected_s = 0.0  # time of the next block, if nothing is lost
        self._pending_s = 0.0  # sound inside the filter
        self._soxr: soxr.ResampleStream = None

    def process(self, block: AudioBlock) -> AudioBlock:
        """The next mono block at the wanted rate; it may be empty while the filter fills.

        Where sound was lost, or the rate changed, the filter begins anew.
        """
        late_s = block.time_s - self._expected_s
        lost = block.overflowed or abs(late_s) > GAP_SECONDS
        if lost or block.sample_rate != self._rate:
            self._rate = block.sample_rate
            self._soxr = soxr.ResampleStream(block.sample_rate, self._to_rate, 1, dtype="float32")
            self._pending_s = 0.0
        length_s = len(block.samples) / block.sample_rate
        self._expected_s = block.time_s + length_s
        if block.sample_rate == self._to_rate:
            return block
        samples: Waveform = np.asarray(self._soxr.resample_chunk(block.samples))
        resampled = AudioBlock(
            samples, self._to_rate, block.time_s - self._pending_s, block.overflowed
        )
        self._pending_s += length_s - len(samples) / self._to_rate
        return resampled
