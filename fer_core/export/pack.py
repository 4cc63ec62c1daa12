"""A trained model made ready to be shipped: half the size, with its card."""

from __future__ import annotations

import shutil
from pathlib import Path

from fer_core.errors import UserError
from fer_core.resources import CARD_NAME
from fer_core.weights import load_checkpoint, save_checkpoint


def pack(source: Path, folder: Path) -> int:
    """Copy the model in ``source`` to ``folder`` in half precision; card and figures as they are.

    Returns:
        The size of ``folder`` in bytes.

    Raises:
        UserError: ``source`` holds no model or no card, or ``folder`` is it or cannot be written.
    """
    if folder.resolve() == source.resolve():
        raise UserError(f"The packed model would be written over {source}.", "Name another folder.")
    model = load_checkpoint(source)
    if not (source / CARD_NAME).exists():
        raise UserError(
            f"The model in {source} has no {CARD_NAME}.", "Only what a run has measured is packed."
        )
    save_checkpoint(model, folder, half=True)
    try:
        for path in (source / CARD_NAME, *sorted(source.glob("*.png"))):
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error}.", "Make room there.") from error
    return sum(path.stat().st_size for path in folder.iterdir())
