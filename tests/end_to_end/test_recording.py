"""The real program records: to a file that any player opens, also when the program dies."""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest

from fer_core.analysis.command_line import main as fer_analyze
from fer_core.media import HOP_SECONDS
from fer_desktop.capture.synthetic import draw_face, speech
from fer_desktop.live.recorded_timeline import recorded_timeline

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

pytestmark = pytest.mark.timeout(300)


def answers(video: Path) -> list[dict]:
    text = video.with_suffix(".jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in lines if "segments" in line]


def time_0_s(video: Path, sound: np.ndarray) -> float:
    """The recording's time 0 on the clock that the demo's voice is a function of."""
    head = json.loads(video.with_suffix(".jsonl").read_text().splitlines()[0])
    about_s = datetime.fromisoformat(head["begun"]).timestamp() - time.time() + time.monotonic()
    earliest_s, rate, size = about_s - 1.0, 48_000, 2**19  # a busy machine may be late
    sound = sound[rate // 2 :][: 8 * rate]
    said = speech(earliest_s + 0.5, len(sound) + 2 * rate)
    likeness = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(sound, size)))
    return earliest_s + int(likeness[: 2 * rate].argmax()) / rate


def picture_is_late_s(drawn_at_s: float, image: np.ndarray) -> float:
    """Against the drawn face of that moment; up to 50 ms."""

    def difference(late_s: float) -> float:
        return float(np.abs(draw_face(drawn_at_s - late_s).astype(int) - image).mean())

    return min((number / 120 for number in range(-6, 7)), key=difference)


@pytest.fixture
def record(program, tmp_path):
    """The demo, recorded until so many answers are in its results; the program and the video."""

    def record(count: int = 10, **how):
        base = tmp_path / "recordings"
        running = program("--demo", "--record", str(base), environment=OFFSCREEN, **how)

        def video() -> Path | None:
            return max(base.glob("*/*.mp4"), default=None)

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
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(sound)])
    with av.open(str(video)) as file:
        shown = [(f.time, f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]

    # Picture and sound are of the moment that their time says, and so in step.
    zero_s = time_0_s(video, heard)
    assert zero_s == pytest.approx(round(zero_s / HOP_SECONDS) * HOP_SECONDS, abs=0.001)
    late_s = [picture_is_late_s(zero_s + at_s, image) for at_s, image in shown[10:60:10]]
    assert np.median(late_s) == 0, late_s

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
    running, video = record(0, largest_file=250_000)  # perhaps full before the first answer
    words = "The recording has ended"
    running.until(lambda: any(words in n for n in running.report()["notices"]), words, 90)
    count = len(running.predictions())
    running.until(lambda: len(running.predictions()) > count, "another prediction", 90)
    running.signal()
    assert running.ends(within_s=3) == ""
    assert 200_000 < video.stat().st_size <= 250_000
    with av.open(str(video)) as file, suppress(av.error.InvalidDataError):  # the last is cut
        shown = 0
        for _ in file.decode(video=0):
            shown += 1
    assert shown > 60
