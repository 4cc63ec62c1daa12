from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fer_core.data.corpora import meld
from fer_core.labels import EMOTIONS

Place = Callable[..., Path]
Row = tuple[str, str, int, int]  # speaker, emotion, dialogue, utterance


def write_table(folder: Path, part: str, rows: Sequence[Row]) -> None:
    lines = [
        f'{i},"Oh, no\x92!",{speaker},{emotion},negative,{dialogue},{utterance},1,1,"00:16,1"\n'
        for i, (speaker, emotion, dialogue, utterance) in enumerate(rows, start=1)
    ]
    heading = (
        "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,"
        "StartTime\n"
    )
    (folder / f"{part}_sent_emo.csv").write_text(heading + "".join(lines), encoding="utf-8")


def test_rows_find_their_videos_in_the_folders_of_the_three_parts(place: Place) -> None:
    folder = place(
        "train/train_splits/dia0_utt3.mp4",
        "dev/dev_splits_complete/dia0_utt3.mp4",
        "test/output_repeated_splits_test/dia0_utt3.mp4",
        "test/output_repeated_splits_test/final_videos_testdia0_utt3.mp4",
    )
    write_table(folder, "train", [("Joey", "joy", 0, 3)])
    write_table(folder, "dev", [("Monica", "fear", 0, 3)])
    write_table(folder, "test", [("Joey", "neutral", 0, 3)])
    corpus = meld.read(folder)
    assert corpus.problems == ()
    assert [
        (i.official_split, i.speaker, EMOTIONS[i.emotion], i.path.parent.name) for i in corpus.items
    ] == [
        ("train", "Joey", "happy", "train_splits"),
        ("valid", "Monica", "fearful", "dev_splits_complete"),
        ("test", "Joey", "neutral", "output_repeated_splits_test"),
    ]


def test_extracted_sound_serves_where_the_video_is_missing(place: Place) -> None:
    folder = place("train/dia0_utt0.mp4", "train/dia0_utt0.wav", "train/dia0_utt1.wav")
    write_table(folder, "train", [("Joey", "joy", 0, 0), ("Joey", "joy", 0, 1)])
    corpus = meld.read(folder)
    assert [item.has_picture for item in corpus.items] == [True, False]
    assert corpus.problems == ()


def test_rows_that_cannot_be_used_are_problems(place: Place) -> None:
    folder = place("train_splits/dia0_utt0.mp4", "train_splits/dia0_utt2.mp4")
    rows = [("Joey", "joy", 0, 0), ("Joey", "joy", 0, 0), ("Joey", "joy", 0, 1)]
    write_table(folder, "train", [*rows, ("Joey", "bored", 0, 2)])
    corpus = meld.read(folder)
    assert len(corpus.items) == 1
    assert [(p.where, p.reason) for p in corpus.problems] == [
        ("train/dia0_utt0", "listed twice"),
        ("train/dia0_utt1", "no such video"),
        ("train/dia0_utt2", "unknown emotion"),
    ]
