"""Real files written by the real exporters, on the thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.analysis.timeline import Marker, ModelUsed, Source, Timeline, VideoSource
from fer_desktop.errors import Notice
from fer_desktop.playback.exporting import Exporter, ExportRequest

SECONDS = 6.0


@pytest.fixture
def timeline(tmp_path: Path, make_segments: Callable[..., list]) -> Timeline:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=20)
        track.width, track.height, track.pix_fmt = 320, 240, "yuv420p"
        for number in range(round(20 * SECONDS)):
            picture = np.full((240, 320, 3), 40 + number, np.uint8)
            file.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(track.encode(None))
    source = Source(str(path), "0" * 64, SECONDS, VideoSource(320, 240, 20.0, 120), None)
    return Timeline(
        source, ModelUsed("tiny", "tiny", "f" * 64), 0.375, tuple(make_segments(*[2] * 16)),
        np.full(8, 0.125), (), None, (Marker(1.0, "smiles"),),
    )  # fmt: skip


class Heard:
    def __init__(self, exporter: Exporter) -> None:
        self.progress: list[tuple[Path, float]] = []
        self.finished: list[tuple[Path, ...]] = []
        self.failed: list[Notice] = []
        self.cancelled = 0
        exporter.progress.connect(lambda *values: self.progress.append(values))
        exporter.finished.connect(self.finished.append)
        exporter.failed.connect(self.failed.append)
        exporter.cancelled.connect(self._cancel)

    def _cancel(self) -> None:
        self.cancelled += 1


@pytest.fixture
def exporter(qapp: object, no_thread_stays: None) -> Iterator[Exporter]:
    exporter = Exporter()
    yield exporter
    exporter.stop()


def test_all_chosen_files_are_written(exporter, timeline, tmp_path, until) -> None:
    heard = Heard(exporter)
    out = tmp_path / "new" / "folder"
    request = ExportRequest(out, "my.clip", ("csv", "json", "srt", "vtt", "png", "svg", "html"))
    exporter.start(timeline, request)
    until(lambda: heard.finished or heard.failed, 60)
    assert heard.finished == [request.paths]
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in request.paths)
    assert (out / "my.clip.csv").read_text().count("smiles") == 1
    shares = [share for _, share in heard.progress]
    assert shares == sorted(shares)
    assert heard.progress[0] == (out / "my.clip.csv", 0.0)


def test_the_video_is_written_with_progress(exporter, timeline, tmp_path, until) -> None:
    heard = Heard(exporter)
    exporter.start(timeline, ExportRequest(tmp_path, "drawn", ("mp4",)))
    until(lambda: heard.finished or heard.failed, 60)
    assert not heard.failed
    with av.open(str(tmp_path / "drawn.mp4")) as file:
        assert file.streams.video[0].codec_context.name == "h264"
        assert float(file.duration / av.time_base) == pytest.approx(SECONDS, abs=0.2)


def test_a_cancelled_video_leaves_nothing(exporter, timeline, tmp_path, until) -> None:
    heard = Heard(exporter)
    # Cancelled on the GUI thread when it begins, long before it is done.
    exporter.progress.connect(lambda *_: exporter.cancel())
    exporter.start(timeline, ExportRequest(tmp_path / "out", "drawn", ("csv", "mp4", "html")))
    until(lambda: heard.cancelled, 60)
    assert not heard.finished
    assert {path.name for path in (tmp_path / "out").glob("*")} <= {"drawn.csv"}


@pytest.mark.parametrize("suffix", ["csv", "mp4"])
def test_a_folder_that_cannot_be_written_is_told(
    exporter, timeline, tmp_path, until, suffix
) -> None:
    heard = Heard(exporter)
    (tmp_path / "file").write_text("")
    exporter.start(timeline, ExportRequest(tmp_path / "file" / "out", "clip", (suffix,)))
    until(lambda: heard.failed, 60)
    assert "cannot be written" in heard.failed[0].text
    assert "another folder" in heard.failed[0].hint
    assert heard.failed[0].key == "export"


def test_a_full_disk_keeps_what_was_there(exporter, timeline, tmp_path, until, monkeypatch) -> None:
    (tmp_path / "clip.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    heard = Heard(exporter)
    exporter.start(timeline, ExportRequest(tmp_path, "clip", ("csv", "json")))
    until(lambda: heard.failed, 60)
    assert "No space left" in heard.failed[0].text
    assert (tmp_path / "clip.csv").read_text() == "old"
    assert not (tmp_path / "clip.json").exists()


def test_another_export_is_refused_while_one_goes_on(exporter, timeline, tmp_path, until) -> None:
    heard = Heard(exporter)
    exporter.start(timeline, ExportRequest(tmp_path, "one", ("html",)))
    exporter.start(timeline, ExportRequest(tmp_path, "two", ("csv",)))
    until(lambda: heard.finished, 60)
    assert not (tmp_path / "two.csv").exists()
    until(lambda: not exporter.busy, 10)
    exporter.start(timeline, ExportRequest(tmp_path, "two", ("csv",)))
    until(lambda: len(heard.finished) == 2, 60)
    assert (tmp_path / "two.csv").exists()


def test_the_file_itself_is_never_written_over(exporter, timeline, tmp_path, until) -> None:
    heard = Heard(exporter)
    path = Path(timeline.source.path)
    before = path.read_bytes()
    exporter.start(timeline, ExportRequest(path.parent, path.stem, ("mkv",)))
    until(lambda: heard.failed, 60)
    assert "the file itself" in heard.failed[0].text
    assert path.read_bytes() == before
