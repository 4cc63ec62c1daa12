"""The real program records: to a file that any player opens, also when the program dies."""

from __future__ import annotations

import json
import signal
from importlib.resources import files
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest

from fer_core.analysis.command_line import main as fer_analyze
from fer_desktop.live.recorded_timeline import recorded_timeline

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

pytestmark = pytest.mark.timeout(150)


def answers(video: Path) -> list[dict]:
    text = video.with_suffix(".jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in lines if "segments" in line]


@pytest.fixture
def record(program, tmp_path):
    """The demo, recorded until so many answers are in its results; the program and the video."""

    def record(count: int = 10, **how):
        base = tmp_path / "recordings"
        running = program("--demo", "--record", str(base), environment=OFFSCREEN, **how)

        def video() -> Path | None:
            return next(base.glob("*/*.mp4"), None)

        running.until(lambda: (v := video()) and len(answers(v)) >= count, f"{count} answers", 90)
        return running, video()

    return record


def test_what_was_recorded_opens_like_any_file(record, tmp_path):
    running, video = record(10)
    running.signal()
    assert running.ends(within_s=10) == ""
    with av.open(str(video)) as file:
        picture, sound = file.streams.video[0], file.streams.audio[0]
        assert (picture.codec.name, sound.codec.name) == ("h264", "aac")
        assert (picture.width, picture.height, sound.sample_rate) == (640, 480, 48_000)
        length_s = file.duration / av.time_base
        assert float(picture.duration * picture.time_base) == pytest.approx(length_s, abs=0.5)
        assert float(sound.duration * sound.time_base) == pytest.approx(length_s, abs=0.5)
        blocks = [frame.to_ndarray()[0] for frame in file.decode(sound)]
    assert np.abs(np.concatenate(blocks)).max() > 0.05, "the made-up voice"

    document = json.loads(video.with_suffix(".json").read_text())
    schema = json.loads((files("fer_core.analysis") / "timeline.schema.json").read_text())
    jsonschema.validate(document, schema)
    live = [segment["emotion"] for segment in document["segments"]]
    assert sum(emotion is not None for emotion in live) >= 10
    assert document["source"]["duration_s"] == pytest.approx(length_s, abs=0.01)
    assert document["model"]["preset"] == "compact"
    faces = [segment["face"] for segment in document["segments"] if segment["face"]]
    assert len(faces) >= 8

    out = tmp_path / "analysis"
    assert fer_analyze([str(video), "--out", str(out), "--format", "json"]) == 0
    (again,) = (json.loads(path.read_text()) for path in out.rglob("*.json"))
    assert len(again["segments"]) == len(live)
    # The same moments: the analysed faces are where the live ones were.
    for then, now in zip(document["segments"], again["segments"], strict=True):
        if then["face"] and now["face"]:
            assert now["face"]["x"] == pytest.approx(then["face"]["x"], abs=30)


def test_what_was_recorded_survives_a_crash(record):
    running, video = record(10)
    running.signal(signal.SIGKILL)
    running.ends(within_s=5, status=-signal.SIGKILL)
    with av.open(str(video)) as file:
        times_s = [frame.time for frame in file.decode(video=0)]
    with av.open(str(video)) as file:
        heard_s = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
    last_s = answers(video)[-1]["end_s"]
    assert times_s[-1] > last_s - 2
    assert heard_s > last_s - 2
    assert len(recorded_timeline(video).segments) >= 6


def test_a_full_disk_ends_the_recording_and_nothing_else(record):
    running, video = record(1, largest_file=250_000)
    running.until_noticed("The recording has ended")
    count = len(running.predictions())
    running.until(lambda: len(running.predictions()) > count, "another prediction")
    running.signal()
    assert running.ends(within_s=3) == ""
    assert video.stat().st_size <= 250_000
    assert answers(video)
