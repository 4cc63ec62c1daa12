"""What is told of a machine: by the real parts, with a tiny model and scripted devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.config import FERConfig
from fer_core.weights import new_model, save_checkpoint
from fer_desktop import app, diagnosis
from fer_desktop.capture import devices
from fer_desktop.capture.devices import Device, Found
from fer_desktop.diagnosis import Finding, diagnose
from fer_desktop.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, tiny_config: FERConfig) -> Path:
    save_checkpoint(new_model(tiny_config, seed=0), tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Found, Found], None]:
    def found(cameras: Found, microphones: Found) -> None:
        monkeypatch.setattr(devices, "cameras", lambda: cameras)
        monkeypatch.setattr(devices, "microphones", lambda: microphones)

    found(Found((), "No camera is plugged in."), Found((Device("Built-in", "Built-in", ""),)))
    return found


def by_name(settings: Settings) -> dict[str, Finding]:
    return {finding.about: finding for finding in diagnose(settings)}


def test_faces_and_the_model_are_tried_for_real(qapp, found, folder: Path) -> None:
    told = by_name(Settings(model=str(folder), device="cpu"))
    assert told["faces"].works
    assert "the demo's face is found" in told["faces"].text
    assert told["model"].works
    assert told["model"].text.startswith(f"tiny ({folder}) on cpu answers within ")
    assert told["model"].text.endswith("Trained on nothing")


def test_devices_have_their_names_or_the_reason_why_there_are_none(qapp, found) -> None:
    told = by_name(Settings(model="/nowhere"))
    assert told["microphones"] == Finding("microphones", "Built-in")
    assert told["cameras"] == Finding("cameras", "No camera is plugged in.", works=False)
    assert told["cameras"].as_text() == "cameras      NOT USABLE: No camera is plugged in."


def test_what_fails_is_told_and_does_not_end_the_rest(
    qapp, found, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> Found:
        raise RuntimeError("the driver has gone")

    monkeypatch.setattr(devices, "cameras", broken)
    told = by_name(Settings(model=str(tmp_path)))
    assert told["cameras"].text == "RuntimeError: the driver has gone"
    assert not told["model"].works
    assert "config.json" in told["model"].text
    assert told["microphones"].works


def test_the_last_error_in_the_log_is_told(
    qapp, found, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "fer-desktop.log"
    log.write_text("1 WARNING a\n2 ERROR b: first\nTraceback\n3 ERROR c: last\n")
    monkeypatch.setattr(diagnosis, "log_path", lambda: log)
    assert by_name(Settings(model="/nowhere"))["log"].text == (
        f"{log}, 2 errors, the last: 3 ERROR c: last"
    )


def test_the_exit_status_says_whether_anything_can_be_predicted(
    qapp, found, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["--diagnose", "--model", str(folder)]) == 0
    said = capfd.readouterr()
    assert said.err == "", "libraries' complaints are no part of it"
    assert said.out.splitlines()[-1].startswith("model        tiny")
    assert app.main(["--diagnose", "--model", str(tmp_path)]) == 1
