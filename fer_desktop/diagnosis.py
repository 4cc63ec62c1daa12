"""``fer-desktop --diagnose``: what this machine offers the program, and what it cannot use and why.

Everything is tried as the program does it: devices are listed, the face detector and the model are
loaded and answer about the demo's face and voice. No camera or microphone is opened.
"""

from __future__ import annotations

import importlib.metadata
import io
import os
import platform
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr

from fer_core import __version__
from fer_core.errors import UserError
from fer_core.media import (
    CLIP_SAMPLES,
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    HOP_SECONDS,
    SAMPLE_RATE,
    Clip,
    VideoFrame,
)
from fer_desktop.capture import devices
from fer_desktop.capture.synthetic_face import draw_face
from fer_desktop.capture.synthetic_voice import VOICE_RATE, speech
from fer_desktop.command_line import settings_for
from fer_desktop.display import check_display
from fer_desktop.errors import first_line, log_path
from fer_desktop.settings import Settings, load_settings, recordings_folder, settings_path

if TYPE_CHECKING:
    from fer_core.preprocess.face import FaceDetector

PACKAGES = (
    "torch", "transformers", "mediapipe", "opencv-python", "onnxruntime", "av", "sounddevice",
    "PySide6",
)  # fmt: skip
NEEDED = {"faces", "model"}  # without them nothing can be told
HOPS = 4  # timed; the first answer of all looks at sixteen frames and warms up


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    about: str  # "camera", "model" ...
    text: str
    works: bool = True

    def as_text(self) -> str:
        return f"{self.about:<13}{'' if self.works else 'NOT USABLE: '}{self.text}"


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Each finding as soon as it is known; what fails is a finding and does not end the rest."""
    parts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("program", _program),
        ("system", _system),
        ("packages", _packages),
        ("screen", _screen),
        ("cameras", lambda: _listed(devices.cameras())),
        ("microphones", lambda: _listed(devices.microphones())),
        ("settings", lambda: _writable(settings_path().parent, settings_path())),
        ("recordings", lambda: _room(recordings_folder(settings))),
        ("log", _log),
        ("faces", _faces),
        ("devices", _devices),
        ("model", lambda: _model(settings)),
    )
    for about, look in parts:
        try:
            yield Finding(about, look())
        except UserError as error:
            yield Finding(about, str(error), works=False)
        except Exception as error:  # what nobody thought of is what a diagnosis is for
            yield Finding(about, f"{type(error).__name__}: {first_line(error)}", works=False)


def _program() -> str:
    return f"fer-desktop {__version__} in {Path(__file__).parents[1]}"


def _system() -> str:
    try:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB"
    except (AttributeError, ValueError, OSError):  # Windows has no such question
        memory = ""
    return (
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores{memory}"
    )


def _packages() -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)


def _screen() -> str:
    from PySide6.QtGui import QGuiApplication

    shown = [
        f"{screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():.0%}"
        for screen in QGuiApplication.screens()
    ]
    return f"{QGuiApplication.platformName()}, {', '.join(shown) or 'none'}"


def _listed(found: devices.Found) -> str:
    if not found.devices:
        raise UserError(found.reason, found.hint)
    return ", ".join(device.name for device in found.devices)


def _writable(folder: Path, shown: Path) -> str:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        raise UserError(f"{there} cannot be written.", "Make it writable.")
    return str(shown)


def _room(folder: Path) -> str:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return f"{_writable(folder, folder)}, {shutil.disk_usage(there).free / 1e9:.1f} GB free"


def _log() -> str:
    path = log_path()
    if not path.exists():
        return f"{path}, nothing was logged yet"
    with path.open(encoding="utf-8", errors="replace") as lines:
        errors = [line for line in lines if " ERROR " in line]
    last = f", the last: {errors[-1].strip()}" if errors else ""
    return f"{path}, {len(errors)} errors{last}"


def _faces() -> str:
    from fer_core.preprocess.face import FaceDetector

    detector, picture = FaceDetector(), draw_face(0.0)
    began = time.perf_counter()
    found = detector.detect(picture)
    took_ms = 1000 * (time.perf_counter() - began)
    if not found:
        raise UserError("The detector does not find the demo's face.", "Run make setup again.")
    return f"the demo's face is found, in {took_ms:.0f} ms"


def _devices() -> str:
    from fer_core.device import resolve_device, unavailable_devices

    reasons = " ".join(unavailable_devices().values())
    return f"“Automatic” is {resolve_device('auto')}. {reasons}".strip()


def _model(settings: Settings) -> str:
    from fer_core.preprocess.face import FaceDetector
    from fer_desktop.live.model import open_model

    predictor, state = open_model(settings.model_folder, settings.device)
    detector = FaceDetector()
    predictor.predict(_demo_clip(0.0, detector))
    took_ms = []
    for hop in range(1, HOPS + 1):
        clip = _demo_clip(hop * HOP_SECONDS, detector)
        began = time.perf_counter()
        predictor.predict(clip)
        took_ms.append(1000 * (time.perf_counter() - began))
    typical_ms = float(np.median(took_ms))
    due_ms = 1000 * HOP_SECONDS
    pace = "live" if typical_ms < due_ms else "too slow for every hop: some will be skipped"
    return (
        f"{state.config.name} ({settings.model or 'bundled'}) on {state.device} answers within "
        f"{typical_ms:.0f} ms, due every {due_ms:.0f}: {pace}. "
        f"Trained on {state.config.trained_on or 'nothing'}"
    )


def _demo_clip(start_s: float, detector: FaceDetector) -> Clip:
    """The drawn face, found as in a camera's picture, and the made voice."""
    frames, faces = [], []
    first = round(start_s / HOP_SECONDS) * 2  # two frames to a hop; equal frames, equal numbers
    for place in range(FRAMES_PER_CLIP):
        time_s = start_s + (place + 1) * CLIP_SECONDS / FRAMES_PER_CLIP
        picture = draw_face(time_s)
        frames.append(VideoFrame(picture, time_s, first + place))
        faces.append(next(iter(detector.detect(picture)), None))
    samples = round(CLIP_SECONDS * VOICE_RATE)
    waveform = soxr.resample(speech(start_s, samples), VOICE_RATE, SAMPLE_RATE)[:CLIP_SAMPLES]
    heard = np.ones(CLIP_SAMPLES, bool)
    return Clip(start_s, tuple(frames), tuple(faces), waveform.astype(np.float32), heard)


def print_diagnosis(options: Namespace) -> int:
    """The exit status: 0 if faces are found and the model answers, else 1."""
    from PySide6.QtGui import QGuiApplication

    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        print(finding.as_text(), flush=True)

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a device's name may be in any script
    try:
        check_display()
    except UserError as error:
        tell(Finding("display", str(error), works=False))
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with _libraries_silent():
        app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
        kept = load_settings(
            settings_path(), lambda damage: tell(Finding("settings", damage, works=False))
        )
        for finding in diagnose(settings_for(options, kept)):
            tell(finding)
        del app
    working = {finding.about for finding in findings if finding.works}
    return 0 if working >= NEEDED else 1


@contextmanager
def _libraries_silent() -> Iterator[None]:
    """Qt, ALSA and PortAudio write past Python of every device that is not there."""
    terminal = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
