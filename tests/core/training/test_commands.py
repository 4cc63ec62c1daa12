"""Whom ``evaluate`` tests, and under which name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.item import Item
from fer_core.errors import UserError
from fer_core.evaluation.measurement import Trial
from fer_core.training import commands
from fer_core.training.command_line import parser
from fer_core.training.fit import CorpusChoice, read_material

MakeItems = Callable[..., list[Item]]


@pytest.fixture
def own_voices(make_voices: MakeItems, tmp_path: Path) -> Path:
    """A table of six people with two utterances each."""
    rows = ["path,emotion,speaker"]
    for speaker in "abcdef":
        rows += [f"{item.path.name},happy,{speaker}" for item in make_voices(2, speaker)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    return table


Tested = Callable[..., tuple[tuple[Item, ...], Trial]]


@pytest.fixture
def tested(own_voices: Path) -> Tested:
    def tested(*arguments: str) -> tuple[tuple[Item, ...], Trial]:
        given = ["evaluate", "--corpus", "manifest", "--data", str(own_voices), *arguments]
        return commands.tested(parser().parse_args(given))

    return tested


def test_the_people_of_a_fold_are_those_that_fit_with_this_seed_tests(
    tested: Tested, own_voices: Path
) -> None:
    told = {}
    for seed in (0, 1):
        own = read_material(CorpusChoice("manifest", own_voices), seed)
        items, trial = tested("--seed", str(seed), "--fold", "2")
        assert items == own.fold(2).test
        assert trial.split == "speakers-2"
        told[seed] = {item.speaker for item in items}
    assert told[0] != told[1]


@pytest.mark.parametrize("fold", ["-1", "5"])
def test_a_fold_that_is_not_there_is_refused(tested: Tested, fold: str) -> None:
    with pytest.raises(UserError, match=f"no fold {fold} in this split"):
        tested("--fold", fold)


def test_what_is_shown_is_what_there_is(tested: Tested) -> None:
    _, trial = tested("--split", "all")
    assert trial.shown == "audio alone"
    with pytest.raises(UserError, match="Nothing in the test part has video"):
        tested("--split", "all", "--modalities", "video")
