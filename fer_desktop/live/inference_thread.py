"""Predicts on the freshest three seconds, every hop, off the GUI thread.

The model is built inside the thread, so that the window is there before torch has loaded. There is
no queue of clips: when the network is slower than the hop, hops are skipped and counted.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.media import HOP_SECONDS, Clip
from fer_core.prediction import Prediction
from fer_desktop.errors import Notice, first_line
from fer_desktop.live.recent_media import RecentMedia

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.02  # after a clip's end, for its last frame to be read and searched for faces
LONGEST_WAIT_SECONDS = 0.06  # after a clip's end, for its last sound to arrive
FAILURES_BEFORE_REST = 3


@dataclasses.dataclass(frozen=True, slots=True)
class ModelState:
    """What the window is told about the model once it is loaded."""

    config: FERConfig
    device: str  # where it really runs
    unavailable: Mapping[str, str] = dataclasses.field(default_factory=dict)  # device -> why not


class LivePredictor(Protocol):
    """What the thread needs of ``fer_core.streaming.StreamingPredictor``."""

    def predict(self, clip: Clip) -> Prediction | None: ...

    def reset(self) -> None: ...


@dataclasses.dataclass(frozen=True)
class Listeners:
    """Called on the inference thread; they must only hand over."""

    loaded: Callable[[ModelState], None]
    predicted: Callable[[Prediction, RecentMedia], None]  # and where its clip was cut from
    # The end of a clip with neither face nor sound, and where it was cut from.
    nothing_present: Callable[[float, RecentMedia], None]
    notice: Callable[[Notice], None]
    clear: Callable[[str], None]


class InferenceThread(threading.Thread):
    """Loads a model, then answers for as long as :meth:`watch` says so.

    ``load`` runs on this thread and may take seconds. It raises UserError when the weights cannot
    be used; the thread then waits for :meth:`retry`.
    """

    def __init__(
        self,
        load: Callable[[], tuple[LivePredictor, ModelState]],
        listeners: Listeners,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="inference")
        self.clips_skipped = 0
        self._load = load
        self._listeners = listeners
        self._clock = clock
        self._recent: RecentMedia | None = None
        self._origin_s = 0.0
        self._last_end_s = 0.0
        self._answered = False  # a clip, since the last watch()
        self._outdated = False  # what the predictor remembers
        self._failures = 0
        self._told = False  # that predictions fail
        self._stopping = threading.Event()
        self._awake = threading.Event()  # set: there is something to do

    def watch(self, recent: RecentMedia, origin_s: float) -> None:
        """Predict on ``recent`` from now on; ends are reported relative to ``origin_s``.

        Hops before the first answer, in a pause or while the model loads, count as skipped by
        nobody. No clip is answered twice, whatever is watched and however often.
        """
        self._recent, self._origin_s = recent, origin_s
        self._answered, self._outdated = False, True
        self._failures = 0
        self._awake.set()

    def rest(self) -> None:
        """Predict no more until :meth:`watch`; the model stays loaded."""
        self._recent = None

    def retry(self) -> None:
        """Try again what failed: loading, or predicting."""
        self._failures = 0
        self._awake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._awake.set()

    def run(self) -> None:
        predictor = self._load_until_it_works()
        if predictor is None:
            return
        while not self._stopping.is_set():
            recent = self._recent
            if recent is None or self._failures >= FAILURES_BEFORE_REST:
                self._awake.clear()
                self._awake.wait(HOP_SECONDS)
                continue
            if self._outdated:
                self._outdated = False
                predictor.reset()
            end_s = self.next_end(recent, self._clock())
            if end_s is None:
                self._stopping.wait(0.005)
            else:
                self.step(predictor, recent, end_s)

    def next_end(self, recent: RecentMedia, now: float) -> float | None:
        """The end of the clip to predict on at ``now``; None while it is not all there."""
        end_s = math.floor((now - SETTLE_SECONDS) / HOP_SECONDS) * HOP_SECONDS
        if end_s <= max(self._last_end_s, self._origin_s):
            return None
        heard_until = recent.audio_until
        if heard_until is not None and heard_until < end_s and now - end_s < LONGEST_WAIT_SECONDS:
            return None
        return end_s

    def step(self, predictor: LivePredictor, recent: RecentMedia, end_s: float) -> None:
        """Answer the clip that ends at ``end_s``."""
        if self._answered:
            self.clips_skipped += round((end_s - self._last_end_s) / HOP_SECONDS) - 1
        self._last_end_s, self._answered = end_s, True
        try:
            prediction = predictor.predict(recent.clip(end_s))
        except Exception as error:  # one clip must not end the session
            self._failed(error)
            return
        self._failures = 0
        if self._told:
            self._told = False
            self._listeners.clear("inference")
        if self._recent is not recent:
            return  # stopped or paused meanwhile: nobody waits for this answer
        if prediction is None:
            self._listeners.nothing_present(end_s - self._origin_s, recent)
        else:
            self._listeners.predicted(
                dataclasses.replace(prediction, clip_end_s=end_s - self._origin_s), recent
            )

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._told = True
        log.error("prediction failed", exc_info=error)
        resting = self._failures >= FAILURES_BEFORE_REST
        self._listeners.notice(
            Notice(
                "inference",
                f"{self._failures} predictions in a row failed: {first_line(error)}."
                if resting
                else f"A prediction failed: {first_line(error)}.",
                "Predictions pause. Press Retry, or choose another model or device in Settings."
                if resting
                else "The next one is tried at once.",
                severity="error" if resting else "warning",
                retry=resting,
            )
        )

    def _load_until_it_works(self) -> LivePredictor | None:
        """None when the program ends before that."""
        while not self._stopping.is_set():
            try:
                predictor, state = self._load()
            except Exception as error:
                self._awake.clear()
                if self._stopping.is_set():  # while it loaded: nobody would wake us
                    return None
                self._listeners.notice(_loading_failed(error))
                self._awake.wait()
                # Start, Resume and another camera wake the thread too: fair moments to try again.
            else:
                self._listeners.clear("model")
                self._listeners.loaded(state)
                return predictor
        return None


def _loading_failed(error: Exception) -> Notice:
    if isinstance(error, UserError):
        return Notice("model", error.text, error.hint, retry=True)
    log.error("loading the model failed", exc_info=error)
    return Notice(
        "model",
        f"The model cannot be loaded: {first_line(error)}.",
        "Choose another model or device in Settings, or run make setup again.",
        retry=True,
    )
