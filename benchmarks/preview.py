"""Whether the picture moves while the network computes, on the same cores."""

from __future__ import annotations

import numpy as np

from benchmarks.figures import Figure
from benchmarks.observed import Notes, observe
from fer_desktop.live_presenter import PREVIEW_MS

CAMERA_FPS = 30.0
LATE_MS = 33.0  # one frame
LATE_SHARE = 0.02
SETTLED_SECONDS = 1.0  # after the first answer


def measure(seconds: float = 30.0) -> list[Figure]:
    """The demo with the compact model, once its first answer is there."""
    ours, on_gui = observe(seconds), observe(seconds, "inference on the GUI thread")
    naively = "inference on the GUI thread"
    slow = observe(seconds / 2, "slow window")
    signals = observe(seconds / 2, "slow window, signals")
    return [
        Figure(
            # One frame may lie on either side of both ends of the time.
            "frames drawn", round(frames_per_second(ours), 1), "per s", at_least=CAMERA_FPS - 0.5,
            naive=frames_per_second(on_gui), naively=naively,
        ),
        Figure(
            "polls late by a frame or more", 100 * late_share(ours), "%", 100 * LATE_SHARE,
            naive=100 * late_share(on_gui), naively=naively,
        ),
        Figure(
            "longest time between two polls", longest_gap_ms(ours), "ms",
            naive=longest_gap_ms(on_gui), naively=naively,
        ),
        Figure("polls late while the model loads", 100 * late_share(ours, loading=True), "%"),
        Figure("predictions meanwhile", answers_per_second(ours), "per s", at_least=2.6),
        Figure("processor time, of two cores", ours.cpu_s / time_answering(ours), "cores"),
        Figure(
            "age of the last frame in a window of 50 ms a frame", 1000 * slow.frames[-1][1], "ms",
            naive=1000 * signals.frames[-1][1], naively="each frame a signal",
        ),
    ]  # fmt: skip


def frames_per_second(notes: Notes) -> float:
    drawn = np.array([drawn for drawn, _ in notes.frames])
    return _per_second(drawn[drawn > notes.first_answer + SETTLED_SECONDS])


def answers_per_second(notes: Notes) -> float:
    return _per_second(np.array([drawn for drawn, _, _ in notes.answers]))


def late_share(notes: Notes, loading: bool = False) -> float:
    """Of the polls that were due: a gap of n periods and a frame or more counts as n late ones."""
    gaps = _gaps_ms(notes, loading)
    late = np.where(gaps >= PREVIEW_MS + LATE_MS, gaps // PREVIEW_MS - 1, 0).sum()
    return float(late / (gaps.sum() / PREVIEW_MS))


def longest_gap_ms(notes: Notes) -> float:
    return float(_gaps_ms(notes).max())


def time_answering(notes: Notes) -> float:
    return notes.polls[-1] - notes.first_answer


def _gaps_ms(notes: Notes, loading: bool = False) -> np.ndarray:
    polls = np.array(notes.polls)
    settled = polls > notes.first_answer + SETTLED_SECONDS
    return 1000 * np.diff(polls[~settled if loading else settled])


def _per_second(times: np.ndarray) -> float:
    return float((len(times) - 1) / (times[-1] - times[0]))
