"""A screen, a sound server and a network camera for the real program, on this machine alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: run scripts/system_packages.sh tests as root")


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """The environment of an X server of 1280x720 that nobody sees."""
    need("Xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x720x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    server.terminate()
    server.wait(5)


@dataclass
class SoundServer:
    """PulseAudio with a sink whose monitor is the system's microphone."""

    environment: dict[str, str]
    players: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def play(self, wav: Path) -> None:
        """Let the microphone hear ``wav``, once, from now on."""
        command = ["paplay", "--device=mic", str(wav)]
        self.players.append(subprocess.Popen(command, env=os.environ | self.environment))


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[SoundServer]:
    need("pulseaudio", "pactl", "paplay")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    socket = home / "native"
    environment = {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PULSE_SERVER": f"unix:{socket}",
    }
    daemon = subprocess.Popen(
        [
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
            "--disable-shm=yes",
            f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
            "--load=module-null-sink sink_name=mic rate=48000",
        ],
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    pactl = ["pactl", "set-default-source", "mic.monitor"]
    deadline = time.monotonic() + 10
    while subprocess.run(pactl, env=os.environ | environment, capture_output=True).returncode:
        if time.monotonic() > deadline:
            daemon.kill()
            pytest.fail("PulseAudio did not start within 10 s")
        time.sleep(0.1)
    server = SoundServer(environment)
    yield server
    for process in (*server.players, daemon):
        process.terminate()
        process.wait(5)


class NetworkCamera:
    """An MJPEG stream on 127.0.0.1, as phones and IP cameras send it."""

    FPS = 30

    def __init__(self, picture: Callable[[float], bytes]) -> None:
        """``picture(seconds since the first request)`` gives one JPEG."""
        self.stalled = threading.Event()
        self.closing = threading.Event()
        self.pictures_sent = 0
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                camera._stream(self, picture)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/video.mjpg"

    def _stream(self, to: BaseHTTPRequestHandler, picture: Callable[[float], bytes]) -> None:
        started = time.monotonic()
        sent = 0
        while not self.closing.wait(max(0.0, started + sent / self.FPS - time.monotonic())):
            sent += 1
            if self.stalled.is_set():
                continue
            jpeg = picture(time.monotonic() - started)
            try:
                to.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
                to.wfile.write(f"Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n")
            except OSError:
                return  # the program has gone
            self.pictures_sent += 1

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def network_camera() -> Iterator[Callable[[Callable[[float], bytes]], NetworkCamera]]:
    cameras: list[NetworkCamera] = []

    def serve(picture: Callable[[float], bytes]) -> NetworkCamera:
        cameras.append(NetworkCamera(picture))
        return cameras[-1]

    yield serve
    for camera in cameras:
        camera.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the real ``python -m fer_desktop`` with settings and logs of its own."""

    def start(*arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fer_desktop", *arguments],
            cwd=ROOT,
            env=os.environ
            | {"FER_DESKTOP_SETTINGS": str(tmp_path / "settings.json")}
            | {"XDG_STATE_HOME": str(tmp_path)}
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
