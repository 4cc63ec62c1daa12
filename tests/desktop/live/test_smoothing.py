import numpy as np
import pytest

from fer_core.labels import EMOTIONS
from fer_core.media import HOP_SECONDS
from fer_core.prediction import Prediction
from fer_desktop.live.smoothing import STRONGEST, Smoothing, smoothed


def prediction(hop: int, window: np.ndarray, segments: np.ndarray | None = None) -> Prediction:
    return Prediction(
        clip_end_s=hop * HOP_SECONDS,
        probabilities=window,
        segment_probabilities=np.tile(window, (8, 1)) if segments is None else segments,
        segment_weights=np.full(8, 1 / 8, np.float32),
        segment_audio=np.ones(8, bool),
        segment_video=np.ones(8, bool),
        uncertain=False,
        face=None,
        kept_patches=(),
        audio_level_dbfs=-20.0,
        segment_speech=np.full(8, 1.0),
        took_ms=1.0,
    )


def one_hot(i: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[i]


def test_strength_zero_shows_the_raw_probabilities():
    smoothing = Smoothing(0.0)
    smoothing.update(prediction(1, one_hot(0)))
    scores = smoothing.update(prediction(2, one_hot(4)))
    assert scores.window == pytest.approx(one_hot(4))
    assert EMOTIONS[scores.window.argmax()] == "angry"


def test_the_first_prediction_is_shown_as_it_is():
    assert Smoothing(1.0).update(prediction(1, one_hot(2))).window == pytest.approx(one_hot(2))


def test_old_scores_fade_by_the_time_that_passed_not_by_the_number_of_predictions():
    often, seldom = Smoothing(1.0), Smoothing(1.0)
    often.update(prediction(1, one_hot(0)))
    seldom.update(prediction(1, one_hot(0)))
    for hop in (2, 3, 4):
        steady = often.update(prediction(hop, one_hot(4)))
    skipped = seldom.update(prediction(4, one_hot(4)))
    assert steady.window == pytest.approx(skipped.window)
    assert steady.window[0] == pytest.approx(STRONGEST**3)


def test_what_is_written_down_stays_raw():
    smoothing, second = Smoothing(1.0), prediction(2, one_hot(4))
    smoothing.update(prediction(1, one_hot(0)))
    smoothing.update(second)
    np.testing.assert_array_equal(second.segment_probabilities, np.tile(one_hot(4), (8, 1)))
    np.testing.assert_array_equal(second.probabilities, one_hot(4))


def test_segments_that_the_clip_before_did_not_hold_are_shown_as_they_are():
    smoothing = Smoothing(1.0)
    smoothing.update(prediction(1, one_hot(0)))
    scores = smoothing.update(prediction(4, one_hot(4)))
    assert scores.segments[:5, 0] == pytest.approx(np.full(5, STRONGEST**3))
    assert scores.segments[5:, 0] == pytest.approx(np.zeros(3))
    later = smoothing.update(prediction(20, one_hot(2)))
    assert later.segments == pytest.approx(np.tile(one_hot(2), (8, 1)))


def test_a_segment_is_averaged_with_itself_one_place_further_left():
    smoothing = Smoothing(1.0)
    first = np.tile(one_hot(0), (8, 1))
    first[5] = one_hot(3)
    smoothing.update(prediction(1, one_hot(0), first))
    scores = smoothing.update(prediction(2, one_hot(0)))
    assert scores.segments[4, 3] == pytest.approx(STRONGEST)
    assert scores.segments[5, 3] == 0
    assert scores.segments[7] == pytest.approx(one_hot(0)), "the newest segment has no past"


def test_scores_stay_probabilities():
    rng = np.random.default_rng(0)
    smoothing = Smoothing(0.7)
    for hop in range(1, 20):
        scores = smoothing.update(
            prediction(hop, rng.dirichlet(np.ones(8)), rng.dirichlet(np.ones(8), 8))
        )
    assert scores.window.sum() == pytest.approx(1)
    assert scores.segments.sum(axis=1) == pytest.approx(np.ones(8))


def test_a_reset_forgets():
    smoothing = Smoothing(1.0)
    smoothing.update(prediction(1, one_hot(0)))
    smoothing.reset()
    assert smoothing.update(prediction(2, one_hot(4))).window == pytest.approx(one_hot(4))


def test_a_files_segments_are_steadied_as_a_live_window_is():
    """Over gaps and over the blocks in which a file is worked off."""
    segments = np.random.default_rng(0).random((400, 8)).astype(np.float32)
    segments[[50, 51, 200]] = np.nan
    live, expected = Smoothing(0.8), []
    for hop, segment in enumerate(segments, start=1):
        if np.isnan(segment[0]):
            live.reset()
            expected.append(segment)
        else:
            expected.append(live.update(prediction(hop, segment)).window)
    assert smoothed(segments, 0.8) == pytest.approx(np.array(expected), abs=1e-6, nan_ok=True)


def test_a_file_in_pieces_is_steadied_as_in_one():
    segments = np.random.default_rng(1).random((100, 8))
    whole = smoothed(segments, 0.5)
    first = smoothed(segments[:37], 0.5)
    assert smoothed(segments[37:], 0.5, before=first[-1]) == pytest.approx(whole[37:])
