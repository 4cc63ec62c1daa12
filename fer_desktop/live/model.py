"""Which model the live window uses, and how it is opened."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.resources import bundled_model
from fer_desktop.live.inference_thread import ModelState
from fer_desktop.settings import Device

if TYPE_CHECKING:
    from fer_core.streaming import StreamingPredictor


def open_model(folder: Path | None, device: Device) -> tuple[StreamingPredictor, ModelState]:
    """The model in ``folder``, by default the bundled one; takes seconds, so call it on a thread.

    Where no model is bundled, the compact network with random weights stands in, and its state says
    that it is untrained.

    Raises:
        UserError: the folder holds no usable model, or the device is not there.
    """
    # On two cores, one of them busy with the camera, OpenMP's threads spin in wait for each other:
    # a prediction took 0.3 to 4.6 s. Told to sleep instead, 55 ms. Read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # Imported here, on the inference thread: torch takes seconds and the window does not wait.
    _import_network()
    from fer_core.config import FERConfig
    from fer_core.device import resolve_device, unavailable_devices
    from fer_core.predictor import Predictor
    from fer_core.streaming import StreamingPredictor
    from fer_core.weights import load_checkpoint, new_model

    name = resolve_device(device)
    bundled = bundled_model()
    if folder is None and not bundled.exists():
        model = new_model(FERConfig.preset("compact"), seed=0).to(name).eval()
    else:
        model = load_checkpoint(folder or bundled, name)
    predictor = StreamingPredictor(Predictor(model, name))
    return predictor, ModelState(model.config, name, unavailable_devices())


@cache
def _import_network() -> None:
    """The imports that take seconds, without the garbage collector.

    They make half a million objects that stay. Looking through them again and again while they are
    made took 1 s, and a full collection later holds every thread up for 0.4 s.

    Triton is kept out: only torch's compiler would use it, and beside Mesa's OpenGL drivers, which
    Qt may load, its own copy of LLVM crashes the program.
    """
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # as if not installed
    gc.disable()
    try:
        import fer_core.predictor
        import fer_core.weights  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
