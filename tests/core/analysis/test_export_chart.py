"""The chart, the thumbnails of the report, and markers in every format."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

import fer_core.analysis.timeline
from fer_core.analysis.export import as_bytes
from fer_core.analysis.export.chart import MOST_STEPS, timeline_figure
from fer_core.analysis.timeline import (
    AudioSource,
    Marker,
    ModelUsed,
    Segment,
    Source,
    Timeline,
    VideoSource,
)
from fer_core.media import FaceBox
from fer_core.preprocess.opencv import cv2

HAPPY, SAD = 2, 3


def segment(number: int, winner: int | None) -> Segment:
    probabilities = np.full(8, 0.04)
    if winner is not None:
        probabilities[winner] = 0.72
    there = winner is not None
    face = FaceBox(10, 40, 20, 30, 0.9) if there else None
    start = 0.375 * number
    shown = probabilities if there else None
    return Segment(start, start + 0.375, shown, not there, there, there, face, 0.5 * there)


def timeline_of(path: Path, *winners: int | None, markers: tuple[Marker, ...] = ()) -> Timeline:
    segments = tuple(segment(number, winner) for number, winner in enumerate(winners))
    video = VideoSource(160, 120, 10.0, 20) if path.suffix == ".mkv" else None
    source = Source(str(path), "0" * 64, segments[-1].end_s, video, AudioSource(16_000, 1))
    used = ModelUsed("tiny", "tiny", "f" * 64)
    return Timeline(source, used, 0.375, segments, np.full(8, 0.125), (), None, markers)


NOTED = (Marker(0.4, "smiles <b> & --> looks\n\naway"), Marker(1.5))


@pytest.fixture
def noted() -> Timeline:
    return timeline_of(Path("a.wav"), HAPPY, HAPPY, None, SAD, markers=NOTED)


def test_the_drawn_chart_keeps_its_text_and_is_the_same_each_time(noted: Timeline) -> None:
    drawn = as_bytes(noted, "svg")
    texts = {element.text for element in ElementTree.fromstring(drawn).iter() if element.text}
    assert {"happy", "sad", "speech", "face", "probability"} <= texts
    assert as_bytes(noted, "svg") == drawn


def test_two_hours_are_drawn_with_as_many_steps_as_a_picture_shows() -> None:
    long = timeline_of(Path("a.wav"), *[HAPPY, SAD] * 9600)
    patches = timeline_figure(long).axes[0].patches
    values, edges, _ = patches[7].get_data()
    assert len(values) <= MOST_STEPS
    assert edges[-1] == 7200
    assert values == pytest.approx(1.0)  # the top of all eight
    happy = patches[HAPPY].get_data()
    assert happy.values - happy.baseline == pytest.approx(0.38, abs=0.03)
    assert len(as_bytes(long, "svg")) < 2_000_000


def test_a_long_file_is_told_by_the_clock_in_round_steps() -> None:
    axes = timeline_figure(timeline_of(Path("a.wav"), *[HAPPY] * 9600)).axes[2]
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= 3600]
    assert ticks == [600.0 * n for n in range(7)]
    assert axes.xaxis.get_major_formatter()(3000.0) == "00:50:00"


def test_what_is_empty_is_blank_and_what_is_there_is_not_thinned_by_it() -> None:
    winners = [HAPPY] * 2000 + [None] * 2000
    values = timeline_figure(timeline_of(Path("a.wav"), *winners)).axes[0].patches[7].get_data()[0]
    assert set(np.round(values, 6)) == {0.0, 1.0}


def test_markers_are_lines_in_the_chart(noted: Timeline) -> None:
    lines = timeline_figure(noted).axes[0].lines
    assert [line.get_xdata()[0] for line in lines] == [0.4, 1.5]


def test_the_report_shows_each_peak(write_video: Callable[..., Path]) -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[30:80, :40] = 255
    path = write_video("a.mkv", [picture] * 20)
    page = as_bytes(timeline_of(path, HAPPY, None, None, None, SAD), "html").decode()
    found = re.findall(r'<img alt="([^"]+)" width="160" src="data:image/jpeg;base64,([^"]+)"', page)
    assert [told for told, _ in found] == ["00:00:00.188 happy 72%", "00:00:01.688 sad 72%"]
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(found[0][1]), np.uint8), 1)
    assert shown is not None
    assert shown.mean() > 150
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []


def test_a_report_of_recordings_joined_as_they_are_has_no_pictures_of_other_moments(
    write_video: Callable[..., Path],
) -> None:
    path = write_video("a.mkv", [np.zeros((120, 160, 3), np.uint8)] * 20)
    told = timeline_of(path, HAPPY, None, None, None, SAD)
    assert "clearest moments" in as_bytes(told, "html").decode()
    joined = replace(told, warnings=("At 1.00 s: its times begin anew.",))
    assert "clearest moments" not in as_bytes(joined, "html").decode()


def test_a_report_of_a_file_that_has_gone_is_whole_without_thumbnails(tmp_path: Path) -> None:
    page = as_bytes(timeline_of(tmp_path / "gone.mkv", HAPPY, SAD), "html").decode()
    assert "clearest moments" not in page
    assert "Over time" in page


def test_markers_are_in_json_and_keep_its_contract(noted: Timeline) -> None:
    schema = Path(fer_core.analysis.timeline.__file__).with_name("timeline.schema.json")
    document = json.loads(as_bytes(noted, "json"))
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document["markers"][0] == {"time_s": 0.4, "note": NOTED[0].note}
    assert "markers" not in json.loads(as_bytes(replace(noted, markers=()), "json"))


def test_markers_are_notes_in_the_table(noted: Timeline) -> None:
    rows = list(csv.DictReader(io.StringIO(as_bytes(noted, "csv").decode(), newline="")))
    # The second is at the very end.
    assert [row["markers"] for row in rows] == ["", NOTED[0].note, "", "marker"]


def test_markers_are_subtitles_that_break_nothing(noted: Timeline) -> None:
    srt, vtt = (as_bytes(noted, name).decode() for name in ("srt", "vtt"))
    assert "00:00:00,400 --> 00:00:01,500\n⚑ smiles <b> & → looks away\n" in srt
    assert "⚑ smiles &lt;b&gt; &amp; → looks away\n" in vtt
    numbers = [block.splitlines()[0] for block in srt.strip().split("\n\n")]
    assert numbers == ["1", "2", "3", "4"]


def test_markers_are_a_table_of_the_report(noted: Timeline) -> None:
    page = as_bytes(noted, "html").decode()
    assert "smiles &lt;b&gt; &amp;" in page
    assert "<h2>Markers</h2>" in page
