from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.config import FERConfig, Thresholds, VisionConfig
from fer_core.data.batch import collate
from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.media_picture import frames
from fer_core.data.media_sound import read_sound
from fer_core.data.store import MediaStore, Prepared, sampling_ticks, save_arrays
from fer_core.errors import UserError
from fer_core.evaluation.evaluate import answer
from fer_core.media import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    TICK_SECONDS,
    Clip,
    VideoFrame,
    clip_starts,
    sample_frames,
)
from fer_core.model.inputs import ModelInputs
from fer_core.predictor import Predictor
from fer_core.preprocess.face import FaceTracker
from fer_core.preprocess.opencv import cv2
from fer_core.weights import new_model

SECONDS = 4.3
DARK = (12, 13, 14)  # frames without a face: 1.2 to 1.4 s


pytestmark = pytest.mark.usefixtures("bright_square")


@pytest.fixture
def item(write_video: Callable[..., Path], write_sound: Callable[..., Path]) -> Item:
    """10 frames a second of a wandering square, and noise of the same length."""
    random = np.random.default_rng(0)
    pictures = []
    for number in range(int(10 * SECONDS)):
        picture = np.zeros((120, 160, 3), np.uint8)
        if number not in DARK:
            x, y = 20 + number, 10 + number // 2
            picture[y : y + 60, x : x + 60] = random.integers(160, 255, 3, np.uint8)
        pictures.append(picture)
    times_s = [number / 10 for number in range(len(pictures))]
    sound = 0.1 * random.standard_normal(int(SECONDS * SAMPLE_RATE))
    return Item(
        "made",
        write_video("made.mp4", pictures, times_s),
        "recording",
        has_sound=True,
        has_picture=True,
        shares=one_emotion(2),
        groups=EACH_ALONE,
        sound_path=write_sound("made.wav", sound),
    )


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "cache", VisionConfig())


def assert_equal(one: Prepared, other: Prepared) -> None:
    assert one.duration_s == other.duration_s
    if one.waveform is None or other.waveform is None:
        assert one.waveform is other.waveform
    else:
        np.testing.assert_array_equal(one.waveform, other.waveform)
    for name in ("rois", "times_s", "hidden_s"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert len(one.pictures) == len(other.pictures)
    for mine, theirs in zip(one.pictures, other.pictures, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


def test_an_item_is_decoded_once_and_comes_back_bit_for_bit(
    store: MediaStore, item: Item, tmp_path: Path, bright_square: Any
) -> None:
    first = store.prepared(item)
    detected = bright_square.detected
    assert len(first.pictures) + len(first.hidden_s) == detected > 0
    again = MediaStore(tmp_path / "cache", VisionConfig()).prepared(item)
    assert bright_square.detected == detected
    assert_equal(first, again)
    assert len(cached(tmp_path)) == 1


def test_silent_and_blind_items_are_kept_as_well(store: MediaStore, item: Item) -> None:
    for has_sound, has_picture in ((True, False), (False, True)):
        half = replace(item, has_sound=has_sound, has_picture=has_picture)
        first = store.prepared(half)
        assert_equal(first, store.prepared(half))
        assert (first.waveform is not None) == has_sound
        assert bool(len(first.pictures)) == has_picture


def test_the_name_depends_on_content_span_and_framing_and_not_on_the_path(
    store: MediaStore, item: Item, tmp_path: Path
) -> None:
    moved = shutil.copy(item.path, tmp_path / "moved.mp4")
    assert store.key(replace(item, path=moved, key="other")) == store.key(item)

    longer = tmp_path / "longer.mp4"
    longer.write_bytes(item.path.read_bytes() + b"\0")
    different = [
        store.key(replace(item, path=longer)),
        store.key(replace(item, sound_path=None)),
        store.key(replace(item, start_s=0.5)),
        store.key(replace(item, end_s=2.0)),
        store.key(replace(item, has_sound=False)),
        store.key(replace(item, has_picture=False)),
        MediaStore(tmp_path, VisionConfig(face_scale=1.5)).key(item),
        MediaStore(tmp_path, VisionConfig(framing="frame")).key(item),
    ]
    assert len({store.key(item), *different}) == 1 + len(different)
    assert MediaStore(tmp_path, VisionConfig(layers=3)).key(item) == store.key(item)


def test_files_of_another_format_are_made_anew(
    store: MediaStore, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.key(item)
    monkeypatch.setattr("fer_core.data.store.FORMAT", -1)
    assert store.key(item) != before


def test_a_file_that_changes_under_its_name_is_decoded_again(store: MediaStore, item: Item) -> None:
    before = store.key(item)
    assert item.sound_path is not None
    content = bytearray(item.sound_path.read_bytes())
    content[-1] ^= 1
    item.sound_path.write_bytes(content)
    os.utime(item.sound_path, ns=(1, 1))
    assert store.key(item) != before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_damaged_cache_file_is_made_anew(
    store: MediaStore, item: Item, tmp_path: Path, share: float
) -> None:
    whole = store.prepared(item)
    (path,) = cached(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_equal(store.prepared(item), whole)
    assert path.read_bytes() == content


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "arrays.safetensors"

    def killed(*_: object) -> None:
        assert not path.exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_arrays({"a": np.zeros(1000)}, path)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_told(item: Item, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = MediaStore(tmp_path / "file" / "cache", VisionConfig())
    with pytest.raises(UserError, match="cannot be written") as error:
        store.prepared(item)
    assert "--cache" in error.value.hint


def test_the_ticks_are_those_of_every_clip_that_is_ever_cut() -> None:
    for duration_s in (0.5, 3.0, 3.1, 4.3, 4.5, 6.0):
        ticks = sampling_ticks(duration_s)
        assert ticks == sorted(set(ticks))
        crops = np.arange(0, max(duration_s - 3, 0) + 1e-9, TICK_SECONDS)
        for start_s in {*clip_starts(duration_s), *map(float, crops)}:
            assert {start_s + TICK_SECONDS * k for k in range(1, 17)} <= set(ticks)


@pytest.mark.parametrize("start_s", [0.0, 0.9375, *clip_starts(SECONDS)])
def test_the_frames_shown_are_those_the_live_program_samples(
    store: MediaStore, item: Item, start_s: float
) -> None:
    prepared = store.prepared(item)
    source = list(frames(item.path))
    for place, frame in zip(prepared.shown(start_s), sample_frames(source, start_s), strict=True):
        if frame is None or round(10 * frame.time_s) in DARK:
            assert place == -1
        else:
            assert prepared.times_s[place] == frame.time_s


def test_speech_is_counted_where_a_clip_lies_in_the_recording() -> None:
    speech = np.zeros(125, np.float32)  # 4 s, of which the chunks from 2.016 to 2.528 s are speech
    speech[63:79] = 0.8
    recording = replace(nothing(4.0), speech=speech)
    assert recording.spoken(2.016, 8 * 0.512, 0.5).tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert recording.spoken(0.0, 3.0, 0.5).sum() == pytest.approx(0.512 / 0.375, abs=0.1)
    assert recording.spoken(0.0, 3.0, 0.9).sum() == 0  # none is so sure
    assert nothing(4.0).spoken(0.0, 3.0, 0.5).tolist() == [0] * 8


def nothing(seconds: float) -> Prepared:
    return Prepared(seconds, None, [], np.zeros((0, 196), bool), np.zeros(0), np.zeros(0))


def test_a_camera_that_stalls_shows_nothing(store: MediaStore) -> None:
    assert (nothing(3.0).shown(0.0) == -1).all()
    stalled = replace(
        nothing(3.0), pictures=[np.zeros((224, 224, 3), np.uint8)], times_s=np.zeros(1)
    )
    assert stalled.shown(0.0).tolist() == [0, 0] + 14 * [-1]  # it is older than 0.5 s
    lost = replace(stalled, hidden_s=np.array([0.2]))
    assert lost.shown(0.0).tolist() == [0] + 15 * [-1]


def test_a_picture_of_a_file_is_shown_until_the_next_one() -> None:
    slides = replace(
        nothing(3.0),
        pictures=2 * [np.zeros((224, 224, 3), np.uint8)],
        times_s=np.array([0.0, 2.0]),
        hidden_s=np.array([1.0]),
        picture_end_s=2.8,
    )
    assert slides.shown(0.0).tolist() == 5 * [0] + 5 * [-1] + 4 * [1] + 2 * [-1]


def test_what_is_heard_begins_where_it_was_asked(store: MediaStore, item: Item) -> None:
    assert item.sound_path is not None
    sound = read_sound(item.sound_path)
    samples, real = store.prepared(item).heard(0.375)
    np.testing.assert_array_equal(samples, sound[6000 : 6000 + CLIP_SAMPLES])
    assert real.all()
    samples, real = store.prepared(item).heard(2.0)
    assert real.sum() == len(sound) - 2 * SAMPLE_RATE
    np.testing.assert_array_equal(samples[real], sound[2 * SAMPLE_RATE :])
    assert not samples[~real].any()


def test_a_part_of_a_file_is_an_item_of_its_own(store: MediaStore, item: Item) -> None:
    part = store.prepared(replace(item, start_s=0.75, end_s=2.5))
    whole = store.prepared(item)
    assert part.duration_s == 1.75
    assert part.waveform is not None
    assert whole.waveform is not None
    np.testing.assert_array_equal(part.waveform, whole.waveform[12_000:40_000])
    until_its_end = slice(int(1.65 / TICK_SECONDS))
    shown = zip(part.shown(0.0)[until_its_end], whole.shown(0.75)[until_its_end], strict=True)
    for place, mine in shown:
        assert (place >= 0) == (mine >= 0)
        if place >= 0:
            np.testing.assert_array_equal(part.pictures[place], whole.pictures[mine])
            assert part.times_s[place] + 0.75 == pytest.approx(whole.times_s[mine])


def test_a_part_that_begins_between_two_ticks_is_looked_at_from_its_own_beginning(
    store: MediaStore, item: Item
) -> None:
    part, source = store.prepared(replace(item, start_s=0.55)), list(frames(item.path))
    for place, frame in zip(part.shown(0.0), sample_frames(source, 0.55), strict=True):
        if frame is None or round(10 * frame.time_s) in DARK:
            assert place == -1
        else:
            assert part.times_s[place] + 0.55 == pytest.approx(frame.time_s)


def test_a_part_that_is_said_to_go_on_after_the_file_ends_with_it(
    store: MediaStore, item: Item
) -> None:
    beyond = store.prepared(replace(item, end_s=60.0))
    assert beyond.duration_s == store.prepared(item).duration_s


def test_a_folder_of_frames_is_prepared_as_the_video_of_them(
    store: MediaStore, item: Item, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    for number, frame in enumerate(frames(item.path)):
        cv2.imwrite(str(tmp_path / "frames" / f"{number}.png"), frame.image[:, :, ::-1])
    film = replace(item, has_sound=False, sound_path=None, end_s=4.2)
    folder = replace(film, path=tmp_path / "frames", frame_rate=10.0)
    one, other = store.prepared(film), store.prepared(folder)
    assert len(one.pictures) > 15
    assert len(one.hidden_s) > 0
    assert_equal(one, other)
    assert_equal(other, MediaStore(tmp_path / "cache", VisionConfig()).prepared(folder))
    assert store.key(folder) != store.key(replace(folder, frame_rate=25.0))


def live_clip(item: Item, start_s: float, detector: Any) -> Clip:
    """What the program would make of the same file: its frames, a tracker, its sound."""
    assert item.sound_path is not None
    tracker, boxes = FaceTracker(), {}
    shown = list(frames(item.path))
    for frame in shown:
        boxes[frame.index] = tracker.follow(detector.detect(frame.image), frame.time_s)
    sampled: tuple[VideoFrame | None, ...] = sample_frames(shown, start_s)
    first = round(start_s * SAMPLE_RATE)
    sound = read_sound(item.sound_path)[first : first + CLIP_SAMPLES]
    waveform, mask = np.zeros(CLIP_SAMPLES, np.float32), np.zeros(CLIP_SAMPLES, bool)
    waveform[: len(sound)], mask[: len(sound)] = sound, True
    faces = tuple(None if frame is None else boxes[frame.index] for frame in sampled)
    return Clip(start_s, sampled, faces, waveform, mask)


@pytest.mark.parametrize("start_s", clip_starts(SECONDS))
def test_one_pipeline_a_window_is_the_clip_of_the_live_program(
    store: MediaStore,
    item: Item,
    tiny_config: FERConfig,
    start_s: float,
    bright_square: Any,
    inputs_of: Callable[[Clip, FERConfig], ModelInputs],
) -> None:
    config = replace(tiny_config, thresholds=Thresholds(min_speech_s=0.0))
    cutter = ClipCutter(store, config, blank=torch.zeros(160))
    window = cutter.window(item, start_s, Modalities())
    clip = live_clip(item, start_s, bright_square())
    live = inputs_of(clip, config)
    assert window.pictures is not None
    assert window.rois is not None
    assert window.spectra is not None
    assert live.roi is not None
    assert not live.frame_mask.all()
    assert torch.equal(window.pictures, live.pixels[0])
    assert torch.equal(window.rois, live.roi[0])
    assert torch.equal(window.frame_mask, live.frame_mask[0])
    assert torch.equal(window.spectra, live.spectra[0])
    assert torch.equal(window.audio_mask, live.audio_mask[0])
    assert cutter.starts(item) == clip_starts(SECONDS)

    model = new_model(config, seed=0)
    prediction = Predictor(model).predict(clip)
    with torch.inference_mode():
        output = answer(model, collate([window]))
    assert prediction is not None
    np.testing.assert_allclose(prediction.probabilities, output.logits[0].softmax(-1), atol=1e-6)


def test_a_still_is_framed_as_a_face_that_was_found(tmp_path: Path) -> None:
    image = np.zeros((1, 48, 48), np.uint8)
    image[0, 1:-1, 1:-1] = np.random.default_rng(0).integers(20, 256, (46, 46), np.uint8)
    np.savez(tmp_path / "faces.npz", images=image)
    item = Item(
        "face",
        tmp_path / "faces.npz",
        "still",
        has_sound=False,
        has_picture=True,
        shares=one_emotion(0),
        groups=NEUTRAL_OR_CALM,
    )
    store = MediaStore(tmp_path / "cache", VisionConfig())
    prepared = store.prepared(item)
    (picture,) = prepared.pictures
    # The face is 8 of 14 patches: 48 pixels are 67 % of the side; its black edge goes on around.
    columns = np.nonzero(picture.any(axis=(0, 2)))[0]
    assert 140 < columns[-1] - columns[0] + 1 < 160
    assert prepared.rois.sum() == 64
    assert cutter_of(store).starts(item) == [0.0]
    assert not (tmp_path / "cache").exists()


def cutter_of(store: MediaStore) -> ClipCutter:
    return ClipCutter(store, FERConfig(), blank=torch.zeros(160))
