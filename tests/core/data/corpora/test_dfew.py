from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.check import check
from fer_core.data.corpora import dfew
from fer_core.labels import EMOTIONS

Place = Callable[..., Path]


def write_sets(folder: Path, tests: dict[int, dict[int, int]]) -> None:
    """Published tables: by fold, the test clips and their labels; the others train."""
    everything = {clip: label for rows in tests.values() for clip, label in rows.items()}
    for fold, test in tests.items():
        train = {clip: label for clip, label in everything.items() if clip not in test}
        for part, rows in (("test", test), ("train", train)):
            table = folder / f"EmoLabel_DataSplit/{part}(single-labeled)/set_{fold}.csv"
            table.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{clip},{label}\n" for clip, label in rows.items()]
            table.write_text("video_name,label\n" + "".join(lines))


def test_a_clip_has_its_label_and_the_fold_that_tests_it(place: Place) -> None:
    folder = place(*(f"Clip/original/part_{n % 2}/{n}.mp4" for n in range(1, 8)))
    write_sets(folder, {1: {1: 1, 2: 2, 3: 3, 4: 4}, 2: {5: 5, 6: 6, 7: 7}})
    corpus = dfew.read(folder)
    assert corpus.problems == ()
    assert [EMOTIONS[item.emotion] for item in corpus.items] == [
        "happy",
        "sad",
        "neutral",
        "angry",
        "surprised",
        "disgust",
        "fearful",
    ]
    assert [item.official_fold for item in corpus.items] == [1, 1, 1, 1, 2, 2, 2]
    assert all(item.has_sound and item.speaker is None for item in corpus.items)


def test_the_original_clip_is_taken_where_there_are_two(place: Place) -> None:
    folder = place("Clip/clip_224x224_avi/00001.avi", "Clip/original/part_1/1.mp4")
    write_sets(folder, {1: {1: 1}})
    corpus = dfew.read(folder)
    assert [item.path.name for item in corpus.items] == ["1.mp4"]
    assert corpus.problems == ()


def test_an_annotation_alone_gives_clips_without_folds(place: Place) -> None:
    folder = place("clips/1.mp4", "clips/2.mp4")
    (folder / "annotation.csv").write_text("1happy,2sad,order,label\n9,1,1,1\n0,9,2,2\n")
    corpus = dfew.read(folder)
    assert [(item.key, item.official_fold) for item in corpus.items] == [
        ("00001", None),
        ("00002", None),
    ]


def test_missing_clips_and_strange_labels_are_problems(place: Place) -> None:
    folder = place("clips/1.mp4", "clips/2.mp4")
    write_sets(folder, {1: {1: 1, 2: 0, 3: 3}})
    corpus = dfew.read(folder)
    assert [item.key for item in corpus.items] == ["00001"]
    assert [(p.where, p.reason) for p in corpus.problems] == [
        ("clip 2", "none of the seven labels"),
        ("clip 3", "no such clip"),
    ]


def test_clips_may_lie_as_folders_of_frames(place: Place) -> None:
    folder = place(*(f"Clip/clip_224x224/0000{n}/{k}.jpg" for n in (1, 2) for k in range(10)))
    write_sets(folder, {1: {1: 1}, 2: {2: 2}})
    checked = check(dfew.read(folder), "contents")
    assert checked.corpus.problems == ()
    assert [(item.key, item.has_sound) for item in checked.corpus.items] == [
        ("00001", False),
        ("00002", False),
    ]
    assert checked.lengths_s == pytest.approx((0.4, 0.4))  # at 25 frames a second


def test_sixteen_frames_that_are_a_whole_clip_last_a_whole_window(place: Place) -> None:
    folder = place(*(f"Clip/clip_224x224_16f/00001/00001_{k}.jpg" for k in range(1, 17)))
    write_sets(folder, {1: {1: 1}})
    assert check(dfew.read(folder), "headers").lengths_s == pytest.approx((3.0,))


@pytest.mark.parametrize(
    ("forms", "taken"),
    [
        (("Clip/original/part_1/1.mp4", "Clip/original/1/1.jpg"), "1.mp4"),
        (("Clip/clip_224x224_avi/00001.avi", "Clip/clip_224x224/00001/1.jpg"), "00001.avi"),
        (("Clip/clip_224x224_16f/00001/1.jpg", "Clip/original/1/1.jpg"), "1"),
        (("Clip/clip_224x224_16f/00001/1.jpg", "Clip/clip_224x224/00001/1.jpg"), "00001"),
    ],
)
def test_of_several_forms_of_a_clip_the_best_is_taken_and_none_is_a_problem(
    place: Place, forms: tuple[str, ...], taken: str
) -> None:
    folder = place(*forms)
    write_sets(folder, {1: {1: 1}})
    corpus = dfew.read(folder)
    assert corpus.problems == ()
    assert [item.path.name for item in corpus.items] == [taken]
    assert corpus.items[0].path.parent.name != "clip_224x224_16f"


def test_broken_frames_are_listed(place: Place) -> None:
    frames = [f"Clip/clip_224x224/0000{n}/{k}.jpg" for n in (1, 2, 3) for k in (1, 2, 3)]
    folder = place(*frames)
    write_sets(folder, {1: {1: 1, 2: 2, 3: 3, 4: 4}})
    (folder / frames[0]).write_bytes(b"")
    (folder / frames[4]).write_bytes((folder / frames[4]).read_bytes()[:200])
    corpus = dfew.read(folder)
    assert [(problem.where, problem.reason) for problem in corpus.problems] == [
        ("Clip/clip_224x224/00001", "first frame: empty file"),
        ("clip 1", "no such clip"),
        ("clip 4", "no such clip"),
    ]
    checked = check(corpus, "contents")
    assert [item.key for item in checked.corpus.items] == ["00003"]
    assert "damaged: some of its frames cannot be read: 00002" in checked.as_text()
