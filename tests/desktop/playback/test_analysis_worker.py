"""The worker with a real tiny network and real small files."""

from __future__ import annotations

import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.analysis.analysis import analyze
from fer_core.analysis.model import LoadedModel
from fer_core.analysis.timeline import ModelUsed, Segment, Timeline
from fer_core.config import (
    AudioConfig,
    ClassifierConfig,
    FERConfig,
    FusionConfig,
    TemporalConfig,
    Thresholds,
    VisionConfig,
)
from fer_core.errors import UserError
from fer_core.predictor import Predictor
from fer_core.weights import new_model
from fer_desktop.errors import Notice
from fer_desktop.playback.analysis_worker import AnalysisWorker

TINY = FERConfig(
    name="tiny",
    audio=AudioConfig(width=16, layers=1, heads=2, subsampling_channels=8),
    vision=VisionConfig(width=16, layers=1, heads=2, mlp=32),
    temporal=TemporalConfig(conv_layers=1, attention_layers=1, heads=2),
    fusion=FusionConfig(width=16, layers=3, heads=2, key_value_heads=1, feed_forward=48, out=16),
    classifier=ClassifierConfig(hidden=(16, 8)),
    thresholds=Thresholds(min_speech_s=0.0),  # noise counts as heard
)


class CountingPredictor(Predictor):
    """Remembers its windows; each call, of one or several, takes one ``permit``."""

    def __init__(self, permits: int) -> None:
        torch.set_num_threads(1)
        super().__init__(new_model(TINY, seed=0))
        self.windows: list[float] = []
        self.permits = threading.Semaphore(permits)
        self.fails_after: int | None = None  # windows

    def answers(self, clips, seen, listener=None):
        assert self.permits.acquire(timeout=30)
        if self.fails_after is not None and len(self.windows) >= self.fails_after:
            raise RuntimeError("out of memory\nlong explanation")
        self.windows += [clip.start_s for clip in clips]
        return super().answers(clips, seen, listener)


class Heard:
    """What a worker told, in order."""

    def __init__(self, worker: AnalysisWorker) -> None:
        self.identified: list[str] = []
        self.segments: list[Segment] = []
        self.progress: list[tuple[float, float, float]] = []
        self.finished: list[Timeline] = []
        self.failed: list[Notice] = []
        worker.identified.connect(self.identified.append)
        worker.segments.connect(self.segments.extend)
        worker.progress.connect(lambda *values: self.progress.append(values))
        worker.finished.connect(self.finished.append)
        worker.failed.connect(self.failed.append)


@pytest.fixture
def predictor() -> CountingPredictor:
    return CountingPredictor(permits=1000)


@pytest.fixture
def model(predictor: CountingPredictor) -> LoadedModel:
    return LoadedModel(predictor, ModelUsed("tiny", "tiny", "f" * 64))


@pytest.fixture
def worker(qapp: object, model: LoadedModel, no_thread_stays: None) -> Iterator[AnalysisWorker]:
    worker = AnalysisWorker(lambda: model)
    yield worker
    worker.stop()


@pytest.fixture
def noise(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str = "noise.wav", seconds: float = 9.0) -> Path:
        samples = 3000 * np.random.default_rng(1).standard_normal(round(16_000 * seconds))
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
        return tmp_path / name

    return write


def test_its_segments_are_those_of_the_finished_timeline(worker, model, noise, until) -> None:
    heard = Heard(worker)
    path = noise()
    worker.start(path)
    until(lambda: heard.finished, 60)
    timeline = heard.finished[0]
    assert [s.start_s for s in heard.segments] == [0.375 * n for n in range(24)]
    assert tuple(heard.segments) == timeline.segments
    assert heard.identified == [timeline.source.sha256]
    expected = analyze(path, model)
    for told, known in zip(timeline.segments, expected.segments, strict=True):
        assert told.probabilities == pytest.approx(known.probabilities)


def test_progress_ends_at_the_files_end_with_nothing_left(worker, noise, until) -> None:
    heard = Heard(worker)
    worker.start(noise())
    until(lambda: heard.finished, 60)
    done = [progress[0] for progress in heard.progress]
    assert done == sorted(done)
    assert heard.progress[-1] == (9.0, 9.0, 0.0)
    assert all(left >= 0 for _, _, left in heard.progress)


def test_after_cancel_it_goes_on_where_it_was_and_sees_no_window_twice(
    worker, predictor, noise, until, qtbot
) -> None:
    predictor.permits = threading.Semaphore(1)
    heard = Heard(worker)
    worker.start(noise())
    until(lambda: predictor.windows, 30)
    worker.cancel()
    seen = len(heard.progress)
    predictor.permits.release(100)
    until(lambda: len(heard.progress) > seen, 30)  # told as it comes to rest
    rested, told = len(predictor.windows), len(heard.segments)
    assert rested < 17
    assert told
    qtbot.wait(150)
    assert (len(predictor.windows), len(heard.segments)) == (rested, told)
    worker.resume()
    until(lambda: heard.finished, 60)
    assert predictor.windows == sorted(set(predictor.windows))
    assert predictor.windows == [0.375 * n for n in range(17)]
    assert tuple(heard.segments) == heard.finished[0].segments


def test_another_file_takes_the_place_of_one_at_work(worker, predictor, noise, until) -> None:
    predictor.permits = threading.Semaphore(1)
    heard = Heard(worker)
    worker.start(noise("long.wav", 30.0))
    until(lambda: predictor.windows, 30)
    short = noise("short.wav", 4.5)
    worker.start(short)
    heard.segments.clear()
    predictor.permits.release(200)
    until(lambda: heard.finished, 60)
    assert heard.finished[0].source.path == str(short)
    assert tuple(heard.segments) == heard.finished[0].segments


def test_a_stopped_worker_says_nothing_more(worker, predictor, noise, until, qtbot) -> None:
    predictor.permits = threading.Semaphore(1)
    heard = Heard(worker)
    worker.start(noise())
    until(lambda: predictor.windows, 30)
    predictor.permits.release(100)
    worker.stop()
    told = len(heard.segments)
    qtbot.wait(50)
    assert len(heard.segments) == told
    assert not heard.finished


def test_stop_ends_a_cancelled_analysis(worker, predictor, noise, until) -> None:
    heard = Heard(worker)
    worker.start(noise("long.wav", 30.0))
    until(lambda: heard.segments, 30)
    worker.cancel()
    worker.stop()
    assert not any(thread.name == "file analysis" for thread in threading.enumerate())


def test_what_is_no_media_file_is_told_in_a_sentence(worker, tmp_path, until) -> None:
    heard = Heard(worker)
    (tmp_path / "text.mp4").write_text("no video")
    worker.start(tmp_path / "text.mp4")
    until(lambda: heard.failed, 30)
    assert "text.mp4" in heard.failed[0].text
    worker.start(tmp_path / "gone.mp4")
    until(lambda: len(heard.failed) == 2, 30)
    assert "gone.mp4" in heard.failed[1].text
    assert not heard.finished


def test_a_model_that_cannot_be_used_is_told(qapp, noise, until, no_thread_stays) -> None:
    def load() -> LoadedModel:
        raise UserError("The weights are damaged.", "Choose others.")

    worker = AnalysisWorker(load)
    heard = Heard(worker)
    worker.start(noise())
    until(lambda: heard.failed, 30)
    assert (heard.failed[0].text, heard.failed[0].retry) == ("The weights are damaged.", True)
    worker.stop()


def test_an_unexpected_error_keeps_what_was_found(worker, predictor, noise, until, caplog) -> None:
    predictor.fails_after = 6
    heard = Heard(worker)
    worker.start(noise())
    until(lambda: heard.failed, 30)
    assert "out of memory" in heard.failed[0].text
    assert "long explanation" not in heard.failed[0].text
    assert len(heard.segments) == len(predictor.windows) - 1 > 0  # the last may say more
    assert "out of memory" in caplog.text
