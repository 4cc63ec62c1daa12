"""Which model the window uses, live and for files, and how it is opened."""

from __future__ import annotations

import gc
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from fer_core.openmp import let_threads_sleep
from fer_core.resources import bundled_model
from fer_desktop.live.inference_thread import ModelState
from fer_desktop.settings import Device

if TYPE_CHECKING:
    from fer_core.analysis.model import LoadedModel
    from fer_core.predictor import Predictor
    from fer_core.streaming import StreamingPredictor

# The models somebody uses now: live and a file share one, full's weights are 1.9 GB.
_used: WeakValueDictionary[tuple[Path, str, int], Predictor] = WeakValueDictionary()
_opening = threading.Lock()


def open_model(folder: Path | None, device: Device) -> tuple[StreamingPredictor, ModelState]:
    """The model in ``folder``, by default the bundled one; takes seconds, so call it on a thread.

    Where no model is bundled, the compact network with random weights stands in, and its state says
    that it is untrained.

    Raises:
        UserError: the folder holds no usable model, or the device is not there.
    """
    _import_network()
    from fer_core.config import FERConfig
    from fer_core.device import resolve_device, unavailable_devices
    from fer_core.predictor import Predictor
    from fer_core.streaming import StreamingPredictor
    from fer_core.weights import new_model

    name = resolve_device(device)
    bundled = bundled_model()
    if folder is None and not bundled.exists():
        predictor = Predictor(new_model(FERConfig.preset("compact"), seed=0), name)
    else:
        predictor = _opened(folder or bundled, name)
    return StreamingPredictor(predictor), ModelState(predictor.config, name, unavailable_devices())


def open_file_model(folder: Path | None, device: Device) -> LoadedModel:
    """The same model for whole files; its weights are read only if nobody uses them yet.

    Raises:
        UserError: as :func:`open_model`, and where no model is bundled.
    """
    _import_network()
    from fer_core.analysis.model import LoadedModel, model_used, shipped_model
    from fer_core.device import resolve_device

    folder = folder or shipped_model()
    return LoadedModel(_opened(folder, resolve_device(device)), model_used(folder))


def _opened(folder: Path, device: str) -> Predictor:
    from fer_core.predictor import Predictor
    from fer_core.weights import WEIGHTS_NAME, load_checkpoint

    weights = folder / WEIGHTS_NAME
    with _opening:
        # A training may write the folder anew.
        version = weights.stat().st_mtime_ns if weights.exists() else 0
        key = (folder.resolve(), device, version)
        predictor = _used.get(key)
        if predictor is None:
            predictor = _used[key] = Predictor(load_checkpoint(folder, device), device)
        return predictor


@cache
def _import_network() -> None:
    """The imports that take seconds, without the garbage collector.

    Called on a thread: the window does not wait.

    They make half a million objects that stay. Looking through them again and again while they are
    made took 1 s, and a full collection later holds every thread up for 0.4 s.

    Triton is kept out: only torch's compiler would use it, and beside Mesa's OpenGL drivers, which
    Qt may load, its own copy of LLVM crashes the program.
    """
    let_threads_sleep()
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # as if not installed
    gc.disable()
    try:
        import fer_core.predictor
        import fer_core.weights  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
