"""Which model the live window uses, and how it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.resources import resource
from fer_desktop.live.inference_thread import ModelState
from fer_desktop.settings import Device

if TYPE_CHECKING:
    from fer_core.streaming import StreamingPredictor

BUNDLED = "models/compact"


def open_model(folder: Path | None, device: Device) -> tuple[StreamingPredictor, ModelState]:
    """The model in ``folder``, by default the bundled one; takes seconds, so call it on a thread.

    Where no model is bundled, the compact network with random weights stands in, and its state says
    that it is untrained.

    Raises:
        UserError: the folder holds no usable model, or the device is not there.
    """
    # Imported here, on the inference thread: torch takes seconds and the window does not wait.
    from fer_core.config import FERConfig
    from fer_core.device import resolve_device
    from fer_core.predictor import Predictor
    from fer_core.streaming import StreamingPredictor
    from fer_core.weights import load_checkpoint, new_model

    name = resolve_device(device)
    folder = folder or resource(BUNDLED)
    if folder == resource(BUNDLED) and not folder.exists():
        model = new_model(FERConfig.preset("compact"), seed=0).to(name).eval()
    else:
        model = load_checkpoint(folder, name)
    predictor = StreamingPredictor(Predictor(model, name))
    return predictor, ModelState(model.config.name, name, model.config.trained_on)
