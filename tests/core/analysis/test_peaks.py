from __future__ import annotations

import numpy as np

from fer_core.analysis.peaks import peaks_of
from fer_core.analysis.timeline import Segment

SEGMENT = 0.375


def segment(number: int, winner: int, probability: float, uncertain: bool = False) -> Segment:
    probabilities = np.full(8, (1 - probability) / 7)
    probabilities[winner] = probability
    start = number * SEGMENT
    return Segment(start, start + SEGMENT, probabilities, uncertain, True, True, None, 1.0)


def row(heights: dict[int, tuple[int, float]]) -> list[Segment]:
    """Segments of these winners and probabilities; between them surprise, which is uncertain."""
    return [
        segment(number, *heights.get(number, (7, 0.9)), uncertain=number not in heights)
        for number in range(max(heights) + 1)
    ]


def test_the_highest_of_each_emotion_come_first_and_emotions_in_their_order() -> None:
    heights = {0: (3, 0.5), 20: (2, 0.6), 40: (2, 0.9), 60: (3, 0.7)}
    found = peaks_of(row(heights))
    assert [(peak.emotion, round(peak.probability, 2)) for peak in found] == [
        ("happy", 0.9), ("happy", 0.6), ("sad", 0.7), ("sad", 0.5),
    ]  # fmt: skip
    assert found[0].time_s == 40.5 * SEGMENT


def test_neighbours_of_a_peak_are_not_peaks() -> None:
    found = peaks_of([segment(number, 2, 0.9 - 0.01 * number) for number in range(20)])
    times = [peak.time_s for peak in found]
    assert len(times) == 3
    assert np.diff(sorted(times)).min() >= 3.0


def test_what_is_three_seconds_away_on_either_side_is_a_peak_of_its_own() -> None:
    found = peaks_of([segment(number, 2, 0.9 if number == 8 else 0.6) for number in range(17)])
    assert [round(peak.time_s / SEGMENT - 0.5) for peak in found] == [8, 0, 16]


def test_uncertain_and_empty_segments_have_no_peak() -> None:
    nothing = Segment(1.0, 1.375, None, True, False, False, None, 0.0)
    assert peaks_of([segment(0, 2, 0.9, uncertain=True), nothing]) == ()


def test_an_emotion_has_three_peaks_at_most() -> None:
    assert len(peaks_of(row({20 * n: (2, 0.9) for n in range(9)}))) == 3


def test_a_file_without_segments_has_no_peaks() -> None:
    assert peaks_of([]) == ()
