from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.corpora.registry import CORPORA, read_corpus
from fer_core.errors import UserError


def test_a_corpus_is_read_by_its_name(place: Callable[..., Path]) -> None:
    folder = place("03-01-03-01-01-01-07.wav", "03-02-03-01-01-01-07.wav")
    assert len(read_corpus("ravdess", folder).items) == 1
    assert len(read_corpus("ravdess", folder, song=True).items) == 2


@pytest.mark.parametrize("name", CORPORA)
def test_an_unusable_folder_is_one_error_that_says_what_was_expected(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UserError, match="There is no folder") as missing:
        read_corpus(name, tmp_path / "missing")
    assert CORPORA[name].expected in missing.value.hint
    with pytest.raises(UserError, match=r"Nothing in|holds no tables"):
        read_corpus(name, tmp_path)


def test_the_error_tells_what_was_found_instead(place: Callable[..., Path]) -> None:
    folder = place("happy.wav", "angry.wav")
    with pytest.raises(UserError, match="not a RAVDESS name: 2"):
        read_corpus("ravdess", folder)


def test_unknown_names_and_flags_are_said(place: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="There is no corpus “ravdes”"):
        read_corpus("ravdes", place("a.wav"))
    with pytest.raises(UserError, match="knows no “song”"):
        read_corpus("cremad", place("1001_DFA_ANG_XX.wav"), song=True)
    assert read_corpus("cremad", place("1001_DFA_ANG_XX.wav"), song=False).items


def test_a_corpus_has_its_registered_licence(place: Callable[..., Path]) -> None:
    corpus = read_corpus("cremad", place("1001_DFA_ANG_XX.wav"))
    assert corpus.licence == CORPORA["cremad"].licence


def test_the_documents_table_says_of_each_corpus_what_the_program_says() -> None:
    page = (Path(__file__).parents[4] / "docs" / "corpora.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| .*\| (.*) \|$", page, re.MULTILINE)
    told = [(name, kind.help, kind.licence) for name, kind in CORPORA.items()]
    assert rows[: len(told)] == told


def test_the_names_are_there_without_what_reads_files() -> None:
    command = "import sys, fer_core.data.corpora.registry; print('av' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
