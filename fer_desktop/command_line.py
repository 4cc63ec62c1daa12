"""The options of ``fer-desktop``. Imports nothing heavy: ``--help`` answers at once."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from fer_core import __version__
from fer_core.arguments import OneLineParser
from fer_desktop.settings import DEVICES, Settings

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")

EXAMPLES = """\
examples:
  fer-desktop                                  open the window and watch the first camera
  fer-desktop --camera 1 --microphone none     the second camera, no sound
  fer-desktop --camera http://192.168.1.7:8080/video    a phone's camera
  fer-desktop FILE                             play a recording, and see what is in it
  fer-desktop FILE FILE FOLDER                 analyse several, one after another
  fer-desktop --demo                           a drawn face and a synthetic voice, no devices
  fer-desktop --exit-after 60 --report out.json         one minute, predictions to a file

Nothing that is seen or heard leaves this machine.
"""


def parse_arguments(arguments: list[str] | None = None) -> Namespace:
    """The options in ``arguments``, by default the process's; exits with 2 on a wrong one."""
    parser = OneLineParser(
        prog="fer-desktop",
        description="Live emotion recognition from face and voice, on your own machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=_file,
        metavar="FILE",
        help="a video or sound file to play and analyse, instead of camera and microphone; "
        "several, or a folder, are listed to be analysed one after another",
    )
    parser.add_argument(
        "--camera",
        metavar="INDEX|DEVICE|URL|FILE|none",
        help="what to watch; the default is the camera chosen last, else the first",
    )
    parser.add_argument(
        "--microphone",
        metavar="NAME|none",
        help="what to listen to; the default is the one chosen last, else the system's",
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        help="watch a drawn face and hear a synthetic voice; no devices",
    )
    parser.add_argument(
        "--model",
        type=_path,
        metavar="PATH",
        help="a model's folder; the default is the one chosen in Settings, else the bundled model",
    )
    parser.add_argument(
        "--device",
        choices=DEVICES,
        metavar="|".join(DEVICES),
        help="where the network runs; the default is what Settings say, at first auto",
    )
    parser.add_argument(
        "--exit-after",
        type=_seconds,
        metavar="SECONDS",
        help="start at once and close after that long, without the notice of the first start",
    )
    parser.add_argument(
        "--screenshot", type=_picture, metavar="FILE", help="leave a picture of the window at exit"
    )
    parser.add_argument(
        "--report", type=_writable, metavar="FILE", help="write predictions and statistics as JSON"
    )
    parser.add_argument(
        "--record",
        type=_folder_to_fill,
        metavar="FOLDER",
        help="record the first session, from its start, into a new folder in FOLDER",
    )
    parser.add_argument(
        "--diagnose",
        action="store_true",
        help="say what this machine offers, what cannot be used and why, and how fast the model is",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.model and not (options.diagnose or options.model.is_dir()):  # which tells more
        parser.error(f"argument --model: {str(options.model)!r} is not a folder")
    if options.demo and (options.camera or options.microphone):
        parser.error("--demo brings its own camera and microphone; leave out the others")
    if options.files and (options.demo or options.record):
        parser.error("a FILE is played without camera and microphone; leave out --demo, --record")
    if options.camera == options.microphone == "none":
        parser.error("--camera none and --microphone none leave nothing to predict from")
    return options


def settings_for(options: Namespace, kept: Settings) -> Settings:
    """``kept`` with what the command line says instead."""
    said: dict[str, Any] = {}
    if options.camera == "none":
        said["mode"] = "microphone"
    elif options.camera:
        said["camera"] = options.camera
    if options.microphone == "none":
        said["mode"] = "camera"
    elif options.microphone:
        said["microphone"] = options.microphone
    if options.demo:
        said["mode"] = "both"
    if options.model:
        said["model"] = str(options.model)
    if options.device:
        said["device"] = options.device
    if options.record:
        said["recordings"] = str(options.record)
    return dataclasses.replace(kept, **said)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _path(text: str) -> Path:
    """Absolute, because the settings and other processes outlive this folder."""
    try:
        path = Path(text).expanduser().absolute()
        path.exists()
    except (OSError, RuntimeError) as error:  # no permission, too long a name, ~nobody
        why = getattr(error, "strerror", None) or error
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {why}") from error
    return path


def _file(text: str) -> Path:
    path = _path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return path.absolute()


def _folder_to_fill(text: str) -> Path:
    path = _path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from error
    return path


def _writable(text: str) -> Path:
    path = _path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from error
    return path


def _picture(text: str) -> Path:
    if not text.lower().endswith(PICTURE_SUFFIXES):
        raise argparse.ArgumentTypeError(f"{text!r} should end with {', '.join(PICTURE_SUFFIXES)}")
    return _writable(text)
