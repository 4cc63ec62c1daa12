from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fer_core.data.corpora import ferplus
from fer_core.data.item import NEUTRAL_OR_CALM
from fer_core.data.stills import read_still
from fer_core.labels import EMOTIONS

#                neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, nf
HAPPY = [1, 8, 1, 0, 0, 0, 0, 0, 0, 0]
TIE = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
CONTEMPT = [2, 2, 0, 0, 0, 0, 0, 6, 0, 0]
SLIGHT_CONTEMPT = [3, 3, 0, 0, 0, 0, 0, 4, 0, 0]
UNSURE = [4, 2, 0, 0, 0, 0, 0, 0, 4, 0]
NO_FACE = [0, 0, 0, 0, 0, 0, 0, 0, 2, 8]
WEAK = [4, 0, 0, 0, 0, 0, 0, 3, 3, 0]


def write_npz(path: Path, votes: Sequence[Sequence[int]], first: int = 0) -> None:
    images = np.arange(first, first + len(votes), dtype=np.uint8)[:, None, None]
    np.savez(
        path,
        images=np.broadcast_to(images, (len(votes), 48, 48)),
        votes=np.array(votes, np.uint8),
        names=np.array([f"fer{first + i:07d}.png" for i in range(len(votes))]),
    )


def test_votes_for_the_seven_emotions_become_shares(tmp_path: Path) -> None:
    write_npz(tmp_path / "ferplus_train_0.npz", [[2, 4, 0, 0, 1, 0, 1, 1, 1, 0]])
    (item,) = ferplus.read(tmp_path).items
    shares = dict(zip(EMOTIONS, item.shares, strict=True))
    assert shares == {
        "neutral": 0.25,
        "calm": 0.0,
        "happy": 0.5,
        "sad": 0.0,
        "angry": 0.125,
        "fearful": 0.125,
        "disgust": 0.0,
        "surprised": 0.0,
    }
    assert (item.kind, item.groups, item.difficulty) == ("still", NEUTRAL_OR_CALM, 0.5)


def test_votes_without_their_pictures_are_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "ferplus_train_0.npz"
    names = np.array(["a", "b"])
    np.savez(path, images=np.zeros((1, 48, 48), np.uint8), votes=np.array(2 * [HAPPY]), names=names)
    corpus = ferplus.read(tmp_path)
    assert not corpus.items
    assert [problem.reason for problem in corpus.problems] == ["not ten votes for each picture"]


def test_the_protocol_scores_clear_majorities_only(tmp_path: Path) -> None:
    votes = [HAPPY, TIE, CONTEMPT, SLIGHT_CONTEMPT, UNSURE, NO_FACE, WEAK]
    write_npz(tmp_path / "ferplus_valid.npz", votes)
    corpus = ferplus.read(tmp_path)
    names = ["HAPPY", "TIE", "CONTEMPT", "SLIGHT_CONTEMPT", "UNSURE", "NO_FACE", "WEAK"]
    scored = {names[item.index]: item.scored for item in corpus.items}
    # What is not scored still trains if most votes are for the seven emotions.
    assert scored == {
        "HAPPY": True,
        "TIE": False,
        "SLIGHT_CONTEMPT": False,
        "UNSURE": False,
        "WEAK": True,
    }
    assert [problem.where for problem in corpus.problems] == ["fer0000002.png", "fer0000005.png"]


def test_each_file_is_a_part_and_an_item_finds_its_picture(tmp_path: Path) -> None:
    write_npz(tmp_path / "ferplus_train_0.npz", [HAPPY, HAPPY], 10)
    write_npz(tmp_path / "ferplus_train_1.npz", [HAPPY], 20)
    write_npz(tmp_path / "ferplus_valid.npz", [NO_FACE, HAPPY], 30)
    write_npz(tmp_path / "ferplus_test.npz", [HAPPY], 40)
    items = ferplus.read(tmp_path).items
    assert Counter(item.official_split for item in items) == {"train": 3, "valid": 1, "test": 1}
    assert [int(read_still(item)[0, 0, 0]) for item in items] == [10, 11, 20, 31, 40]
    assert read_still(items[0]).shape == (48, 48, 3)


def test_a_file_that_is_something_else_is_a_problem(tmp_path: Path) -> None:
    write_npz(tmp_path / "ferplus_valid.npz", [HAPPY])
    (tmp_path / "ferplus_train_0.npz").write_bytes(b"hello")
    np.savez(tmp_path / "ferplus_train_1.npz", votes=np.zeros((2, 9)), names=np.array(["a", "b"]))
    np.savez(tmp_path / "ferplus_train_2.npz", votes=np.array([object()]), names=np.array(["a"]))
    corpus = ferplus.read(tmp_path)
    assert len(corpus.items) == 1
    assert [problem.where for problem in corpus.problems] == [
        "ferplus_train_0.npz",
        "ferplus_train_1.npz",
        "ferplus_train_2.npz",
    ]


def test_the_published_table_and_pictures_are_read_too(place: Callable[..., Path]) -> None:
    folder = place("images/FER2013Train/fer0000000.png", "images/FER2013Valid/fer0028638.png")
    answers = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    (folder / "fer2013new.csv").write_text(
        f"Usage,Image name,{answers}\n"
        "Training,fer0000000.png,1,8,1,0,0,0,0,0,0,0\n"
        "Training,,0,0,0,0,0,0,0,0,0,10\n"
        "Training,fer0000002.png,1,8,1,0,0,0,0,0,0,0\n"
        "PublicTest,fer0028638.png,5,5,0,0,0,0,0,0,0,0\n"
    )
    corpus = ferplus.read(folder)
    assert [(i.key, i.official_split, i.scored) for i in corpus.items] == [
        ("train/fer0000000.png", "train", True),
        ("valid/fer0028638.png", "valid", False),
    ]
    assert read_still(corpus.items[0]).shape == (48, 48, 3)
    assert [(p.where, p.reason) for p in corpus.problems] == [
        ("FER2013Train/fer0000002.png", "no such picture")
    ]


def test_all_real_pictures_can_be_read(real_data: Path) -> None:
    corpus = ferplus.read(real_data)
    for item in corpus.items:
        read_still(item)
    scored = Counter(item.official_split for item in corpus.items if item.scored)
    assert len(corpus.items) + len(corpus.problems) == 28_558 + 3_579
    assert scored == {"train": 26_772, "valid": 3_372}
