"""What the program remembers between two starts, as a small JSON file in the user's folder."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

from fer_core.typed_values import read_section
from fer_core.whole_file import whole

log = logging.getLogger(__name__)

Theme = Literal["system", "dark", "light"]
Mode = Literal["both", "camera", "microphone"]
Device = Literal["auto", "cpu", "cuda", "mps"]
THEMES: tuple[Theme, ...] = get_args(Theme)
MODES: tuple[Mode, ...] = get_args(Mode)
DEVICES: tuple[Device, ...] = get_args(Device)


@dataclass(frozen=True)
class Settings:
    """Every field has a default that works; a damaged file costs the settings, never the start."""

    agreed: bool = False  # to the notice of the first start
    theme: Theme = "system"
    camera: str | None = None  # by id, because indices move between two starts; None: the first
    microphone: str | None = None  # by name; None: the system's default
    mode: Mode = "both"
    smoothing: float = 0.5  # 0 raw to 1 strongest
    mirror: bool = True
    show_face: bool = True
    show_patches: bool = True
    show_emotion: bool = True
    volume: float = 0.8  # of files, 0 to 1
    model: str | None = None  # folder; None: the bundled one
    device: Device = "auto"
    recordings: str | None = None  # folder; None: in the user's documents

    def __post_init__(self) -> None:
        for name in ("smoothing", "volume"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must be 0 to 1")

    @property
    def model_folder(self) -> Path | None:
        """None: the bundled model's."""
        return Path(self.model) if self.model else None


def settings_path() -> Path:
    """``FER_DESKTOP_SETTINGS`` if set, else the platform's own place."""
    override = os.environ.get("FER_DESKTOP_SETTINGS")
    return (
        Path(override)
        if override
        else platformdirs.user_config_path("fer-desktop") / "settings.json"
    )


def recordings_folder(settings: Settings) -> Path:
    """Where recorded sessions go, each in a folder of its own."""
    if settings.recordings:
        return Path(settings.recordings).expanduser()
    return platformdirs.user_documents_path() / "Emotion recordings"


def load_settings(path: Path, tell: Callable[[str], None] = log.warning) -> Settings:
    """The settings in ``path``; unknown keys and wrong values fall back to their defaults.

    ``tell`` is told why, if nothing in the file can be used.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, RecursionError) as error:
        tell(f"The settings in {path} cannot be read ({error}).")
        return Settings()
    if not isinstance(values, dict):
        tell(f"The settings in {path} cannot be read (they are no table of values).")
        return Settings()
    known: dict[str, Any] = {}
    for key, value in values.items():
        with suppress(ValueError, OverflowError):  # it may have 400 digits
            known[key] = getattr(read_section(Settings, {key: value}, "settings"), key)
    return Settings(**known)


def put_aside(path: Path) -> Path | None:
    """Where a file that cannot be read lies from now on, to be mended; None: it stays."""
    aside = path.with_name(f"{path.name}.damaged")
    try:
        if not path.is_file():
            return None
        path.replace(aside)
    except OSError:
        return None
    return aside


def save_settings(settings: Settings, path: Path) -> None:
    """A crash leaves the old file.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(dataclasses.asdict(settings), indent=2) + "\n"
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8")
