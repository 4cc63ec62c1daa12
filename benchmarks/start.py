"""How soon there is a window, and how soon it says something."""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.observed import observe

VISIBLE_SECONDS = 1.5
ANSWER_SECONDS = 6.0


def measure(seconds: float = 9.0) -> list[Figure]:
    """Fresh processes of the real program, with files the first of them has read into memory."""
    observe(1.0)
    ours, naive = observe(seconds), observe(seconds, "torch first")
    if ours.torch_at_exposure:
        raise AssertionError("torch was loaded before the window was visible")
    naively = "torch and model before the window"
    return [
        Figure(
            "window visible, torch not yet loaded", ours.exposed, "s", VISIBLE_SECONDS,
            naive=naive.exposed, naively=naively,
        ),
        Figure("model loaded", ours.loaded, "s", naive=naive.exposed, naively=naively),
        Figure(
            "first prediction painted", ours.first_answer or float("inf"), "s", ANSWER_SECONDS,
            naive=naive.first_answer, naively=naively,
        ),
    ]  # fmt: skip
