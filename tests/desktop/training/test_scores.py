from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.errors import UserError
from fer_desktop.training.scores import scores_of

ONE = {
    "corpus": "ravdess", "split": "dev5-0", "shown": "audio alone", "n": 240, "speakers": 4,
    "uar": 0.664, "war": 0.667, "leaks_speakers": False, "description": "dev5, fold 0 of 5",
}  # fmt: skip


def test_every_score_names_its_split_and_how_many_it_was_tested_on(tmp_path: Path) -> None:
    faces = ONE | {"corpus": "ferplus", "speakers": 0, "shown": "video alone"}
    (tmp_path / "metrics.json").write_text(json.dumps([ONE, faces]))
    assert [score.as_text() for score in scores_of(tmp_path)] == [
        "ravdess, audio alone: UAR 0.66, WAR 0.67 (240 recordings of 4 people; split dev5-0)",
        "ferplus, video alone: UAR 0.66, WAR 0.67 (240 recordings; split dev5-0)",
    ]


def test_a_score_of_people_who_trained_says_so(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps([ONE | {"leaks_speakers": True}]))
    (score,) = scores_of(tmp_path)
    assert "THE MODEL MAY HAVE LEARNT FROM THESE PEOPLE" in score.as_text()


@pytest.mark.parametrize("content", [None, "", "{}", "[{}]", '[{"corpus": 1}]', "[3]"])
def test_scores_that_cannot_be_read_are_told_in_a_sentence(
    content: str | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match="cannot be read"):
        scores_of(tmp_path)
