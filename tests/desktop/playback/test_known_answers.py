from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_desktop.playback.known_answers import known_answers


@pytest.fixture
def film(write_film) -> Path:
    return write_film("known.mp4", sound="aac")


def test_of_most_files_nothing_is_known(film: Path) -> None:
    assert known_answers(film, None) is None


def test_an_earlier_analysis_is_known_as_long_as_the_file_is_the_same(
    film: Path, answered, tmp_path: Path
) -> None:
    document = answered(film)
    known = known_answers(film, document)
    assert known.whence == "As analysed before"
    assert {segment.emotion for segment in known.timeline.segments} == {"sad"}
    assert known_answers(film, known.timeline) == known
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(film.read_bytes())
    for before in (document, known.timeline):
        assert known_answers(copy, before) is not None
    copy.write_bytes(film.read_bytes() + b"more")
    for before in (document, known.timeline):
        assert known_answers(copy, before) is None


@pytest.mark.parametrize("damage", ["{", "[]", '{"schema": 1}', None])
def test_a_document_that_is_no_use_costs_only_time(film: Path, damage, tmp_path: Path) -> None:
    document = tmp_path / "film.json"
    if damage is not None:
        document.write_text(damage)
    assert known_answers(film, document) is None


def test_an_analysis_comes_before_what_was_said_live(
    film: Path, answered, say_live, tmp_path: Path
) -> None:
    video = tmp_path / "session.mp4"
    video.write_bytes(film.read_bytes())
    say_live(video, seconds=12)
    assert known_answers(video, None).whence == "As said live"
    document = answered(video)
    assert known_answers(video, document).whence == "As analysed before"
    document.write_text(json.dumps({"schema": 0}))
    assert known_answers(video, document).whence == "As said live"
