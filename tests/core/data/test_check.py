from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.check import check, content_hash
from fer_core.data.corpora.registry import read_corpus
from fer_core.errors import UserError

Place = Callable[..., Path]
NAMES = ("03-01-01-01-01-01-01.wav", "03-01-06-01-01-01-02.wav", "03-01-06-02-01-01-02.wav")
VIDEO = "01-01-06-02-01-02-02.mp4"


def test_what_is_there_is_counted(place: Place) -> None:
    facts = check(read_corpus("ravdess", place(*NAMES, VIDEO)), "headers").as_json()
    assert (facts["items"], facts["recordings"], facts["stills"]) == (4, 4, 0)
    assert facts["emotions"] == {"neutral": 1, "fearful": 3}
    assert facts["speakers"] == {"01": 1, "02": 3}
    assert facts["sexes"] == {"female": 1, "male": 1}
    assert facts["modalities"] == {"sound": 3, "sound and picture": 1}
    assert facts["lengths"]["total_s"] == pytest.approx(2.0, abs=0.2)
    assert facts["lengths"]["median_s"] == pytest.approx(0.5, abs=0.05)
    assert facts["problems"] == {}
    assert json.loads(json.dumps(facts)) == facts


def test_names_alone_open_no_file(place: Place) -> None:
    corpus = read_corpus("ravdess", place(*NAMES))
    for item in corpus.items:
        item.path.write_bytes(b"RIFF but nothing else")
    assert check(corpus).as_json()["lengths"] is None
    with pytest.raises(UserError, match=r"Nothing in .* can be used: cannot be opened"):
        check(corpus, "headers")


def test_the_table_tells_problems_with_their_number_and_first_files(place: Place) -> None:
    folder = place(*NAMES, "a.wav", "b.wav", "c.wav", "d.wav")
    text = check(read_corpus("ravdess", folder)).as_text()
    assert "3 recordings" in text
    assert "2 (1 female, 1 male), 1 to 2 items each" in text
    assert "4  not a RAVDESS name: a.wav, b.wav, c.wav ...\n" in f"{text}\n"


def test_a_missing_track_is_found_by_the_headers(
    place: Place, write_video: Callable[..., Path]
) -> None:
    folder = place(*NAMES, VIDEO)
    (folder / VIDEO).write_bytes(write_video("silent.mp4").read_bytes())
    checked = check(read_corpus("ravdess", folder), "headers")
    assert checked.as_json()["problems"] == {"no sound track": [VIDEO]}
    assert len(checked.corpus.items) == 3


def test_damage_is_found_by_decoding(place: Place, write_sound: Callable[..., Path]) -> None:
    folder = place(*NAMES)
    draw = np.random.default_rng(0)
    whole = write_sound("long.flac", 0.1 * draw.standard_normal(32_000)).read_bytes()
    broken = folder / "03-01-08-01-01-01-02.flac"
    broken.write_bytes(whole[: len(whole) // 2])
    corpus = read_corpus("ravdess", folder)
    assert len(check(corpus, "headers").corpus.items) == 4
    checked = check(corpus, "contents")
    assert [item.path for item in checked.corpus.items] == [folder / name for name in NAMES]
    ((reason, where),) = checked.as_json()["problems"].items()
    assert reason.startswith("damaged: ")
    assert where == [broken.name]


def test_a_part_after_the_end_is_a_problem(place: Place) -> None:
    folder = place("a.wav", "b.wav")
    (folder / "mine.csv").write_text("path,emotion,start\na.wav,joy,0.1\nb.wav,joy,7\n")
    checked = check(read_corpus("manifest", folder), "headers")
    assert checked.lengths_s == pytest.approx((0.4,))
    assert checked.as_json()["problems"] == {"starts after the file's end": ["b.wav#7"]}


def test_sound_too_short_to_be_analysed_is_a_problem(place: Place) -> None:
    folder = place(*NAMES)
    for name, samples in ((NAMES[0], 0), (NAMES[1], 10)):
        with wave.open(str(folder / name), "wb") as file:
            file.setparams((1, 2, 16_000, samples, "NONE", ""))
            file.writeframes(bytes(2 * samples))
    checked = check(read_corpus("ravdess", folder), "headers")
    assert checked.as_json()["problems"] == {"shorter than 65 ms": [*NAMES[:2]]}


def test_pictures_that_cannot_be_unpacked_are_found_by_the_headers(tmp_path: Path) -> None:
    path, count = tmp_path / "ferplus_train_0.npz", 20
    votes, names = np.tile([1, 8, *8 * [0]], (count, 1)), np.array([f"{n}" for n in range(count)])
    images = np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)
    np.savez_compressed(path, images=images, votes=votes, names=names)
    content = bytearray(path.read_bytes())
    content[5_000:5_040] = bytes(40)
    path.write_bytes(content)
    corpus = read_corpus("ferplus", tmp_path)
    assert len(corpus.items) == count
    with pytest.raises(UserError, match="cannot be opened"):
        check(corpus, "headers")


def test_stills_are_counted_apart_from_those_not_scored(tmp_path: Path) -> None:
    votes = [[1, 8, 1, 0, 0, 0, 0, 0, 0, 0], [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]]
    images, names = np.zeros((2, 48, 48), np.uint8), np.array(["a", "b"])
    np.savez(tmp_path / "ferplus_valid.npz", images=images, votes=np.array(votes), names=names)
    checked = check(read_corpus("ferplus", tmp_path), "contents")
    facts = checked.as_json()
    assert (facts["stills"], facts["not_scored"]) == (2, 1)
    assert facts["emotions"] == {"neutral or calm": 1, "happy": 1}
    assert facts["splits"] == {"valid": 2}
    assert "1, the others train" in checked.as_text()


def test_progress_is_told(place: Place) -> None:
    told: list[tuple[int, int]] = []
    check(read_corpus("ravdess", place(*NAMES)), "headers", lambda *of: told.append(of))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_hash_is_the_same_wherever_the_corpus_lies(place: Place, tmp_path: Path) -> None:
    folder = place(*NAMES)
    before = read_corpus("ravdess", folder)
    hashes = content_hash(before), content_hash(before, deep=True)
    folder.rename(tmp_path / "elsewhere")
    after = read_corpus("ravdess", tmp_path / "elsewhere")
    assert (content_hash(after), content_hash(after, deep=True)) == hashes


def test_the_hash_tells_other_files_labels_and_contents(place: Place) -> None:
    folder = place(*NAMES)
    corpus = read_corpus("ravdess", folder)
    quick, deep = content_hash(corpus), content_hash(corpus, deep=True)

    path = folder / NAMES[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert content_hash(corpus) == quick  # the size is the same
    assert content_hash(corpus, deep=True) != deep

    path.write_bytes(content + b"\0\0")
    assert content_hash(corpus) != quick
    path.write_bytes(content)
    path.rename(folder / "03-01-02-01-01-01-01.wav")
    assert content_hash(read_corpus("ravdess", folder)) != quick
