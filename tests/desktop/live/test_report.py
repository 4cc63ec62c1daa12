import json
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import UserError
from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox
from fer_core.prediction import Prediction
from fer_desktop.live.report import Report
from fer_desktop.live.statistics import Statistics


def prediction(end_s: float, face: FaceBox | None = None) -> Prediction:
    return Prediction(
        clip_end_s=end_s,
        probabilities=np.array([0.7, 0.1, 0.1, 0.1, 0, 0, 0, 0], np.float32),
        segment_probabilities=np.full((8, 8), 1 / 8, np.float32),
        segment_weights=np.full(8, 1 / 8, np.float32),
        segment_audio=np.ones(8, bool),
        segment_video=np.full(8, face is not None),
        uncertain=False,
        face=face,
        kept_patches=(1, 2),
        audio_level_dbfs=-23.456,
        segment_speech=np.full(8, 0.5),
        took_ms=12.3,
    )


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_the_report_is_valid_json_at_every_moment(tmp_path):
    path = tmp_path / "deep" / "report.json"
    report = Report(path, {"model": "compact"})
    assert read(path) == {
        "predictions": [],
        "stats": {"session": 0, "model": "compact"},
        "earlier_stats": [],
        "notices": [],
    }
    report.begin_session({})
    for n in range(1, 4):
        report.add(prediction(n * 0.375), {"model": "a name of another length", "n": n})
        assert len(read(path)["predictions"]) == n
        assert read(path)["stats"]["n"] == n
    report.note("The camera is gone.")
    report.note("The camera is gone.")
    report.close({})
    assert read(path)["notices"] == ["The camera is gone."]
    assert read(path)["stats"] == {"session": 1}
    assert [p["clip_end_s"] for p in read(path)["predictions"]] == [0.375, 0.75, 1.125]


def test_each_session_has_a_number_and_statistics_of_its_own(tmp_path):
    path = tmp_path / "report.json"
    report = Report(path, {})
    for session in (1, 2):
        report.begin_session({"n": 0})
        assert read(path)["stats"] == {"session": session, "n": 0}
        report.add(prediction(0.375), {"n": 1})
        report.update({"n": 10 * session})
    report.close({"n": 21})
    assert [p["session"] for p in read(path)["predictions"]] == [1, 2]
    assert read(path)["stats"] == {"session": 2, "n": 21}
    assert read(path)["earlier_stats"] == [{"session": 1, "n": 10}]


def test_every_field_is_explained(tmp_path, documented):
    path = tmp_path / "report.json"
    report = Report(path, {})
    report.begin_session(Statistics().as_json())
    report.add(prediction(3.0, FaceBox(1, 2, 3, 4, 0.9)), Statistics().as_json())
    report.close(Statistics().as_json())
    entry, stats = read(path)["predictions"][0], read(path)["stats"]
    of_segments = {f"segments.{name}" for name in entry["segments"][0]}
    assert documented("`--report`") == [{*entry, *of_segments}, {*stats}]
    assert entry["emotion"] == "neutral"
    assert tuple(entry["probabilities"]) == EMOTIONS
    assert len(entry["segments"]) == 8
    assert entry["modalities"] == ["audio", "video"]
    assert entry["face"] == {"x": 1, "y": 2, "width": 3, "height": 4, "score": 0.9}


def test_no_face_is_null_and_no_video(tmp_path):
    path = tmp_path / "report.json"
    report = Report(path, {})
    report.add(prediction(3.0), {})
    report.close({})
    entry = read(path)["predictions"][0]
    assert entry["face"] is None
    assert entry["modalities"] == ["audio"]


def test_an_unwritable_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written") as error:
        Report(tmp_path / "file" / "report.json", {})
    assert "--report" in error.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_clear_error():
    with pytest.raises(UserError, match="No space left"):
        Report(Path("/dev/full"), {})


def test_a_disk_that_becomes_full_keeps_what_was_written(tmp_path):
    path = tmp_path / "report.json"
    report = Report(path, {})
    report.add(prediction(3.0), {})
    limit = path.stat().st_size + 100
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(UserError, match="cannot be written"):
            report.add(prediction(3.375), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    report.add(prediction(3.75), {})  # told once; later predictions change nothing
    assert [p["clip_end_s"] for p in read(path)["predictions"]] == [3.0]
