"""A network camera on this machine, and a short video file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from fer_core.preprocess.opencv import cv2

CLIP_FPS = 25


class MjpegServer:
    """Sends pictures of one grey level each as fast as ``fps``; a level says which it was."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.sent = 0
        self.stalled = threading.Event()  # the connection stays, nothing comes
        self.ended = threading.Event()  # the connection is closed
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while not server.ended.wait(1 / server.fps):
                    if server.stalled.is_set():
                        continue
                    image = np.full((120, 160, 3), server.sent % 50 * 5, np.uint8)
                    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    try:
                        self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                    except OSError:
                        return
                    server.sent += 1

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/video"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def mjpeg_server() -> Iterator[Callable[[float], MjpegServer]]:
    servers: list[MjpegServer] = []

    def serve(fps: float = 100) -> MjpegServer:
        servers.append(MjpegServer(fps))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures at 25 a second: 0.4 s; each is red, brighter from one to the next."""
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), CLIP_FPS, (160, 120))
    assert writer.isOpened()
    for i in range(10):
        writer.write(np.full((120, 160, 3), (0, 0, 20 + 20 * i), np.uint8))
    writer.release()
    return path


@pytest.fixture
def until() -> Callable[[Callable[[], bool], float], None]:
    """Wait for something another thread does."""

    def wait(condition: Callable[[], bool], within_s: float = 5.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s} s"
            time.sleep(0.005)

    return wait
