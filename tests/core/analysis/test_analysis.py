from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from fer_core.analysis.analysis import Analysis, analyze
from fer_core.analysis.model import LoadedModel, shipped_model
from fer_core.analysis.timeline import AudioSource, Timeline
from fer_core.data.batch import collate
from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.data.media_info import probe
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.evaluation.evaluate import answer
from fer_core.media import SEGMENT_SECONDS
from fer_core.weights import load_checkpoint

pytestmark = pytest.mark.usefixtures("bright_square")

Make = Callable[..., Path]
Noise = Callable[[float], np.ndarray]


@pytest.fixture
def video(write_video: Make, squares: Callable[..., list], noise: Noise) -> Path:
    """4.3 s with sound; nobody is seen from 1.2 to 1.5 s."""
    return write_video("a.mkv", squares(4.3, dark=range(12, 15)), sound=noise(4.3))


def assert_contiguous(timeline: Timeline, end_s: float) -> None:
    begins = [segment.start_s for segment in timeline.segments]
    ends = [segment.end_s for segment in timeline.segments]
    assert begins == [i * SEGMENT_SECONDS for i in range(len(begins))]
    assert ends[:-1] == begins[1:]
    assert (
        ends[-1] == timeline.source.duration_s == pytest.approx(end_s, abs=0.11)
    )  # of the last frame


def windows_of_training(
    path: Path, folder: Path, cache: Path
) -> tuple[list[float], np.ndarray, np.ndarray]:
    """Starts, log-probabilities (W, 8) and probabilities of segments (W, 8, 8)."""
    network = load_checkpoint(folder)
    item = Item("a", path, "recording", True, True, one_emotion(0), EACH_ALONE)
    cutter = ClipCutter(MediaStore(cache, network.config.vision), network.config, torch.zeros(160))
    starts = cutter.starts(item)
    with torch.inference_mode():
        output = answer(network, collate([cutter.window(item, s, Modalities()) for s in starts]))
    return (
        starts,
        output.logits.log_softmax(-1).double().numpy(),
        output.segment_logits.softmax(-1).double().numpy(),
    )


def assert_as_training(path: Path, folder: Path, tmp_path: Path) -> None:
    timeline = analyze(path, folder)
    starts, log_probabilities, segments = windows_of_training(path, folder, tmp_path / "cache")
    expected = np.exp(log_probabilities.mean(0))
    np.testing.assert_allclose(timeline.probabilities, expected / expected.sum(), atol=1e-4)
    for found in timeline.segments:
        total = np.zeros(8)
        for start_s, window in zip(starts, segments, strict=True):
            for place, probabilities in enumerate(window):
                begin_s = start_s + place * SEGMENT_SECONDS
                end_s = min(begin_s + SEGMENT_SECONDS, found.end_s)
                total += max(end_s - max(begin_s, found.start_s), 0.0) * probabilities
        np.testing.assert_allclose(found.probabilities, total / total.sum(), atol=1e-4)


def test_a_file_gets_the_answers_its_windows_get_in_training(
    video: Path, folder: Path, tmp_path: Path
) -> None:
    assert_as_training(video, folder, tmp_path)


def test_a_real_clip_gets_the_answers_it_gets_in_training(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_clips: Path
) -> None:
    monkeypatch.undo()  # the real detector
    assert_as_training(real_clips / "cremad_sad.mp4", folder, tmp_path)


def test_segments_follow_each_other_from_0_to_the_end(video: Path, model: LoadedModel) -> None:
    timeline = analyze(video, model)
    assert_contiguous(timeline, 4.3)
    assert timeline.warnings == ()
    assert timeline.emotion is not None
    for segment in timeline.segments:
        assert segment.probabilities is not None
        assert segment.probabilities.sum() == pytest.approx(1)
        assert segment.heard


@pytest.mark.parametrize("hop_s", [0.1, 0.375, 1.0, 3.0])
def test_any_hop_covers_all_segments(video: Path, model: LoadedModel, hop_s: float) -> None:
    timeline = analyze(video, model, hop_s)
    assert_contiguous(timeline, 4.3)
    assert timeline.hop_s == hop_s
    assert all(segment.emotion is not None for segment in timeline.segments)


def test_a_hop_that_leaves_gaps_is_refused(video: Path, model: LoadedModel) -> None:
    for hop_s in (0.0, -1.0, 3.1, float("nan")):
        with pytest.raises(ValueError, match="hop"):
            analyze(video, model, hop_s)


def test_a_file_shorter_than_a_window_gets_one(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel
) -> None:
    timeline = analyze(write_video("a.mkv", squares(1.0), sound=noise(1.0)), model)
    assert_contiguous(timeline, 1.0)
    assert len(timeline.segments) == 3


def test_the_face_is_the_median_in_pixels_of_the_file(video: Path, model: LoadedModel) -> None:
    timeline = analyze(video, model)
    face = timeline.segments[0].face
    assert face is not None
    assert 20 <= face.x <= 24
    assert face.width == pytest.approx(60, abs=3)


def test_sound_alone_and_picture_alone_are_analysed(
    write_sound: Make, write_video: Make, squares: Callable[..., list], noise: Noise,
    model: LoadedModel,
) -> None:  # fmt: skip
    heard = analyze(write_sound("a.wav", noise(3.5)), model)
    assert_contiguous(heard, 3.5)
    assert all((s.heard, s.seen, s.face) == (True, False, None) for s in heard.segments)
    assert heard.source.video is None
    seen = analyze(write_video("a.mp4", squares(3.5)), model)
    assert_contiguous(seen, 3.5)
    assert all((s.heard, s.seen) == (False, True) for s in seen.segments)
    assert seen.source.audio is None


def test_what_is_not_wanted_is_not_used(video: Path, model: LoadedModel) -> None:
    timeline = analyze(video, model, wanted=Modalities(video=False))
    assert_contiguous(timeline, 4.3)
    assert not any(segment.seen for segment in timeline.segments)


def test_a_file_without_what_is_wanted_is_refused(write_sound: Make, model: LoadedModel) -> None:
    with pytest.raises(UserError, match="no picture"):
        analyze(write_sound("a.wav"), model, wanted=Modalities(audio=False))


def test_where_nothing_is_heard_or_seen_there_is_no_emotion(
    write_sound: Make, noise: Noise, model: LoadedModel
) -> None:
    sound = np.concatenate([noise(1.5), np.zeros(6 * 16_000)])
    timeline = analyze(write_sound("a.wav", sound), model)
    assert timeline.segments[0].emotion is not None
    last = timeline.segments[-1]
    assert (last.emotion, last.probabilities, last.uncertain) == (None, None, True)
    assert (last.heard, last.seen, last.face, last.speech) == (False, False, None, 0.0)


def test_a_silent_file_has_no_answer(write_sound: Make, model: LoadedModel) -> None:
    timeline = analyze(write_sound("a.wav", np.zeros(64_000)), model)
    assert timeline.emotion is None
    assert_contiguous(timeline, 4.0)


def test_late_sound_is_heard_where_it_is(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel
) -> None:
    path = write_video("a.mp4", squares(6.0), sound=noise(3.0), sound_starts_s=3.0)
    heard = [segment.heard for segment in analyze(path, model).segments]
    assert not any(heard[:7])
    assert all(heard[9:])


def test_a_changing_frame_rate_is_analysed_to_its_end(
    write_video: Make, squares: Callable[..., list], model: LoadedModel
) -> None:
    times_s = [0.05 * i for i in range(20)] + [1.0 + 0.2 * i for i in range(20)]
    timeline = analyze(write_video("a.mp4", squares(4.0), times_s), model)
    assert_contiguous(timeline, 4.8)
    assert all(segment.seen for segment in timeline.segments[1:12])


SLIDES_S = [0.0, 0.3, 1.2, 3.4, 8.1]


def test_a_face_is_seen_for_as_long_as_its_picture_is_held(
    write_video: Make, squares: Callable[..., list], noise: Noise, folder: Path, tmp_path: Path,
    bright_square: type,
) -> None:  # fmt: skip
    """And looked at once for each picture, however many windows show it."""
    path = write_video("a.mp4", squares(0.5), SLIDES_S, sound=noise(8.2))
    timeline = analyze(path, folder)
    assert bright_square.detected == len(SLIDES_S)
    assert all(segment.seen for segment in timeline.segments)
    assert_as_training(path, folder, tmp_path)


def test_behind_the_end_of_its_picture_a_face_is_not_seen(
    write_video: Make, squares: Callable[..., list], noise: Noise, folder: Path, tmp_path: Path
) -> None:
    path = write_video("a.mp4", squares(2.0), sound=noise(6.0))
    seen = [segment.seen for segment in analyze(path, folder).segments]
    assert all(seen[:5])
    assert not any(seen[7:])
    assert_as_training(path, folder, tmp_path)


def test_progress_reaches_the_end(video: Path, model: LoadedModel) -> None:
    told: list[tuple[float, float]] = []
    timeline = analyze(video, model, on_progress=lambda *so_far: told.append(so_far))
    assert [done for done, _ in told] == [segment.end_s for segment in timeline.segments]
    assert told[-1][0] == told[-1][1]


def test_an_analysis_can_be_stopped_and_leaves_no_thread(
    write_video: Make, squares: Callable[..., list], model: LoadedModel
) -> None:
    analysis = Analysis(write_video("a.mp4", squares(20.0)), model)
    segments = analysis.segments()
    assert next(segments).start_s == 0.0
    assert analysis.done_s < analysis.duration_s
    segments.close()
    assert not [t for t in threading.enumerate() if t.name == "read ahead"]
    with pytest.raises(ValueError, match="not been analysed"):
        analysis.timeline()


# Damage


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_of_a_cut_off_file_the_timeline_ends_where_it_does_and_says_so(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel, name: str
) -> None:
    pictures = squares(8.0)
    speckle = np.random.default_rng(0)
    for picture in pictures:  # so that a share of the bytes is a share of the time
        picture[:, :10] = speckle.integers(0, 60, (120, 10, 3))
    path = write_video(name, pictures, contents_first=True)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    timeline = analyze(path, model)
    assert 3.0 < timeline.source.duration_s < 7.5
    assert_contiguous(timeline, timeline.source.duration_s)
    assert any(f"{timeline.source.duration_s:.2f} s" in text for text in timeline.warnings)


@pytest.mark.parametrize("name", ["a.aac", "a.mp3"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_length_that_no_header_tells_is_found_and_nothing_is_missed(
    noise: Noise, model: LoadedModel, tmp_path: Path, name: str, order: int
) -> None:
    # The bit rate of the first packets says nothing of the rest.
    path, parts = tmp_path / name, [np.zeros(8 * 16_000), noise(2.0)][::order]
    with av.open(str(path), "w", options={"write_xing": "0"} if name == "a.mp3" else {}) as file:
        track = file.add_stream("aac" if name == "a.aac" else "libmp3lame", rate=16_000)
        track.layout = "mono"
        track.codec_context.flags |= 2  # of a quality, not of a bit rate
        sound = np.concatenate(parts).astype(np.float32)
        size = 1024 if name == "a.aac" else 576
        for start in range(0, len(sound), size):
            block = sound[np.newaxis, start : start + size]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, start
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    timeline = analyze(path, model)
    assert timeline.warnings == ()
    assert timeline.source.duration_s == pytest.approx(10.0, abs=0.2)


@pytest.mark.parametrize(("name", "bidirectional"), [("a.mkv", 0), ("a.mp4", 0), ("a.mp4", 2)])
@pytest.mark.parametrize("last_s", [0.1, 4.0])
def test_a_film_whose_last_picture_is_held_is_whole(
    squares: Callable[..., list], model: LoadedModel, tmp_path: Path, name: str,
    bidirectional: int, last_s: float,
) -> None:  # fmt: skip
    path, times_s = tmp_path / name, (0.0, 0.1, 0.2, 2.0, 8.0)  # slides
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=1000, options={"bf": str(bidirectional)})
        track.width, track.height, track.pix_fmt = 160, 120, "yuv420p"
        track.time_base = track.codec_context.time_base = Fraction(1, 1000)
        packets = []
        for picture, time_s in zip(squares(0.5), times_s, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time_s), Fraction(1, 1000)
            packets += track.encode(frame)
        packets += track.encode(None)
        packets[-1].duration = round((8.0 + last_s) / packets[-1].time_base) - packets[-1].dts
        for packet in packets:
            file.mux(packet)
    timeline = analyze(path, model)
    assert timeline.warnings == ()
    assert_contiguous(timeline, timeline.source.duration_s)
    # With frames that are coded out of order MP4 tells a little more.
    assert timeline.source.duration_s == pytest.approx(8.0 + last_s, abs=0.3)
    assert timeline.source.duration_s == pytest.approx(probe(path).duration_s, abs=0.05)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_damage_in_the_middle_is_passed_and_its_time_named(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel, name: str
) -> None:
    pictures = squares(8.0)
    speckle = np.random.default_rng(0)
    for picture in pictures:
        picture[:, :10] = speckle.integers(0, 60, (120, 10, 3))
    path = write_video(name, pictures)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(speckle.integers(0, 256, 4000, np.uint8))
    path.write_bytes(content)
    timeline = analyze(path, model)
    assert_contiguous(timeline, 8.0)
    assert timeline.segments[0].seen
    assert timeline.segments[-2].seen
    times_s = [float(text.split()[1]) for text in timeline.warnings if text.startswith("At")]
    assert any(2.5 < time_s < 5.5 for time_s in times_s), timeline.warnings


def test_recordings_joined_as_they_are_are_analysed_to_the_end_of_the_last(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel,
    bright_square: type,
) -> None:  # fmt: skip
    path = write_video("a.ts", squares(3.0), sound=noise(3.0))
    path.write_bytes(path.read_bytes() * 2)
    timeline = analyze(path, model)
    assert_contiguous(timeline, timeline.source.duration_s)
    assert timeline.source.duration_s == pytest.approx(6.0, abs=0.3)
    assert all(segment.seen and segment.heard for segment in timeline.segments[:-1])
    (warning,) = timeline.warnings
    assert warning.endswith("s: its times begin anew.")
    assert float(warning.split()[1]) == pytest.approx(3.0, abs=0.2)


def test_what_cannot_be_analysed_is_said(tmp_path: Path, model: LoadedModel) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.wav").write_bytes(b"no sound " * 99)
    for name, text in (("missing.mp4", "no file"), ("empty.mp4", "not a"), ("text.wav", "not a")):
        with pytest.raises(UserError, match=text):
            analyze(tmp_path / name, model)


def test_a_file_that_vanishes_is_said(video: Path, model: LoadedModel) -> None:
    analysis = Analysis(video, model)
    video.unlink()
    with pytest.raises(UserError, match="no file"):
        list(analysis.segments())


def test_without_a_bundled_model_one_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.analysis.model.bundled_model", lambda: tmp_path / "none")
    with pytest.raises(UserError, match="--model"):
        shipped_model()


# Several sound tracks


def test_a_sound_track_is_chosen_by_its_number(
    tmp_path: Path, noise: Noise, model: LoadedModel
) -> None:
    path = tmp_path / "two.mka"
    with av.open(str(path), "w", format="matroska") as file:
        tracks = [
            file.add_stream("pcm_s16le", rate=rate, layout="mono") for rate in (16_000, 8_000)
        ]
        for track, sound in zip(tracks, (np.zeros(64_000), noise(4.0)[::2]), strict=True):
            block = av.AudioFrame.from_ndarray(
                (32_000 * sound).astype(np.int16)[None], format="s16", layout="mono"
            )
            block.sample_rate = track.rate
            file.mux(track.encode(block))
            file.mux(track.encode(None))
    assert analyze(path, model).emotion is None  # the first is silent
    second = analyze(path, model, sound_track=2)
    assert second.emotion is not None
    assert second.source.audio == AudioSource(8_000, 1)
    with pytest.raises(UserError, match="no sound track 3: the file has 2 sound tracks"):
        analyze(path, model, sound_track=3)


def test_a_sound_track_that_is_not_wanted_need_not_be_there(
    write_video: Make, squares: Callable[..., list], noise: Noise, model: LoadedModel
) -> None:
    path = write_video("a.mp4", squares(1.0), sound=noise(1.0))
    timeline = analyze(path, model, wanted=Modalities(audio=False), sound_track=2)
    assert all(segment.seen and not segment.heard for segment in timeline.segments)


def test_the_documented_import_finds_it() -> None:
    from fer_core import analysis

    assert analysis.analyze is analyze
    with pytest.raises(AttributeError, match="synthesize"):
        analysis.synthesize  # noqa: B018
