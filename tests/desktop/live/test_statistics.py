import pytest

from fer_desktop.live.statistics import LATENCIES_KEPT, RateMeter, Statistics


def test_a_rate_is_of_the_last_three_seconds():
    meter = RateMeter()
    for i in range(300):
        meter.tick(i / 30)
    assert meter.per_second(299 / 30) == pytest.approx(30, rel=0.02)
    assert meter.overall == pytest.approx(30)


def test_a_rate_sinks_to_zero_when_nothing_happens():
    meter = RateMeter()
    for i in range(90):
        meter.tick(i / 30)
    assert meter.per_second(20.0) == 0


def test_a_meter_that_never_ticked_reads_zero():
    assert RateMeter().per_second(5.0) == 0
    assert RateMeter().overall == 0


def test_frames_between_two_drawn_ones_count_as_delivered_and_as_dropped():
    statistics = Statistics()
    statistics.frame_drawn(0.0, 0.0, 1)
    statistics.frame_drawn(0.1, 0.1, 3)
    assert statistics.camera.count == 4
    assert statistics.preview.count == 2
    assert statistics.frames_dropped == 2


def test_latency_is_now_minus_the_clips_end():
    statistics = Statistics()
    for i, late in enumerate((0.05, 0.06, 0.5)):
        statistics.prediction_drawn(i + late, i)
    latency = statistics.as_json()["latency_ms"]
    assert latency["median"] == 60
    assert latency["p95"] > 400
    assert statistics.latency_ms == pytest.approx(500)


def test_memory_is_constant_over_a_long_session():
    statistics = Statistics()
    for i in range(3 * LATENCIES_KEPT):
        statistics.prediction_drawn(i * 0.375 + 0.1, i * 0.375)
        statistics.frame_drawn(i * 0.375, i * 0.375, 11)
    assert len(statistics._latencies_ms) == LATENCIES_KEPT
    assert len(statistics.camera._recent) < 20


def test_a_session_without_predictions_has_no_latency():
    assert Statistics("compact", "cpu").as_json() == {
        "camera_fps": 0.0,
        "preview_fps": 0.0,
        "predictions_per_s": 0.0,
        "latency_ms": {"median": None, "p95": None},
        "frames_dropped": 0,
        "clips_skipped": 0,
        "audio_overflows": 0,
        "model": "compact",
        "device": "cpu",
    }
