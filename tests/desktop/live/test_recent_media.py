from __future__ import annotations

import numpy as np
import pytest

from fer_core.media import (
    CLIP_SAMPLES,
    FRAMES_PER_CLIP,
    SAMPLE_RATE,
    TICK_SECONDS,
    AudioBlock,
    FaceBox,
    VideoFrame,
    sample_frames,
)
from fer_core.preprocess.audio import LOWEST_DBFS
from fer_desktop.live.recent_media import SAMPLES_KEPT, TICKS_KEPT, RecentMedia

PICTURE = np.zeros((2, 2, 3), np.uint8)


def frame(time_s: float, index: int = 0) -> VideoFrame:
    return VideoFrame(PICTURE, time_s, index)


def ramp(start_s: float, seconds: float, late_s: float = 0.0, lost: bool = False) -> AudioBlock:
    """Samples that say when they were heard, with a time that may be wrong by ``late_s``."""
    count = round(seconds * SAMPLE_RATE)
    samples = (np.arange(count) + round(start_s * SAMPLE_RATE)).astype(np.float32)
    return AudioBlock(samples, SAMPLE_RATE, start_s + late_s, lost)


def fill(recent: RecentMedia, start_s: float, end_s: float, late_s: float = 0.0) -> None:
    step = 0.02
    for i in range(round((end_s - start_s) / step)):
        recent.add_audio(ramp(start_s + i * step, step, late_s))


@pytest.fixture
def recent() -> RecentMedia:
    return RecentMedia()


# -------------------------------------------------------------------- frames


def test_newest_frame_wins(recent):
    assert recent.newest() is None
    for i in range(5):
        recent.add_frame(frame(10 + i / 30, i), None)
    assert recent.newest().frame.index == 4
    recent.newest()
    recent.add_frame(frame(11, 5), None)
    assert recent.newest().frame.index == 5


def test_newest_brings_the_faces_of_its_frame(recent):
    face, other = FaceBox(1, 1, 5, 5, 0.9), FaceBox(9, 9, 3, 3, 0.7)
    recent.add_frame(frame(10), face, (other,))
    assert recent.newest().face == face
    assert recent.newest().others == (other,)


@pytest.mark.parametrize("rate", [5, 15, 24, 30, 60, 120])
def test_a_clip_has_the_frames_that_all_of_them_would_have_given(recent, rate):
    frames = [frame(100 + i / rate, i) for i in range(6 * rate)]
    added = 0
    for tick in (550, 555, 562):  # 103 to 105.4 s
        end_s = tick * TICK_SECONDS
        while added < len(frames) and frames[added].time_s <= end_s:
            recent.add_frame(frames[added], None)
            added += 1
        chosen = recent.clip(end_s).frames
        assert [f and f.index for f in chosen] == [
            f and f.index for f in sample_frames(frames[:added], end_s - 3)
        ]


def test_a_frame_after_the_end_does_not_push_out_the_clips_last(recent):
    recent.add_frame(frame(53.9 * TICK_SECONDS, 1), None)
    recent.add_frame(frame(54.1 * TICK_SECONDS, 2), None)
    assert recent.clip(54 * TICK_SECONDS).frames[-1].index == 1


def test_each_frame_keeps_its_own_face(recent):
    for i in range(16):
        face = FaceBox(i, 0, 10, 10, 0.9) if i % 2 else None
        recent.add_frame(frame(3 + i * TICK_SECONDS, i), face)
    clip = recent.clip(3 + 15 * TICK_SECONDS)
    assert [face and face.x for face in clip.faces] == [i if i % 2 else None for i in range(16)]


def test_a_stalled_camera_becomes_no_frame(recent):
    for i in range(30):
        recent.add_frame(frame(10 + i / 30, i), None)  # until 10.97
    clip = recent.clip(12.0)
    times = [12.0 - (15 - k) * TICK_SECONDS for k in range(FRAMES_PER_CLIP)]
    there = [f is not None for f in clip.frames]
    assert there == [10 <= t <= 10 + 29 / 30 + 0.5 for t in times]
    assert recent.clip(20.25).frames == (None,) * FRAMES_PER_CLIP


def test_a_frame_out_of_order_is_ignored(recent):
    recent.add_frame(frame(10.2, 1), None)
    recent.add_frame(frame(10.1, 2), None)
    recent.add_frame(frame(10.2, 3), None)
    assert recent.newest().frame.index == 1


# --------------------------------------------------------------------- sound


def test_a_clip_has_exactly_the_samples_of_its_three_seconds(recent):
    fill(recent, 100, 105)
    clip = recent.clip(104.25)
    assert clip.waveform_mask.all()
    expected = np.arange(CLIP_SAMPLES) + 101.25 * SAMPLE_RATE
    np.testing.assert_array_equal(clip.waveform, expected.astype(np.float32))


def test_jitter_of_block_times_leaves_no_holes(recent):
    late = np.random.default_rng(0).uniform(-0.09, 0.09, 200)
    recent.add_audio(ramp(10, 0.02))
    for i, jitter in enumerate(late, start=1):
        recent.add_audio(ramp(10 + i * 0.02, 0.02, jitter))
    clip = recent.clip(13.875)
    assert clip.waveform_mask.all()
    assert (np.diff(clip.waveform) == 1).all()


def test_a_gap_is_marked_and_what_follows_is_in_its_place(recent):
    fill(recent, 10, 11)
    fill(recent, 11.5, 13)
    clip = recent.clip(12.9375)
    start = 12.9375 - 3
    at = np.arange(CLIP_SAMPLES) + round(start * SAMPLE_RATE)
    real = ((at >= 160_000) & (at < 176_000)) | (at >= 184_000)
    np.testing.assert_array_equal(clip.waveform_mask, real)
    np.testing.assert_array_equal(clip.waveform, np.where(real, at, 0).astype(np.float32))


def test_after_an_overflow_a_short_gap_is_believed(recent):
    fill(recent, 10, 11)
    recent.add_audio(ramp(11.05, 0.5, lost=True))
    assert recent.audio_losses == 1
    assert recent.audio_until == pytest.approx(11.55)
    real = recent.clip(11.4375).waveform_mask
    assert not real[round(2.5625 * SAMPLE_RATE) :][: round(0.05 * SAMPLE_RATE)].any()
    assert real[round(2.6125 * SAMPLE_RATE) :].all()


def test_a_drifting_sound_card_is_put_right_after_100_ms(recent):
    # One in 200: the sound card gives 20 ms of samples every 20.1 ms.
    for i in range(3000):
        recent.add_audio(ramp(10 + i * 0.02, 0.02, late_s=i * 0.0001))
        true_end = 10 + i * 0.0201 + 0.02
        assert abs(recent.audio_until - true_end) <= 0.1 + 1e-6


def test_a_fast_sound_card_overwrites_what_overlaps(recent):
    fill(recent, 10, 12)
    recent.add_audio(AudioBlock(np.full(320, 7, np.float32), SAMPLE_RATE, 11.5))
    clip = recent.clip(12.0)
    place = round((11.5 - 9.0) * SAMPLE_RATE)
    assert (clip.waveform[place : place + 320] == 7).all()
    assert clip.waveform[place - 1] == round(11.5 * SAMPLE_RATE) - 1
    assert not clip.waveform_mask[place + 320 :].any()
    assert recent.audio_until == pytest.approx(11.52)


def test_what_is_put_back_in_time_leaves_no_copies_behind(recent):
    fill(recent, 10, 15)
    recent.add_audio(ramp(13.88, 0.02, lost=True))
    assert recent.audio_until == pytest.approx(13.9)
    clip = recent.clip(12.0)  # the memory begins at 10, as it did
    assert clip.waveform_mask.sum() == 2 * SAMPLE_RATE
    assert not clip.waveform[:SAMPLE_RATE].any()
    assert clip.waveform[-1] == 12 * SAMPLE_RATE - 1


def test_sound_of_the_future_and_of_long_ago_is_not_real(recent):
    fill(recent, 10, 12)
    assert recent.clip(12.9375).waveform_mask.sum() == 2 * SAMPLE_RATE
    assert not recent.clip(30.0).waveform_mask.any()
    assert not recent.clip(9.75).waveform_mask.any()


def test_a_block_longer_than_the_memory_leaves_its_end(recent):
    recent.add_audio(ramp(10, 20))
    clip = recent.clip(30.0)
    assert clip.waveform_mask.all()
    assert clip.waveform[-1] == 30 * SAMPLE_RATE - 1


def test_no_sound_at_all_is_an_empty_clip(recent):
    clip = recent.clip(12.0)
    assert not clip.waveform_mask.any()
    assert recent.audio_until is None


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_sound_that_was_not_resampled_is_refused(recent, rate):
    with pytest.raises(ValueError, match=str(rate)):
        recent.add_audio(AudioBlock(np.zeros(10, np.float32), rate, 0.0))


def test_the_level_is_that_of_the_last_100_ms(recent):
    loud = np.full(SAMPLE_RATE, 1.0, np.float32)
    quiet = np.full(1600, 0.1, np.float32)
    assert recent.audio_level(10) is None
    recent.add_audio(AudioBlock(loud, SAMPLE_RATE, 10))
    assert recent.audio_level(11) == pytest.approx(0)
    recent.add_audio(AudioBlock(quiet, SAMPLE_RATE, 11))
    assert recent.audio_level(11.1) == pytest.approx(-20, abs=0.01)
    recent.add_audio(AudioBlock(0 * quiet, SAMPLE_RATE, 11.1))
    assert recent.audio_level(11.2) == LOWEST_DBFS
    assert recent.audio_level(12) is None


def test_the_level_is_that_of_real_sound_alone(recent):
    recent.add_audio(AudioBlock(np.full(800, 1.0, np.float32), SAMPLE_RATE, 10.0, True))
    assert recent.audio_level(10.05) == pytest.approx(0)


# ---------------------------------------------------------------------- both


def test_a_clip_is_of_one_moment_whatever_comes_while_it_is_cut(recent, monkeypatch):
    face = FaceBox(1, 1, 5, 5, 0.9)
    recent.add_frame(frame(12.9, 1), face)

    def slow(frames, start_s):
        recent.add_frame(frame(12.92, 2), None)  # for the same tick: the other is let go
        return sample_frames(frames, start_s)

    monkeypatch.setattr("fer_desktop.live.recent_media.sample_frames", slow)
    clip = recent.clip(12.9375)
    assert clip.frames[-1].index == 1
    assert clip.faces[-1] == face


def test_memory_is_constant_over_a_long_session(recent):
    for second in range(0, 1800, 2):
        for i in range(240):  # 120 frames a second
            recent.add_frame(frame(second + i / 120, i), None)
        recent.add_audio(ramp(second, 2))
        assert len(recent._seen) <= TICKS_KEPT
        assert len(recent._samples) == len(recent._real) == SAMPLES_KEPT
    assert TICKS_KEPT <= 24


def test_another_camera_and_another_microphone_begin_with_nothing(recent):
    recent.add_frame(frame(10), None)
    recent.add_audio(ramp(10, 1, lost=True))
    recent.forget_frames()
    assert recent.newest() is None
    assert recent.audio_until == 11, "the sound is another device's"
    recent.forget_sound()
    assert recent.audio_until is None
    recent.add_audio(ramp(2, 1))  # an earlier time is no drift now
    assert recent.audio_until == 3
    assert recent.audio_losses == 1, "losses are the session's"


def test_a_clip_does_not_change_when_more_arrives(recent):
    fill(recent, 10, 13)
    clip = recent.clip(12.9375)
    before = clip.waveform.copy()
    fill(recent, 13, 16)
    np.testing.assert_array_equal(clip.waveform, before)
