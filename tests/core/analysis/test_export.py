from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import fer_core.analysis.timeline
from fer_core.analysis import overview
from fer_core.analysis.analysis import analyze
from fer_core.analysis.export import FORMATS, OVERLAY, as_bytes, csv_table, export
from fer_core.analysis.export.cues import clock, cues_of, subtitles_of
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.timeline import (
    AudioSource,
    Marker,
    ModelUsed,
    Segment,
    Source,
    Timeline,
    VideoSource,
)
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS
from fer_core.media import FaceBox
from fer_core.preprocess.opencv import cv2


def segment(number: int, winner: int | None, end_s: float | None = None) -> Segment:
    probabilities = np.full(8, 0.04)
    if winner is not None:
        probabilities[winner] = 0.72
    there = winner is not None
    return Segment(
        start_s=0.375 * number,
        end_s=end_s or 0.375 * (number + 1),
        probabilities=probabilities if there else None,
        uncertain=not there,
        heard=there,
        seen=there,
        face=FaceBox(1, 2, 30, 40, 0.9) if there else None,
        speech=0.5 if there else 0.0,
    )


@pytest.fixture
def timeline() -> Timeline:
    """Happy, happy, nothing, sad, which is cut by the end."""
    segments = (segment(0, 2), segment(1, 2), segment(2, None), segment(3, 3, 1.25))
    return Timeline(
        source=Source("a <b>.wav", "0" * 64, 1.25, None, AudioSource(16_000, 1)),
        model=ModelUsed("tiny", "tiny", "f" * 64, "# Card\nof <tiny>"),
        hop_s=0.375,
        segments=segments,
        probabilities=segments[0].probabilities,
        warnings=("At 0.50 s: some of its sound cannot be decoded.",),
    )


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    path = Path(fer_core.analysis.timeline.__file__).with_name("timeline.schema.json")
    found = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def test_a_doubtful_answer_and_a_sure_one_are_two_lines_and_seconds_weigh(
    timeline: Timeline,
) -> None:
    first, second, nothing, last = timeline.segments
    surer = np.full(8, 0.01)
    surer[2] = 0.93
    own = [first, second, replace(second, uncertain=True), nothing]
    own.append(replace(last, probabilities=surer, end_s=1.4375))  # happy for an eighth of its time
    own.append(replace(first, start_s=1.4375, end_s=1.875))
    told = [(cue.text, cue.start_s, cue.end_s) for cue in cues_of(own)]
    assert [text for text, _, _ in told[:2]] == ["happy 72%", "happy? 72%"]
    assert told[2][0] == f"happy {(0.3125 * 0.93 + 0.4375 * 0.72) / 0.75:.0%}"


@pytest.mark.parametrize("where", ["srt", "csv"])
def test_markers_are_told_where_they_are(timeline: Timeline, where: str) -> None:
    times = {0.375: "a --> b", 1.25: " at\n\nthe end ", 0.2: ""}
    marked = replace(timeline, markers=tuple(Marker(*own) for own in sorted(times.items())))
    if where == "csv":
        rows = list(csv.DictReader(io.StringIO(as_bytes(marked, "csv").decode())))
        notes = [row["markers"].strip() for row in rows]
        assert notes == ["marker", "a --> b", "", "at\n\nthe end"]
        return
    lines = subtitles_of(marked)
    assert [begin for begin, _, _ in lines] == sorted(begin for begin, _, _ in lines)
    told = {text: (begin, end) for begin, end, text in lines if text.startswith("⚑")}
    assert told == {
        "⚑ marker": (0.2, 1.25),  # for two seconds, but no longer than the file
        "⚑ a → b": (0.375, 1.25),
        "⚑ at the end": (1.25, 1.35),  # or nobody could read it
    }


def test_json_keeps_its_contract(timeline: Timeline, schema: dict[str, Any]) -> None:
    document = json.loads(as_bytes(timeline, "json"))
    jsonschema.validate(document, schema)
    chosen = replace(timeline, face_id=1, only="audio", sound_track=2)
    told = json.loads(as_bytes(chosen, "json"))
    jsonschema.validate(told, schema)
    assert (told["face_id"], told["only"], told["sound_track"]) == (1, "audio", 2)
    assert document["summary"]["emotion"] == "happy"
    assert document["summary"]["face_s"] == 0.875
    assert document["summary"]["speech_s"] == 0.4375
    assert document["segments"][2]["emotion"] is None
    assert document["segments"][-1]["end_s"] == document["source"]["duration_s"] == 1.25


def test_a_timeline_is_read_back_from_its_json(timeline: Timeline) -> None:
    marked = replace(
        timeline, face_id=1, faces=2, only="audio", sound_track=2, files=("a.csv", "a.json"),
        markers=(Marker(0.5, "a laugh"),), model=replace(timeline.model, card=""),
        source=replace(timeline.source, video=VideoSource(640, 480, 25.0, 31)),
    )  # fmt: skip
    for told in (timeline, marked, replace(timeline, probabilities=None)):
        document = told.as_json()
        assert Timeline.from_json(document).as_json() == document
    with pytest.raises(ValueError, match="schema"):
        Timeline.from_json(timeline.as_json() | {"schema": 0})


def test_the_summary_says_of_how_much_of_the_time_each_emotion_leads(timeline: Timeline) -> None:
    first, second, nothing, last = timeline.segments
    segments = (first, replace(second, uncertain=True), nothing, last)
    summary = replace(timeline, segments=segments).as_json()["summary"]
    for name, counted in (("shares", [first, second, last]), ("certain", [first, last])):
        for emotion, share in summary[name].items():
            led_s = sum(s.end_s - s.start_s for s in counted if s.emotion == emotion)
            assert share == pytest.approx(led_s / 1.25, abs=1e-4)
    assert 0 < sum(summary["certain"].values()) < sum(summary["shares"].values()) < 1


@pytest.mark.usefixtures("bright_square")
def test_what_an_analysis_finds_keeps_the_contract(
    write_video: Callable[..., Path],
    squares: Callable[..., list],
    noise: Callable[[float], np.ndarray],
    model: LoadedModel,
    schema: dict[str, Any],
) -> None:
    path = write_video("a.mkv", squares(3.5, dark=range(15)), sound=noise(2.0))
    document = json.loads(as_bytes(analyze(path, model), "json"))
    jsonschema.validate(document, schema)
    video = document["source"]["video"]
    assert (video["width"], video["height"]) == (160, 120)
    assert document["source"]["audio"] == {"sample_rate": 16_000, "channels": 1}
    assert document["model"]["labels"] == list(EMOTIONS)


def test_the_schema_refuses_an_emotion_without_probabilities(
    timeline: Timeline, schema: dict[str, Any]
) -> None:
    document = timeline.as_json()
    document["segments"][0]["probabilities"] = None
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_csv_has_a_row_for_each_segment(timeline: Timeline) -> None:
    rows = list(csv.DictReader(io.StringIO(as_bytes(timeline, "csv").decode(), newline="")))
    assert [row["emotion"] for row in rows] == ["happy", "happy", "", "sad"]
    assert [row["uncertain"] for row in rows] == ["false", "false", "true", "false"]
    assert rows[0]["happy"] == "0.72"
    assert rows[0]["modalities"] == "audio+video"
    assert rows[0]["face_width"] == "30"
    assert rows[2]["happy"] == rows[2]["face_x"] == ""
    assert rows[-1]["end_s"] == "1.25"


@pytest.mark.parametrize(
    ("heading", "columns"),
    [("`--format csv`", csv_table.COLUMNS), ("`--overview`", overview.COLUMNS)],
)
def test_every_column_is_explained(
    heading: str, columns: tuple[str, ...], documented: Callable[[str], list[set[str]]]
) -> None:
    pattern = re.compile(rf"(^|_)({'|'.join(EMOTIONS)})$")
    assert documented(heading) == [{pattern.sub(r"\1EMOTION", column) for column in columns}]


def test_subtitles_join_segments_of_one_emotion_and_leave_gaps(timeline: Timeline) -> None:
    assert as_bytes(timeline, "srt").decode() == (
        "1\n00:00:00,000 --> 00:00:00,750\nhappy 72%\n\n2\n00:00:01,125 --> 00:00:01,250\nsad 72%\n"
    )
    assert as_bytes(timeline, "vtt").decode().startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.750\nhappy 72%\n\n"
    )  # fmt: skip
    assert clock(3 * 3600 + 59.9996, ",") == "03:01:00,000"


def test_the_chart_is_a_picture(timeline: Timeline) -> None:
    picture = cv2.imdecode(np.frombuffer(as_bytes(timeline, "png"), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1] > 1000


def test_the_page_needs_no_other_file_and_escapes_what_it_shows(timeline: Timeline) -> None:
    page = as_bytes(timeline, "html").decode()
    assert "a &lt;b&gt;.wav" in page
    assert "of &lt;tiny&gt;" in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []


def test_half_a_file_is_never_left(
    timeline: Timeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="No space left") as error:
        export(timeline, path)
    assert "another folder" in error.value.hint
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"


def test_every_format_that_is_offered_is_written(timeline: Timeline, tmp_path: Path) -> None:
    for name in {*FORMATS} - {OVERLAY}:
        export(timeline, tmp_path / f"a.{name}")
        assert (tmp_path / f"a.{name}").read_bytes(), name


@pytest.mark.parametrize("name", ["doc", OVERLAY])  # the video is written bit by bit
def test_an_unknown_format_is_refused(timeline: Timeline, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"no format '{name}'"):
        export(timeline, tmp_path / f"a.{name}")
