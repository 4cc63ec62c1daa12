from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from fer_desktop.batch.batch_process import BatchProcess, Done, FaceResult, Listed, Step
from fer_desktop.batch.plan import BatchPlan

Script = Callable[..., None]
HOUR = 3600


@pytest.fixture
def process(qtbot: QtBot) -> Iterator[BatchProcess]:
    process = BatchProcess()
    yield process
    process.close()


@pytest.fixture
def heard(process: BatchProcess) -> list[object]:
    heard: list[object] = []
    for signal in (process.listed, process.stepped, process.done):
        signal.connect(heard.append)
    return heard


def test_it_tells_of_all_recordings_of_the_one_at_work_and_of_each_that_is_done(
    process, heard, batch_plan: BatchPlan, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(
        ("out", analysed.files("a.mp4", "b.mp4") + "no json\n"),
        ("out", analysed.step("a.mp4", 1.0, of_s=4.0)),
        ("out", analysed.done("a.mp4", "sad") + analysed.failed("b.mp4", "It is damaged.")),
        ("exit", 1),
    )
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start(batch_plan)
    a, b = Path("a.mp4"), Path("b.mp4")
    sad = FaceResult("sad", (0, 0, 0, 0.5, 0, 0, 0, 0), (0, 0, 0, 0.25, 0, 0, 0, 0))
    assert heard == [
        (Listed(a, 4.0), Listed(b, 4.0)),
        Step(a, 0.25, 9.0),
        Done(a, Path("/out/a.json"), (sad,), None, 3.0),
        Done(b, None, (), "It is damaged.", 3.0),
    ]
    arguments = json.loads((batch_plan.out / "arguments.json").read_text())
    assert arguments == batch_plan.arguments()


def test_of_each_face_there_is_no_one_document(
    process, heard, batch_plan, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(("out", analysed.files("a.mp4") + analysed.done("a.mp4", "sad")))
    with qtbot.waitSignal(process.finished, timeout=20_000):
        process.start(replace(batch_plan, each_face=True))
    assert heard[-1].document is None


def test_answers_that_are_mostly_uncertain_make_an_uncertain_face() -> None:
    shares = (0.6, 0.3, 0, 0, 0, 0, 0, 0)
    assert FaceResult("neutral", shares, (0.2, 0.2, 0, 0, 0, 0, 0, 0)).uncertain
    assert not FaceResult("neutral", shares, (0.3, 0.2, 0, 0, 0, 0, 0, 0)).uncertain
    assert not FaceResult(None, (0,) * 8, (0,) * 8).uncertain


def test_one_that_breaks_down_before_all_are_done_has_failed(
    process, batch_plan, scripted_batch: Script, analysed, qtbot
) -> None:
    scripted_batch(
        ("out", analysed.files("a.mp4", "b.mp4") + analysed.done("a.mp4", "sad")),
        ("say", "Traceback …\nRuntimeError: boom\n"), ("exit", 1),
    )  # fmt: skip
    with qtbot.waitSignal(process.failed, timeout=20_000) as failed:
        process.start(batch_plan)
    assert failed.args[0].text == "The analysis ended unexpectedly: RuntimeError: boom"
    assert "Go on" in failed.args[0].hint


def test_what_hinders_it_is_told_in_its_own_sentence(
    process, batch_plan, scripted_batch: Script, qtbot
) -> None:
    scripted_batch(("say", "fer-analyze: There is no media file in “a”.\n"), ("exit", 2))
    with qtbot.waitSignal(process.failed, timeout=20_000) as failed:
        process.start(batch_plan)
    assert failed.args[0].text == "There is no media file in “a”."


def test_a_recording_that_is_done_while_all_is_stopped_counts_as_done(
    process, heard, batch_plan, scripted_batch: Script, analysed, qtbot
) -> None:
    late = analysed.step("a.mp4", 2.0) + analysed.done("a.mp4", "sad")
    scripted_batch(("out", analysed.files("a.mp4")), ("out when stopped", late))
    process.start(batch_plan)
    qtbot.waitUntil(lambda: bool(heard), timeout=20_000)
    with qtbot.waitSignal(process.stopped, timeout=10_000):
        process.stop()
    assert [type(told) for told in heard[1:]] == [Done]
