from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
