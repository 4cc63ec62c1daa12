"""What was said live becomes the timeline of the video, also after a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from fer_core.labels import EMOTIONS
from fer_core.media import HOP_SECONDS, FaceBox
from fer_core.media_writer import MediaWriter
from fer_desktop.live.recorded_results import result_line
from fer_desktop.live.recorded_timeline import recorded_timeline, said_live, write_timeline

SECONDS = 4.5  # 12 segments
FACE = FaceBox(20, 10, 24, 24, 0.9)
MODEL = {"name": "m", "preset": "tiny", "sha256": "0" * 64, "labels": list(EMOTIONS)}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "r.mp4"
    with MediaWriter(path, (64, 48), 48_000, fps=8) as file:
        for number in range(int(SECONDS * 8)):
            file.write_frame(np.full((48, 64, 3), 90, np.uint8), number / 8)
        file.write_sound(np.zeros(int(SECONDS * 48_000), np.float32), 0.0)
    return path


@pytest.fixture
def answer(make_prediction):
    """The line of a window that ends after so many hops."""

    def line(hops: int, winner: int = 4, goes_on_from_s: float = 0.0, **what: Any) -> dict:
        prediction = make_prediction(winner, **what)
        return result_line(prediction, hops * HOP_SECONDS, goes_on_from_s, [FACE] * 8)

    return line


def write(video: Path, *lines: dict, model: dict = MODEL, rest: str = "") -> None:
    head = [
        {"recording": 1},
        {"model": model | {"uncertain_below": {"both": 0.5, "audio": 0.5, "video": 0.5}}},
    ]
    text = "".join(json.dumps(line) + "\n" for line in [*head, *lines]) + rest
    video.with_suffix(".jsonl").write_text(text)


def test_each_segment_is_the_mean_of_the_windows_that_saw_it(video, answer) -> None:
    # The windows up to the sixth hop were angry, later ones sad; the last hop has no answer.
    write(video, *(answer(hops, 4 if hops <= 6 else 3) for hops in range(1, 12)))
    timeline = recorded_timeline(video)
    assert len(timeline.segments) == 12
    first, ninth, last = (timeline.segments[n] for n in (0, 8, 11))
    # Windows 1 to 8 saw the first segment: six angry, two sad.
    assert first.probabilities[4] == pytest.approx((6 * 0.72 + 2 * 0.04) / 8, abs=1e-5)
    assert (first.start_s, first.end_s) == (0.0, 0.375)
    assert (first.heard, first.seen, first.face) == (True, True, FACE)
    assert first.speech == pytest.approx(0.5)
    assert ninth.probabilities[3] == pytest.approx(0.72, abs=1e-5)
    assert (last.probabilities, last.uncertain, last.end_s) == (None, True, SECONDS)
    assert timeline.emotion == "sad", "whole windows only: those of hops 8 to 11"
    assert timeline.source.video.width == 64
    assert timeline.source.audio.sample_rate == 48_000


def test_what_lay_before_a_pause_is_not_told_after_it(video, answer) -> None:
    write(video, answer(4, winner=4), answer(6, winner=2, goes_on_from_s=4 * HOP_SECONDS))
    emotions = [segment.emotion for segment in recorded_timeline(video).segments]
    assert emotions == ["angry"] * 4 + ["happy"] * 2 + [None] * 6


def test_what_no_window_saw_is_a_warning_and_no_silence(video, answer) -> None:
    # The model came at 1.5 s, failed after the sixth hop and was used again for the last two.
    write(video, answer(6, goes_on_from_s=4 * HOP_SECONDS), answer(12, goes_on_from_s=3.75))
    timeline = recorded_timeline(video)
    assert [segment.emotion for segment in timeline.segments[:4]] == [None] * 4
    assert timeline.warnings == (
        "From 0.00 s to 1.50 s no answer was given.",
        "From 2.25 s to 3.75 s no answer was given.",
    )


def test_what_a_hop_and_the_way_of_an_answer_cost_at_the_end_is_no_warning(video, answer) -> None:
    nobody = result_line(None, 8 * HOP_SECONDS, 0.0, [None] * 8)
    write(video, nobody, answer(10))
    assert recorded_timeline(video).warnings == ()
    write(video, nobody)
    assert recorded_timeline(video).warnings == ("From 3.00 s to 4.50 s no answer was given.",)


def test_a_recording_shorter_than_a_window_has_a_summary(video, answer) -> None:
    write(video, answer(3), answer(4))
    assert recorded_timeline(video).emotion == "angry"


def test_it_is_the_documented_json(video, answer) -> None:
    write(video, answer(5), answer(7, audio=False), result_line(None, 3.0, 0.0, [None] * 8))
    write_timeline(video)
    document = json.loads(video.with_suffix(".json").read_text())
    schema = json.loads((files("fer_core.analysis") / "timeline.schema.json").read_text())
    jsonschema.validate(document, schema)
    assert document["segments"][6]["modalities"] == ["video"]
    assert document["source"]["duration_s"] == pytest.approx(SECONDS, abs=0.1)


def test_every_field_of_an_answer_is_explained(answer, documented) -> None:
    line = answer(8)
    of_segments = {f"segments.{name}" for name in line["segments"][0]}
    assert documented("A recording's `.jsonl`") == [{*line, *of_segments}]


def test_a_line_that_a_crash_cut_costs_nothing_else(video, answer) -> None:
    write(video, answer(8), rest='{"start_s": 1.1, "end')
    assert recorded_timeline(video).segments[3].emotion == "angry"


@pytest.mark.parametrize("hops", [15, 25])
def test_answers_beyond_the_video_are_left_out(video, answer, hops: int) -> None:
    """A crash costs the video its last half second, a broken file more."""
    write(video, *(answer(number) for number in range(1, hops + 1)))
    timeline = recorded_timeline(video)
    assert len(timeline.segments) == 12
    assert timeline.segments[-1].emotion == "angry"


def test_an_emotion_that_was_next_to_impossible_was_not_impossible(make_prediction) -> None:
    """Logarithms of probabilities are averaged: a zero would rule over all other windows."""
    sure = make_prediction(winner=4)
    probabilities = np.full(8, 1e-9, np.float32)
    probabilities[4] = 1.0
    line = result_line(replace(sure, probabilities=probabilities), 3.0, 0.0, [None] * 8)
    assert line["probabilities"]["happy"] == pytest.approx(1e-9)


def test_another_model_in_the_middle_is_named(video, answer) -> None:
    other = {"model": MODEL | {"name": "other"}}
    write(video, answer(8), other, answer(11))
    timeline = recorded_timeline(video)
    assert timeline.model.name == "other"
    assert timeline.warnings == ("A part was answered by another model: m.",)


def test_without_a_model_there_is_no_timeline(video) -> None:
    video.with_suffix(".jsonl").write_text('{"recording": 1}\n')
    write_timeline(video)
    assert not video.with_suffix(".json").exists()


def test_what_was_said_live_is_known_of_recordings_alone(video, answer) -> None:
    assert said_live(video) is None, "an ordinary film"
    video.with_suffix(".jsonl").write_text('{"any": "lines"}\n')
    assert said_live(video) is None, "lines of somebody else"
    write(video, answer(8))
    assert said_live(video).segments[3].emotion == "angry"
    write_timeline(video)
    assert said_live(video).segments[3].emotion == "angry"


def test_a_recording_that_was_cut_since_then_has_no_live_answers(video, answer) -> None:
    write(video, answer(8))
    write_timeline(video)
    with video.open("ab") as file:
        file.write(bytes(100))
    assert said_live(video) is None
