"""What the program remembers between two starts, as a small JSON file in the user's folder."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

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
    return Settings(**{k: v for k, v in values.items() if _fits(k, v)})


def save_settings(settings: Settings, path: Path) -> None:
    """A crash leaves the old file.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(dataclasses.asdict(settings), indent=2) + "\n"
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


_CHOICES: dict[str, tuple[str, ...]] = {"theme": THEMES, "mode": MODES, "device": DEVICES}
_FLAGS = frozenset(f.name for f in dataclasses.fields(Settings) if f.type == "bool")
_OPTIONAL_TEXTS = frozenset({"camera", "microphone", "model", "recordings"})


def _fits(key: str, value: Any) -> bool:
    if key in _CHOICES:
        return value in _CHOICES[key]
    if key in _FLAGS:
        return isinstance(value, bool)
    if key in _OPTIONAL_TEXTS:
        return value is None or isinstance(value, str)
    if key in ("smoothing", "volume"):
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return False
