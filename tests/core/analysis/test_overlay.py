"""The video with results in its picture: what is drawn, and that picture and sound stay in step."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.analysis.export.overlay_picture import COLOURS, DARK, GREY, OverlayPainter
from fer_core.analysis.export.overlay_video import overlay_video
from fer_core.analysis.segment_average import segments_in
from fer_core.analysis.source import source_of
from fer_core.analysis.timeline import ModelUsed, Segment, Timeline
from fer_core.data.media_info import probe
from fer_core.data.media_picture import frames
from fer_core.data.media_sound import read_sound
from fer_core.errors import UserError
from fer_core.media import FaceBox

Make = Callable[..., Path]

HAPPY = 2
BLACK = np.zeros((360, 480, 3), np.uint8)


def segment(number: int, end_s: float, face: FaceBox | None, uncertain: bool = False) -> Segment:
    probabilities = np.full(8, 0.04)
    probabilities[HAPPY] = 0.72
    return Segment(
        start_s=0.375 * number,
        end_s=min(0.375 * (number + 1), end_s),
        probabilities=probabilities,
        uncertain=uncertain,
        heard=True,
        seen=face is not None,
        face=face,
        speech=1.0,
    )


def timeline(path: Path, face: FaceBox | None = None, uncertain: bool = False) -> Timeline:
    info = probe(path)
    end_s = info.duration_s
    segments = tuple(segment(i, end_s, face, uncertain) for i in range(segments_in(end_s)))
    model = ModelUsed("tiny", "tiny", "f" * 64)
    source = source_of(path, info, "0" * 64, end_s)
    return Timeline(source, model, 0.375, segments, segments[0].probabilities, ())


def written(found: Timeline | list[Timeline], path: Path) -> Path:
    for _ in overlay_video(found if isinstance(found, list) else [found], path):
        pass
    return path


def has(image: np.ndarray, colour: tuple[int, int, int], within: int = 40) -> np.ndarray:
    """Where a picture has it, (H, W)."""
    return np.asarray((np.abs(image.astype(int) - colour).max(axis=2)) < within)


@pytest.fixture
def painted(write_video: Make) -> Callable[..., np.ndarray]:
    path = write_video("a.mp4", [BLACK] * 20)

    def draw(face: FaceBox | None, uncertain: bool = False, time_s: float = 0.5) -> np.ndarray:
        painter = OverlayPainter([timeline(path, face, uncertain)], (480, 360))
        return painter.draw(BLACK, time_s)

    return draw


def test_the_face_has_a_box_in_its_emotions_colour(painted: Callable[..., np.ndarray]) -> None:
    drawn = has(painted(FaceBox(200, 100, 120, 80, 0.9)), COLOURS[HAPPY])
    assert drawn[100, 220:300].all()
    assert drawn[180, 220:300].all()
    assert drawn[120:170, 200].all()
    assert not drawn[110:170, 210:310].any()  # the face itself is free
    assert drawn[70:98, 200:300].any()  # its name above


def test_what_is_uncertain_is_grey(painted: Callable[..., np.ndarray]) -> None:
    drawn = painted(FaceBox(200, 100, 120, 80, 0.9), uncertain=True)
    assert has(drawn, GREY)[100, 220:300].all()
    assert not has(drawn, COLOURS[HAPPY])[:150].any()


def test_bars_are_as_long_as_the_probabilities(painted: Callable[..., np.ndarray]) -> None:
    drawn = painted(None)
    longest = [has(drawn, colour, 8)[190:, :190].sum(axis=1).max() for colour in COLOURS]
    assert longest[HAPPY] > 60
    assert all(n < 12 for i, n in enumerate(longest) if i not in (HAPPY, 0))


def test_where_nobody_is_seen_the_bars_have_no_faces_number(write_video: Make) -> None:
    found = timeline(write_video("a.mp4", [BLACK] * 20))
    drawn = [
        OverlayPainter([replace(found, face_id=face_id)], (480, 360)).draw(BLACK, 0.5)
        for face_id in (None, 0)
    ]
    np.testing.assert_array_equal(*drawn)


def test_the_bars_lie_in_the_corner_where_no_face_is(write_video: Make) -> None:
    path = write_video("a.mp4", [BLACK] * 20)
    for x, y in ((10, 230), (360, 230), (10, 10)):
        painter = OverlayPainter([timeline(path, FaceBox(x, y, 100, 100, 0.9))], (480, 360))
        drawn = painter.draw(BLACK, 0.0)
        assert not has(drawn, DARK, 4)[y + 5 : y + 95, x + 5 : x + 95].any()


def test_the_box_glides_from_segment_to_segment(write_video: Make) -> None:
    found = timeline(write_video("a.mp4", [BLACK] * 20), FaceBox(200, 100, 100, 100, 0.9))
    second = replace(found.segments[1], face=FaceBox(300, 100, 100, 100, 0.9))
    found = replace(found, segments=(found.segments[0], second, *found.segments[2:]))
    painter = OverlayPainter([found], (480, 360))
    half_way = has(painter.draw(BLACK, 0.375), COLOURS[HAPPY])
    assert half_way[120:180, 250].all()


@pytest.mark.parametrize("size", [(16, 16), (31, 240), (1920, 1080)])
def test_any_size_can_be_drawn_on(write_video: Make, size: tuple[int, int]) -> None:
    face = FaceBox(0, 0, size[0], size[1], 0.9)
    found = timeline(write_video("a.mp4", [BLACK] * 20), face)
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    drawn = OverlayPainter([found, replace(found, face_id=1)], size).draw(picture, 0.0)
    assert drawn.shape == picture.shape
    assert drawn.any()
    assert not picture.any()


def test_the_bars_stay_in_their_corner_where_the_pictures_change_their_size(
    write_video: Make,
) -> None:
    found = timeline(write_video("a.mp4", [BLACK] * 20), FaceBox(10, 230, 100, 100, 0.9))
    painter = OverlayPainter([found], (480, 360))  # the face leaves the right lower corner free
    for height, width in ((270, 360), (720, 960)):
        drawn = painter.draw(np.zeros((height, width, 3), np.uint8), 0.0)
        bars = has(drawn, COLOURS[HAPPY], 8)
        assert bars[height - 190 :, width - 230 :].any()


@pytest.mark.parametrize("channels", [3, 9, 20])
def test_sound_of_channels_without_places_is_heard_too(tmp_path: Path, channels: int) -> None:
    voice = np.round(16_000 * np.sin(np.arange(16_000) / 10)).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.repeat(voice, channels).tobytes())
    out = written(timeline(tmp_path / "a.wav"), tmp_path / "out.mp4")
    assert np.abs(read_sound(out)).max() > 0.2


def test_a_flash_and_a_beep_stay_together(write_video: Make, tmp_path: Path) -> None:
    """At 2 s, in a file whose frame rate changes and whose sound starts late."""
    times_s = [*np.arange(0, 1, 0.1), *np.arange(1, 4, 0.04)]
    pictures = [np.full_like(BLACK, 255 if 2 <= t < 2.2 else 0) for t in times_s]
    sound = np.zeros((2, 48_000 * 3))
    sound[:, 48_000 * 3 // 2 :][:, :9_600] = 0.5 * np.sin(np.arange(9_600) / 10)
    path = write_video("a.mp4", pictures, times_s, sound, rate=48_000, sound_starts_s=0.5)
    out = written(timeline(path), tmp_path / "out.mp4")
    shown = list(frames(out))
    assert [f.time_s for f in shown] == pytest.approx(times_s, abs=0.002)
    bright_s = next(f.time_s for f in shown if f.image[:100].mean() > 128)
    loud_s = np.argmax(np.abs(read_sound(out)) > 0.1) / 16_000
    assert bright_s == pytest.approx(2.0, abs=0.01)
    assert loud_s == pytest.approx(2.0, abs=0.01)
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.name == "h264"
        assert file.streams.audio[0].codec_context.name == "aac"
        assert file.streams.audio[0].layout.name == "stereo"


def test_a_turned_video_is_written_upright(write_video: Make, tmp_path: Path) -> None:
    quarter = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    path = write_video("a.mp4", [np.zeros((480, 270, 3), np.uint8)] * 4, matrix=quarter)
    face = FaceBox(100, 60, 100, 100, 0.9)  # in the picture as it is shown
    (first, *_) = frames(written(timeline(path, face), tmp_path / "out.mp4"))
    assert first.image.shape == (270, 480, 3)
    assert has(first.image, COLOURS[HAPPY], 70)[60, 120:180].mean() > 0.9


def test_of_sound_alone_a_picture_with_bars_is_made(write_sound: Make, tmp_path: Path) -> None:
    path = write_sound("a.wav", 0.1 * np.ones(3 * 16_000))
    out = written(timeline(path), tmp_path / "out.mp4")
    shown = list(frames(out))
    assert [f.time_s for f in shown] == pytest.approx([0.375 * i for i in range(8)], abs=0.001)
    assert has(shown[0].image, COLOURS[HAPPY], 70).any()
    assert len(read_sound(out)) == pytest.approx(48_000, abs=2048)


@pytest.mark.parametrize("times_s", [[0.0], [0.0, 0.1, 0.2], [0.0, 1.2, 2.0]])
def test_the_bars_go_on_where_the_picture_stands_still(
    write_video: Make, tmp_path: Path, times_s: list[float]
) -> None:
    """A slide under a voice, a picture that ends before its sound, and a slow film."""
    sound = 0.1 * np.ones(3 * 16_000)
    found = timeline(write_video("a.mp4", [BLACK] * len(times_s), times_s, sound))
    sad = np.roll(found.segments[0].probabilities, 1)
    later = [replace(s, probabilities=sad) for s in found.segments[4:]]
    out = written(replace(found, segments=(*found.segments[:4], *later)), tmp_path / "out.mp4")
    shown = list(frames(out))
    begins_s = [segment.start_s for segment in found.segments]
    told_s = [frame.time_s for frame in shown]
    assert told_s == pytest.approx(sorted({*times_s, *begins_s}), abs=0.001)
    told = [has(frame.image, COLOURS[HAPPY + 1], 60).sum() for frame in shown]
    assert [n > 500 for n in told] == [time_s > 1.4 for time_s in told_s]


def test_a_silent_video_stays_silent(write_video: Make, tmp_path: Path) -> None:
    out = written(timeline(write_video("a.mp4", [BLACK] * 20)), tmp_path / "out.mp4")
    assert not probe(out).has_sound


def test_a_cancelled_video_leaves_nothing(write_video: Make, tmp_path: Path) -> None:
    found = timeline(write_video("in/a.mp4", [BLACK] * 20))
    going = overlay_video([found], tmp_path / "out" / "a.mp4")
    assert next(going) == 0.0
    going.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(write_video: Make, tmp_path: Path) -> None:
    found = timeline(write_video("a.mp4", [BLACK] * 20))
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(UserError, match="cannot be written"):
        written(found, tmp_path / "out" / "a.mp4")
