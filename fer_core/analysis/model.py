"""The model that analyses, and how a document names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fer_core.analysis.timeline import ModelUsed
from fer_core.errors import UserError
from fer_core.predictor import Predictor
from fer_core.resources import CARD_NAME, bundled_model
from fer_core.weights import CONFIG_NAME, WEIGHTS_NAME, load_config


@dataclass(frozen=True, slots=True)
class LoadedModel:
    predictor: Predictor
    used: ModelUsed

    @classmethod
    def load(cls, folder: Path | None = None, device: str = "auto") -> Self:
        """The model in ``folder``, by default the bundled one; ``device`` as in Predictor.load.

        Raises:
            UserError: there is no usable model, or no such device.
        """
        folder = folder or shipped_model()
        return cls(Predictor.load(folder, device), model_used(folder))


def shipped_model() -> Path:
    """Raises:
    UserError: none comes with the program.
    """
    folder = bundled_model()
    if not folder.is_dir():
        raise UserError("No trained model comes with this program.", "Name one with --model DIR.")
    return folder


def model_used(folder: Path) -> ModelUsed:
    """Raises:
    UserError: there is no model in ``folder``.
    """
    preset = load_config(folder).name
    digest = hashlib.sha256()
    try:
        for name in (CONFIG_NAME, WEIGHTS_NAME):
            with (folder / name).open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
        card = folder / CARD_NAME
        text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
    except OSError as error:
        raise UserError(f"The model in {folder} cannot be read: {error.strerror}.") from error
    path = folder.resolve()
    # A run keeps its model in a folder “model”, which tells nothing.
    name = path.parent.name if path.name == "model" else path.name
    return ModelUsed(name, preset, digest.hexdigest(), text)
