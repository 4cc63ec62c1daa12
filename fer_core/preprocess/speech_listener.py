"""Where somebody speaks in clips of one stream that overlap: each sample is listened to once.

Of a clip 375 ms after another an eighth is new. The detector goes on where it was, as in a
recording that is heard from its beginning (``fer_core.data.store``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.media import BoolArray, Waveform
from fer_core.preprocess.speech import CHUNK, Memory, listen_on, share_spoken


class SpeechListener:
    """Remembers 3 s of sound at most, and what was said of it: memory stays constant."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Another source follows."""
        # Whole chunks of the stream's samples from _first on, and the probability of each.
        self._first = 0
        self._samples: Waveform = np.zeros(0, np.float32)
        self._probabilities: NDArray[np.float32] = np.zeros(0, np.float32)
        self._memory = Memory()

    def by_segment(
        self, first: int, waveform: Waveform, mask: BoolArray, threshold: float
    ) -> NDArray[np.float64]:
        """As :func:`~fer_core.preprocess.speech.speech_by_segment` of the clip at sample ``first``.

        What lies between two clips nobody listens to, and where what they share is another sound
        in each, as behind a block that came late, it is listened to anew.
        """
        self._keep_shared(first, waveform)
        known = self._first + len(self._samples) - first
        real = np.flatnonzero(mask)
        arrived = int(real[-1]) + 1 if len(real) else 0
        whole = known + max(arrived - known, 0) // CHUNK * CHUNK
        new, rest = waveform[known:whole], waveform[whole:arrived]
        if len(new):
            probabilities, self._memory = listen_on(new, self._memory)
            self._samples = np.concatenate([self._samples, new])
            self._probabilities = np.concatenate([self._probabilities, probabilities])
        of_rest, _ = listen_on(rest, self._memory)  # once more when its chunks are whole
        of_all = np.concatenate([self._probabilities, of_rest])
        return share_spoken(of_all, first - self._first, mask, threshold)

    def _keep_shared(self, first: int, waveform: Waveform) -> None:
        """Forget chunks before the clip; all, unless the others are its beginning."""
        past = (first - self._first) // CHUNK
        shared = self._samples[max(first - self._first, 0) :]
        goes_on = past >= 0 and len(shared) and np.array_equal(shared, waveform[: len(shared)])
        if not goes_on:
            self.forget()
            self._first = first
            return
        self._first += past * CHUNK
        self._samples = self._samples[past * CHUNK :]
        self._probabilities = self._probabilities[past:]
