"""The obvious ways, for comparison: each turns the real program into one that works like that.

Called in the observed process before the program makes its objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

BUSY_SECONDS = 0.05  # for a frame, of a window that is slower than the camera


def torch_first() -> None:
    """Import torch and load the model, then show the window."""
    from fer_desktop.live.model import open_model

    open_model(None, "cpu")


def inference_on_gui() -> None:
    """Load on the thread as ever, but predict on the GUI thread, by a timer."""
    from fer_desktop.live.inference_thread import InferenceThread

    class OnGui(QObject):
        ready = Signal(object, object)  # the thread and its predictor

        def __init__(self) -> None:
            super().__init__()
            self.ready.connect(self._begin)

        def _begin(self, thread: Any, predictor: Any) -> None:
            self._timer = QTimer(self, interval=5)
            self._timer.timeout.connect(lambda: self._step(thread, predictor))
            self._timer.start()

        def _step(self, thread: Any, predictor: Any) -> None:
            recent = thread._recent
            end_s = None if recent is None else thread.next_end(recent, time.monotonic())
            if end_s is not None:
                thread.step(predictor, recent, end_s)

    init = InferenceThread.__init__

    def made_on_gui(self: Any, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named)
        self.on_gui = OnGui()

    def load_only(self: Any) -> None:
        predictor = self._load_until_it_works()
        if predictor is not None:
            self.on_gui.ready.emit(self, predictor)

    InferenceThread.__init__ = made_on_gui  # type: ignore[method-assign]
    InferenceThread.run = load_only  # type: ignore[method-assign]


def slow_window() -> None:
    """Frames are polled as ever, by a window that needs 50 ms for each."""
    from fer_desktop.ui.video_view import VideoView

    show = VideoView.show_frame

    def slowly(*arguments: Any) -> None:
        time.sleep(BUSY_SECONDS)
        show(*arguments)

    VideoView.show_frame = slowly  # type: ignore[method-assign, assignment]


def slow_window_signals() -> None:
    """The same slow window, and every frame is sent to it as a signal."""
    slow_window()
    from fer_desktop.live.recent_media import RecentMedia, SeenFrame
    from fer_desktop.live_presenter import LivePresenter

    class Sender(QObject):
        came = Signal(object)

    init = LivePresenter.__init__
    add_frame = RecentMedia.add_frame
    sender = Sender()

    def connected(self: Any, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named)
        sender.came.connect(self._draw, Qt.ConnectionType.QueuedConnection)

    def send(self: Any, frame: Any, face: Any, others: Any = ()) -> None:
        add_frame(self, frame, face, others)
        sender.came.emit(SeenFrame(frame, face, others))

    def poll_without_drawing(self: Any) -> None:
        self.window.set_state("running")

    LivePresenter.__init__ = connected  # type: ignore[method-assign]
    LivePresenter._poll = poll_without_drawing  # type: ignore[method-assign]
    RecentMedia.add_frame = send  # type: ignore[method-assign]


WAYS: dict[str, Callable[[], None]] = {
    "torch first": torch_first,
    "inference on the GUI thread": inference_on_gui,
    "slow window": slow_window,
    "slow window, signals": slow_window_signals,
}
