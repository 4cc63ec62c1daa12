from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from fer_core.analysis.command_line import main
from fer_core.analysis.export import FORMATS
from fer_core.analysis.inputs import jobs_of
from fer_core.errors import UserError
from fer_core.labels import EMOTIONS

Make = Callable[..., Path]


@pytest.fixture
def media(tmp_path: Path, write_sound: Make, noise: Callable[[float], np.ndarray]) -> Path:
    """A folder with two sounds, one of them deeper, and a text that says it is one."""
    write_sound("media/a.wav", noise(3.2))
    write_sound("media/deeper/b.flac", noise(1.0))
    (tmp_path / "media" / "broken.wav").write_text("no sound " * 99)
    (tmp_path / "media" / "notes.txt").write_text("notes")
    return tmp_path / "media"


def names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def run(folder: Path, *arguments: object) -> int:
    return main([*map(str, arguments), "--model", str(folder), "--device", "cpu"])


def test_one_bad_file_never_stops_the_rest(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    formats = list(FORMATS)
    assert run(folder, media, "--out", out, "--format", ",".join(formats)) == 1
    expected = [f"{name}.{suffix}" for name in ("a", "deeper/b") for suffix in sorted(formats)]
    assert names(out) == expected
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 analysed, 0 already there, 1 failed" in said.err
    assert "2 of 3: " + str(media / "broken.wav") + ": failed" in said.err
    assert "is not a sound or video file" in said.err
    assert "Traceback" not in said.err


def test_json_is_all_there_is_on_standard_output(
    media: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(folder, media / "a.wav", media / "broken.wav", "--json") == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["source"]["path"] == str(media / "a.wav")
    assert "not a sound" in second["error"]
    assert not (tmp_path / "analysis").exists()


def test_programs_that_show_the_progress_read_it_on_standard_output(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(folder, media, "--out", out, "--resume", "--progress", "jsonl") == 1
    files, *how_far = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [Path(file["path"]).name for file in files["files"]] == ["a.wav", "broken.wav", "b.flac"]
    done = {Path(told["path"]).name: told for told in how_far if told["event"] == "file"}
    assert "not a sound" in done["broken.wav"]["error"]
    results = Path(done["a.wav"]["result"]).with_suffix(".json")
    assert done["a.wav"]["faces"] == [json.loads(results.read_text())["summary"]]
    assert run(folder, media, "--out", out, "--resume", "--progress", "jsonl") == 1
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    assert [told["was_there"] for told in again] == [True, False, True]
    assert again[0]["faces"] == done["a.wav"]["faces"]


def test_an_overview_has_a_row_for_each_file_and_says_what_failed(
    media: Path, folder: Path, tmp_path: Path
) -> None:
    out, table = tmp_path / "out", tmp_path / "new" / "all.csv"
    for _ in range(2):  # the second finds all results there
        assert run(folder, media, "--out", out, "--resume", "--overview", table) == 1
        with table.open(newline="") as file:
            rows = {Path(row["path"]).name: row for row in csv.DictReader(file)}
        assert list(rows) == ["a.wav", "broken.wav", "b.flac"]
        summary = json.loads((out / "a.json").read_text())["summary"]
        assert rows["a.wav"]["emotion"] == summary["emotion"]
        for column in ("share", "certain"):
            told = summary["shares" if column == "share" else column]
            assert {e: float(rows["a.wav"][f"{column}_{e}"]) for e in EMOTIONS} == told
        assert float(rows["a.wav"]["speech_s"]) == summary["speech_s"]
        assert "not a sound" in rows["broken.wav"]["error"]
        assert rows["broken.wav"]["emotion"] == rows["a.wav"]["error"] == ""
        table.unlink()


@pytest.mark.parametrize("taken", ["media/a.wav", "out/a.csv", "media", "out"])
def test_an_overview_takes_nobodys_place(
    taken: str, media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (media / "a.wav").read_bytes()
    table = tmp_path / taken
    assert run(folder, media, "--out", tmp_path / "out", "--overview", table) == 2
    assert f"The overview cannot be “{table}”" in capsys.readouterr().err
    assert (media / "a.wav").read_bytes() == before


@contextmanager
def nobody_reads() -> Iterator[None]:
    """Standard output is a pipe whose other end is closed, as behind ``| head``."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe, redirect_stdout(pipe):
        yield


def test_where_nobody_reads_the_json_any_more_it_ends_without_a_complaint(
    media: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nobody_reads():
        assert run(folder, media / "a.wav", media / "deeper" / "b.flac", "--json") == 1
    assert [line[:6] for line in capsys.readouterr().err.splitlines()] == ["1 of 2"]


def test_where_nobody_reads_the_json_any_more_the_files_are_still_written(
    media: Path, folder: Path, tmp_path: Path
) -> None:
    out, files = tmp_path / "out", (media / "a.wav", media / "deeper" / "b.flac")
    with nobody_reads():
        assert run(folder, *files, "--json", "--out", out, "--format", "csv") == 0
    assert names(out) == ["a.csv", "b.csv"]


def test_resume_leaves_out_what_is_complete_and_of_the_same_model(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def resume(*more: object) -> str:
        file = media / "a.wav"
        assert run(folder, file, "--out", tmp_path / "out", "--resume", *more) == 0
        return capsys.readouterr().err

    assert "1 analysed" in resume()
    assert "0 analysed, 1 already there" in resume()
    assert "1 analysed" in resume("--hop", "1")
    assert "1 analysed" in resume("--hop", "1", "--format", "json,srt")
    assert "1 analysed" in resume("--hop", "1", "--modalities", "audio")
    assert "0 analysed, 1 already there" in resume("--hop", "1", "--modalities", "audio")
    assert "1 analysed" in resume("--hop", "1", "--sound-track", "1")
    assert "0 analysed, 1 already there" in resume("--hop", "1", "--sound-track", "1")
    assert "1 analysed" in resume("--hop", "1")
    config = folder / "config.json"
    config.write_text(config.read_text() + "\n")
    assert "1 analysed" in resume("--hop", "1")
    results = tmp_path / "out" / "a.json"
    for damaged in ("{", "[]", results.read_text().replace('"hop_s": 1.0', '"hop_s": [1.0]')):
        assert damaged != results.read_text()
        results.write_text(damaged)
        assert "1 analysed" in resume("--hop", "1")


def test_resume_without_json_is_refused(
    media: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, media / "a.wav", "--resume", "--format", "csv") == 2
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "doc"], "'doc' is none of"),
        (["--hop", "4"], "'4' is not between"),
        (["--hop", "soon"], "'soon' is not between"),
        (["--workers", "0"], "no number from 1 on"),
        (["--modalities", "smell"], "'smell' is none of"),
        (["--face", "-1"], "'-1' is none of"),
        (["--sound-track", "0"], "no number from 1 on"),
        ([], "the following arguments are required"),
    ],
)
def test_wrong_use_is_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["a.wav", *arguments] if arguments else [])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_model_that_is_not_there_is_said_before_anything_is_done(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "nowhere", media, "--out", tmp_path / "out") == 2
    assert "There is no model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_done(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("no folder")
    assert run(folder, media / "a.wav", "--out", tmp_path / "out" / "deeper") == 2
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "analysed" not in said  # it is said before


def test_a_name_that_no_file_can_have_fails_alone(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "a" * 300 + ".mp4", media / "a.wav", "--out", tmp_path / "out") == 1
    assert "There is no file “aaaa" in capsys.readouterr().err
    assert (tmp_path / "out" / "a.json").exists()
    assert run(folder, media / "a.wav", "--overview", tmp_path / ("a" * 300)) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("formats", ["mp4", "csv,json,mp4"])
def test_a_recording_is_never_overwritten_by_its_own_results(
    media: Path, folder: Path, formats: str, write_video: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_video("media/film.mp4")
    before, there = film.read_bytes(), names(media)
    for named in (film, media, media / "*.mp4"):
        assert run(folder, named, "--out", media, "--format", formats) == 2
        said = capsys.readouterr().err
        assert f"would take the place of “{film}” itself. Choose another folder" in said
    assert film.read_bytes() == before
    assert names(media) == there  # it is said before anything is analysed


def test_a_recording_named_like_a_face_of_another_is_never_overwritten(
    folder: Path, tmp_path: Path, write_video: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    out, film = tmp_path / "media", write_video("film.mp4")
    other = write_video("media/film.face-1.mp4")
    assert run(folder, film, other, "--out", out, "--face", "1", "--format", "mp4") == 2
    assert f"would take the place of “{other}”" in capsys.readouterr().err


def test_workers_give_the_same_results(media: Path, folder: Path, tmp_path: Path) -> None:
    files = [media / "a.wav", media / "deeper" / "b.flac"]
    assert run(folder, *files, "--out", tmp_path / "one", "--format", "csv") == 0
    assert run(folder, *files, "--out", tmp_path / "two", "--format", "csv", "--workers", 2) == 0
    assert names(tmp_path / "one") == names(tmp_path / "two") == ["a.csv", "b.csv"]
    for name in ("a.csv", "b.csv"):
        one, two = ((tmp_path / out / name).read_text() for out in ("one", "two"))
        assert [row.split(",")[:3] for row in one.splitlines()] == [
            row.split(",")[:3] for row in two.splitlines()
        ]


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys\nfrom fer_core.analysis.command_line import parser\nparser()\n"
        "assert not {'torch', 'av', 'matplotlib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Names


def test_files_folders_and_patterns_become_jobs(media: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (single,) = jobs_of([str(media / "a.wav")], out)
    assert single.result == out / "a"
    assert [job.result.relative_to(out).as_posix() for job in jobs_of([str(media)], out)] == [
        "a", "broken", "deeper/b",
    ]  # fmt: skip
    (found,) = jobs_of([str(media / "**" / "*.flac")], out)
    assert found.result == out / "b"


def test_namesakes_do_not_overwrite_each_other(media: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "deeper/a.wav"):
        (media / name).write_bytes(b"")
    named = [str(media / name) for name in ("a.wav", "a.mp4", "deeper/a.wav", "a.wav")]
    results = [job.result.name for job in jobs_of(named, tmp_path)]
    assert results == ["a.wav", "a.mp4", "a.wav-2"]


def test_results_of_an_earlier_call_are_no_recordings(
    media: Path, tmp_path: Path, write_video: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video("media/results/deeper/b.mp4")
    out = media / "results"

    def found(name: Path | str, out: Path) -> list[str]:
        return [job.path.name for job in jobs_of([str(name)], out)]

    assert found(media, out) == ["a.wav", "broken.wav", "b.flac"]
    assert found(media / "**" / "*.mp4", tmp_path / "out") == ["b.mp4"]
    with pytest.raises(UserError, match="no media file"):
        found(media / "**" / "*.mp4", out)
    for named in (out, out / "**" / "*.mp4"):  # who names their folder means them
        assert found(named, out) == ["b.mp4"]
    assert found(media, media) == ["a.wav", "broken.wav", "b.flac", "b.mp4"]
    monkeypatch.chdir(media)
    assert found(".", Path("results")) == ["a.wav", "broken.wav", "b.flac"]
    assert found("**/*.mp4", Path("analysis")) == ["b.mp4"]


def test_a_folder_without_media_is_refused(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "*.mp4"):
        with pytest.raises(UserError, match="no media file"):
            jobs_of([str(name)], tmp_path)


def test_an_empty_folder_among_others_fails_alone(
    media: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out"
    assert run(folder, empty, media / "a.wav", "--out", out) == 1
    assert names(out) == ["a.csv", "a.json"]
    assert f"“{empty}” is a folder" in capsys.readouterr().err


def test_an_empty_name_is_not_the_folder_it_is_called_in(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(media)
    with pytest.raises(UserError, match="names is empty"):
        jobs_of(["a.wav", ""], media / "out")
