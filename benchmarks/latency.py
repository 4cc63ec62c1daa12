"""How old an answer is when it is painted, and whether that grows."""

from __future__ import annotations

import numpy as np

from benchmarks.figures import Figure
from benchmarks.observed import observe

BESIDE_INFERENCE_MS = 100.0
SETTLED = 3  # answers: the first looks at 16 frames, each later one at two


def measure(seconds: float = 40.0) -> list[Figure]:
    """The demo with the compact model; an answer's age is its painting minus its clip's end."""
    notes = observe(seconds)
    answers = 1000 * np.array(notes.answers[SETTLED:])
    age, took = answers[:, 1], answers[:, 2]
    third = len(age) // 3
    first, last = np.median(age[:third]), np.median(age[-third:])
    return [
        Figure("age of an answer, median", float(np.median(age)), "ms"),
        Figure("age of an answer, 95 of 100 below", float(np.percentile(age, 95)), "ms"),
        Figure("inference, median", float(np.median(took)), "ms"),
        Figure(
            "age beside inference, 99 of 100 below", float(np.percentile(age - took, 99)), "ms",
            BESIDE_INFERENCE_MS,
        ),
        Figure("age, last third of the session to first", float(last / first), "times", 1.15),
        Figure("hops skipped, the loading's included", notes.clips_skipped, ""),
    ]  # fmt: skip
