"""Where in a clip somebody speaks; the one module that knows the voice activity detector.

Silero VAD (Silero Team, https://github.com/snakers4/silero-vad, MIT) hears chunks of 32 ms, each
with the last 4 ms of the one before, and remembers the earlier ones in a recurrent state. Its wheel
carries a form that takes all chunks of a waveform at once: 3 s in 3 ms on one core.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_core.media import SEGMENTS, BoolArray, Waveform
from fer_core.onnx_runtime import onnxruntime

CHUNK = 512  # samples, 32 ms
CONTEXT = 64  # samples of the chunk before
CHUNKS_AT_ONCE = 1024  # 33 s: of an hour at once the memory would be 60 times that


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What the detector remembers of the sound before."""

    context: Waveform = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    hidden: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))
    cell: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))


def speech_probabilities(waveform: Waveform) -> NDArray[np.float32]:
    """The detector's probability of speech in each chunk of (n,) at 16 kHz; the last is padded."""
    probabilities, _ = listen_on(waveform, Memory())
    return probabilities


def listen_on(waveform: Waveform, memory: Memory) -> tuple[NDArray[np.float32], Memory]:
    """The same of sound that goes on from what is remembered, and what then is."""
    chunks = np.zeros((-(-len(waveform) // CHUNK), CHUNK), np.float32)
    chunks.reshape(-1)[: len(waveform)] = waveform
    before = np.concatenate([memory.context[None], chunks[:, -CONTEXT:]])  # (n + 1, 64)
    inputs = np.concatenate([before[:-1], chunks], axis=1)
    hidden, cell = memory.hidden, memory.cell
    probabilities = np.zeros(len(chunks), np.float32)
    for first in range(0, len(chunks), CHUNKS_AT_ONCE):
        part = slice(first, first + CHUNKS_AT_ONCE)
        probabilities[part], hidden, cell = _detector().run(
            ["speech_probs", "hn", "cn"], {"input": inputs[part], "h": hidden, "c": cell}
        )
    return probabilities, Memory(before[-1], hidden, cell)


def speech_by_segment(waveform: Waveform, mask: BoolArray, threshold: float) -> NDArray[np.float64]:
    """The share, 0 to 1, of each of the eight segments in which somebody speaks, (8,).

    Args:
        waveform: (48000,) at 16 kHz, zeros where there is no sound.
        mask: (48000,), True where the sound is real; speech is counted only there.
        threshold: the probability from which a chunk is speech.
    """
    return share_spoken(speech_probabilities(waveform), 0, mask, threshold)


def share_spoken(
    probabilities: NDArray[np.float32], skipped: int, mask: BoolArray, threshold: float
) -> NDArray[np.float64]:
    """The same by ``probabilities`` of chunks whose first ``skipped`` samples lie before it."""
    told = np.repeat(probabilities >= threshold, CHUNK)[skipped : skipped + len(mask)]
    spoken = np.zeros(len(mask), np.bool_)
    spoken[: len(told)] = told
    share: NDArray[np.float64] = (spoken & mask).reshape(SEGMENTS, -1).mean(axis=1)
    return share


@cache
def _detector() -> onnxruntime.InferenceSession:
    """One for the process, made at first use, so that what uses it can be sent to a worker."""
    # Found, not imported: the import of silero_vad sets torch to one thread.
    package = importlib.util.find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero-vad is not installed; the voice cannot be detected")
    model = Path(package.origin).parent / "data" / "silero_vad_16k_sequence.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # more cost more than they gain
    return onnxruntime.InferenceSession(
        str(model), sess_options=options, providers=["CPUExecutionProvider"]
    )
