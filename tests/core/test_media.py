from __future__ import annotations

import math

import numpy as np
import pytest

from fer_core.media import (
    CLIP_SAMPLES,
    HOP_SECONDS,
    MAX_FRAME_AGE_SECONDS,
    TICK_SECONDS,
    Clip,
    FaceBox,
    VideoFrame,
    clip_starts,
    sample_frames,
    tick_of,
)

PICTURE = np.zeros((2, 2, 3), np.uint8)


def frames_at(*times: float) -> list[VideoFrame]:
    return [VideoFrame(PICTURE, time, index) for index, time in enumerate(times)]


def indices(frames: tuple[VideoFrame | None, ...]) -> list[int | None]:
    return [None if frame is None else frame.index for frame in frames]


def box(x: float, y: float, width: float, height: float) -> FaceBox:
    return FaceBox(x, y, width, height, 1.0)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.0, [0.0]),
        (1.2, [0.0]),
        (3.0, [0.0]),
        (3.1, [0.0, 0.1]),
        (3.375, [0.0, 0.375]),
        (4.0, [0.0, 0.375, 0.75, 1.0]),
    ],
)
def test_last_clip_ends_where_the_media_ends(duration: float, expected: list[float]) -> None:
    assert clip_starts(duration) == pytest.approx(expected)


def test_no_two_clips_of_a_file_start_together() -> None:
    for duration in np.arange(3, 20, 0.125):
        assert (np.diff(clip_starts(float(duration))) > 0).all()


def test_sampling_takes_two_frames_a_segment_whatever_the_cameras_rate() -> None:
    for rate in (15, 24, 25, 29.97, 60):
        frames = frames_at(*(i / rate for i in range(int(rate * 4))))
        chosen = sample_frames(frames, 0.375)
        for k, frame in enumerate(chosen):
            tick = 0.375 + (k + 1) * TICK_SECONDS
            assert frame is not None
            assert 0 <= tick - frame.time_s < 1 / rate


def test_a_hop_later_all_but_two_frames_are_the_same() -> None:
    frames = frames_at(*np.sort(np.random.default_rng(3).uniform(0, 6, 150)))  # variable rate
    for hop in range(1, 8):
        before = indices(sample_frames(frames, (hop - 1) * HOP_SECONDS))
        after = indices(sample_frames(frames, hop * HOP_SECONDS))
        assert after[:14] == before[2:]


def test_frame_exactly_at_the_tick_is_taken() -> None:
    assert indices(sample_frames(frames_at(0.1875, 0.18751), 0.0))[0] == 0


def test_slow_camera_gives_the_same_frame_to_several_ticks() -> None:
    chosen = indices(sample_frames(frames_at(0.0, 0.4, 0.8), 0.0))
    assert chosen[:6] == [0, 0, 1, 1, 2, 2]


def test_stalled_camera_is_no_frame_after_half_a_second() -> None:
    chosen = indices(sample_frames(frames_at(1.0), 0.0))
    seen = [k for k, index in enumerate(chosen) if index is not None]
    ticks = [(k + 1) * TICK_SECONDS for k in range(16)]
    assert seen == [k for k in range(16) if 1.0 <= ticks[k] <= 1.0 + MAX_FRAME_AGE_SECONDS]
    assert len(seen) == 3


def test_a_files_frame_is_shown_until_the_next_and_the_last_until_it_ends() -> None:
    slides = frames_at(0.0, 1.0, 2.5)
    ticks = [(k + 1) * TICK_SECONDS for k in range(16)]
    expected = [0 if tick < 1 else 1 if tick < 2.5 else 2 for tick in ticks]
    assert indices(sample_frames(slides, 0.0, 4.0)) == expected
    until = indices(sample_frames(slides, 3.0, 4.0))
    assert until == [2 if 3 + tick < 4 else None for tick in ticks]
    assert indices(sample_frames(slides, 4.0, math.inf)) == 16 * [2]
    at_least = indices(sample_frames(slides, 2.0, 2.54))  # half a second, as of a camera
    assert at_least == [1 if 2 + t < 2.5 else 2 if 2 + t <= 3 else None for t in ticks]


def test_no_frame_of_the_future_is_taken() -> None:
    assert indices(sample_frames(frames_at(3.01), 0.0)) == 16 * [None]


def test_no_frames_are_no_frames() -> None:
    assert sample_frames([], 0.0) == 16 * (None,)


def test_tick_of_a_frame_is_the_first_that_may_use_it() -> None:
    assert tick_of(0.0) == 0
    assert tick_of(TICK_SECONDS) == 1
    assert tick_of(TICK_SECONDS + 1e-6) == 2


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (box(0, 0, 10, 10), 1.0),
        (box(5, 0, 10, 10), 50 / 150),
        (box(5, 5, 10, 10), 25 / 175),
        (box(2, 2, 5, 5), 25 / 100),
        (box(10, 0, 10, 10), 0.0),  # they touch
        (box(20, 20, 10, 10), 0.0),  # both differences negative: their product is not an area
    ],
)
def test_overlap_is_intersection_over_union(other: FaceBox, expected: float) -> None:
    face = box(0, 0, 10, 10)
    assert face.overlap(other) == pytest.approx(expected)
    assert other.overlap(face) == pytest.approx(expected)


def test_face_contains_its_upper_left_corner_and_not_its_lower_right_one() -> None:
    face = box(10, 20, 5, 6)
    assert face.centre == (12.5, 23)
    assert face.contains(10, 20)
    assert not face.contains(15, 20)
    assert not face.contains(10, 26)


def test_clip_of_the_wrong_size_is_refused_with_the_size() -> None:
    sound, mask = np.zeros(CLIP_SAMPLES, np.float32), np.zeros(CLIP_SAMPLES, bool)
    nothing = 16 * (None,)
    with pytest.raises(ValueError, match="got 15 and 16"):
        Clip(0.0, nothing[:15], nothing, sound, mask)
    with pytest.raises(ValueError, match=r"waveform must have shape \(48000,\), got \(7,\)"):
        Clip(0.0, nothing, nothing, sound[:7], mask)
    with pytest.raises(ValueError, match="waveform_mask"):
        Clip(0.0, nothing, nothing, sound, mask[:7])
    assert Clip(1.5, nothing, nothing, sound, mask).end_s == 4.5
