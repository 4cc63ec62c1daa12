"""What fer-analyze leaves on the disk: each face's files, what is taken up again, what is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import fer_core.analysis.timeline
from fer_core.analysis.command_line import main
from fer_core.analysis.results import check_writable
from fer_core.data.media_info import probe
from fer_core.errors import UserError

Make = Callable[..., Path]
Noise = Callable[[float], np.ndarray]


@pytest.fixture
def people(write_video: Make, noise: Noise, bright_squares: None) -> Callable[..., Path]:
    """3.2 s of one to three squares, with sound."""

    def make(count: int) -> Path:
        picture = np.zeros((120, 300, 3), np.uint8)
        for number in range(count):
            picture[20 : 90 - 10 * number, 10 + 100 * number : 80 + 100 * number] = 200
        return write_video("people.mkv", [picture] * 32, sound=noise(3.2))

    return make


@pytest.fixture
def call(folder: Path, tmp_path: Path) -> Callable[..., int]:
    def run(*arguments: object) -> int:
        out = ["--out", str(tmp_path / "out"), "--model", str(folder), "--device", "cpu"]
        return main([*map(str, arguments), *out])

    return run


def written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def schema() -> dict[str, Any]:
    path = Path(fer_core.analysis.timeline.__file__).with_name("timeline.schema.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_each_face_has_its_documents_and_one_video_shows_all(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(people(2), "--face", "all", "--format", "csv,json,mp4", "--json") == 0
    assert written(tmp_path) == [
        "people.face-0.csv", "people.face-0.json", "people.face-1.csv", "people.face-1.json",
        "people.mp4",
    ]  # fmt: skip
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for number, document in enumerate(documents):
        jsonschema.validate(document, schema())
        assert document["face_id"] == number
        kept = json.loads((tmp_path / f"out/people.face-{number}.json").read_text())
        files = [f"people.face-{number}.csv", f"people.face-{number}.json", "people.mp4"]
        assert kept == document | {"files": files}
        assert all(s["face"]["x"] == 10 + 100 * number for s in document["segments"])
    assert probe(tmp_path / "out" / "people.mp4").size == (300, 120)


def test_one_of_the_faces_has_its_number_in_its_name(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path
) -> None:
    assert call(people(2), "--face", "1", "--format", "json,mp4") == 0
    assert written(tmp_path) == ["people.face-1.json", "people.face-1.mp4"]


def test_a_face_that_is_not_there_is_said(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(people(2), "--face", "2") == 1
    said = capsys.readouterr().err
    assert "has no face 2. It shows 2, counted from 0." in said
    assert "Results are in" not in said  # there are none


def test_faces_are_taken_up_again_only_when_all_are_there(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = people(2)

    def resumed(*more: str) -> bool:
        assert call(path, "--resume", "--face", *(more or ["all"])) == 0
        return "1 already there" in capsys.readouterr().err

    assert not resumed()
    assert resumed()
    assert not resumed("largest")  # is another question
    (tmp_path / "out" / "people.face-1.csv").unlink()
    assert not resumed()
    (tmp_path / "out" / "people.face-0.json").unlink()  # is written last
    assert not resumed()
    assert resumed()


def test_one_face_of_an_earlier_call_is_not_all_of_them(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = people(2)
    assert call(path, "--face", "0", "--format", "json") == 0
    assert call(path, "--face", "all", "--format", "json", "--resume") == 0
    assert "1 analysed" in capsys.readouterr().err
    assert written(tmp_path) == ["people.face-0.json", "people.face-1.json"]
    assert call(path, "--face", "1", "--format", "json", "--resume") == 0
    assert "1 already there" in capsys.readouterr().err
    for name in written(tmp_path):
        document = json.loads((tmp_path / "out" / name).read_text())
        jsonschema.validate(document, schema())
        assert document["faces"] == 2


def test_results_of_another_hop_are_not_there_already(
    write_sound: Make, noise: Noise, call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = write_sound("a.wav", noise(4.0))

    def resumed(hop: str, formats: str) -> bool:
        assert call(path, "--hop", hop, "--format", formats, "--resume") == 0
        return "1 already there" in capsys.readouterr().err

    assert call(path, "--format", "csv,json,srt") == 0
    assert call(path, "--hop", "3", "--format", "json") == 0
    jsonschema.validate(json.loads((tmp_path / "out" / "a.json").read_text()), schema())
    stale = (tmp_path / "out" / "a.csv").read_bytes()
    assert resumed("3", "json")
    assert not resumed("3", "csv,json")
    assert (tmp_path / "out" / "a.csv").read_bytes() != stale
    assert not resumed("3", "json,srt")
    assert resumed("3", "csv,json,srt")  # one by one as good as together
    assert call(path, "--format", "csv") == 0  # beside a JSON of another hop
    assert resumed("3", "json,srt")
    assert not resumed("3", "csv,json")


def test_a_call_that_was_ended_while_it_wrote_is_not_there_already(
    write_sound: Make, noise: Noise, call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = write_sound("a.wav", noise(3.2))
    assert call(path) == 0
    replace = os.replace

    def ended(draft: Path, place: Path) -> None:
        replace(draft, place)
        if Path(place).suffix == ".csv":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", ended)
        assert call(path, "--hop", "3") == 130
    capsys.readouterr()
    assert call(path, "--resume") == 0
    assert "1 analysed" in capsys.readouterr().err


def test_the_video_of_one_choice_of_faces_is_not_that_of_another(
    people: Callable[..., Path], call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = people(2)

    def resumed(face: str) -> bool:
        assert call(path, "--face", face, "--format", "json,mp4", "--resume") == 0
        return "1 already there" in capsys.readouterr().err

    assert not resumed("all")
    assert resumed("all")
    assert not resumed("largest")  # it has the same name
    assert not resumed("all")
    assert resumed("all")


def test_faces_of_an_earlier_call_that_are_no_more_are_removed(
    people: Callable[..., Path], call: Callable[..., int], tmp_path: Path
) -> None:
    assert call(people(3), "--face", "all", "--format", "json") == 0
    assert len(written(tmp_path)) == 3
    assert call(people(1), "--face", "all", "--format", "json") == 0
    assert written(tmp_path) == ["people.face-0.json"]


def test_where_nobody_is_seen_the_sound_has_one_document_and_is_taken_up_again(
    write_sound: Make, noise: Noise, call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = write_sound("a.wav", noise(1.0))
    assert call(path, "--face", "all", "--resume") == 0
    assert written(tmp_path) == ["a.csv", "a.json"]
    assert call(path, "--face", "all", "--resume") == 0
    assert "1 already there" in capsys.readouterr().err


def test_a_disk_that_becomes_full_is_said_and_the_old_results_stay(
    write_sound: Make, noise: Noise, call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = write_sound("a.wav", noise(1.0))
    assert call(path) == 0
    before = {name: (tmp_path / "out" / name).read_bytes() for name in written(tmp_path)}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert call(path, "--hop", "1") == 1
    said = capsys.readouterr().err
    assert "cannot be written: No space left on device. Make room there" in said
    assert "1 failed." in said
    assert {name: (tmp_path / "out" / name).read_bytes() for name in written(tmp_path)} == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_file_that_may_not_be_read_is_said_and_the_rest_goes_on(
    write_sound: Make, noise: Noise, call: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    files = [write_sound(name, noise(1.0)) for name in ("a.wav", "b.wav")]
    (tmp_path / "out").mkdir()
    files[0].chmod(0)
    with _not_root(tmp_path):
        assert call(*files) == 1
    said = capsys.readouterr().err
    assert "a.wav” may not be read. Allow it in the file's settings." in said
    assert "1 analysed" in said


def test_whether_a_folder_can_be_written_is_found_without_making_it(tmp_path: Path) -> None:
    check_writable(tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        check_writable(tmp_path / "file" / "deeper")
    with pytest.raises(UserError, match="cannot be written"):
        check_writable(tmp_path / ("a" * 300))


class _not_root:
    """Root may read everything: as nobody, to whom ``folder`` and all in it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._was = os.geteuid()

    def __enter__(self) -> None:
        if self._was == 0:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, 65534, -1)
            for parent in self._folder.parents[:2]:  # pytest's own, closed to others
                parent.chmod(0o755)
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(self._was)
