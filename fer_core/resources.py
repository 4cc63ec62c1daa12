"""Where the files are that ship with the program: the face finder's model, icons, licences."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
# A wheel carries resources/ inside the package; a checkout has it beside.
_INSTALLED = _PACKAGE / "_resources"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "resources"


CARD_NAME = "model_card.md"  # in a model's folder, beside its weights


def bundled_model() -> Path:
    """The folder of the model that ships with the program; a checkout may lack it."""
    return _ROOT / "models" / "compact"


def recipe(name: str) -> Path:
    """The training configuration ``name`` of ``configs/``.

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
    path = folder / "configs" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; the installation is incomplete")
    return path


def resource(name: str) -> Path:
    """The path of ``name`` (``"models/x.tflite"``) in the program's own files.

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    path = _ROOT / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; the installation is incomplete")
    return path
