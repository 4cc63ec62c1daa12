"""A screen, a sound server and a network camera for the real program, on this machine alone."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.config import FERConfig
from fer_core.labels import EMOTIONS
from fer_core.preprocess.opencv import cv2
from fer_core.weights import new_model, save_checkpoint
from fer_desktop.capture.synthetic import draw_face, speech

ROOT = Path(__file__).parents[2]
os.environ["QT_QPA_PLATFORM"] = "offscreen"  # of windows in this process; programs get their own


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


class SoundServer:
    """PulseAudio with a sink whose monitor is the system's microphone."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        alsa = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
        (home / ".asoundrc").write_text(alsa)
        self._socket = home / "native"
        self.environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PULSE_SERVER": f"unix:{self._socket}",
        }
        self._players: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        environment = os.environ | self.environment
        self._daemon = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                "--disable-shm=yes",
                f"--load=module-native-protocol-unix socket={self._socket} auth-anonymous=1",
                "--load=module-null-sink sink_name=mic rate=48000",
            ],
            env=environment,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        pactl = ["pactl", "set-default-source", "mic.monitor"]
        deadline = time.monotonic() + 20
        while subprocess.run(pactl, env=environment, capture_output=True).returncode:
            if time.monotonic() > deadline:
                self.stop()
                pytest.fail("PulseAudio did not start within 20 s")
            time.sleep(0.1)

    def play(self, wav: Path) -> None:
        """Let the microphone hear ``wav``, once, from now on."""
        command = ["paplay", "--device=mic", str(wav)]
        environment = os.environ | self.environment
        self._players.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))

    def stop(self) -> None:
        """The sound server dies; who listens hears no more."""
        for process in (self._daemon, *self._players):
            process.kill()
            process.wait(5)
        self._players.clear()
        self._socket.unlink(missing_ok=True)


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[SoundServer]:
    need("pulseaudio", "pactl", "paplay")
    server = SoundServer(tmp_path / "home")
    yield server
    server.stop()


class NetworkCamera:
    """An MJPEG stream on 127.0.0.1, as phones and IP cameras send it."""

    FPS = 30

    def __init__(self, picture: Callable[[float], bytes]) -> None:
        """``picture(seconds since the request)`` gives one JPEG."""
        self.stalled = threading.Event()
        self._closing = threading.Event()
        self._picture = picture
        self._port = 0
        self.open()
        self.url = f"http://127.0.0.1:{self._port}/video.mjpg"

    def open(self) -> None:
        """Serve, at the same address as before."""
        self._closing.clear()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                camera._stream(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _stream(self, to: BaseHTTPRequestHandler) -> None:
        started = time.monotonic()
        sent = 0
        while not self._closing.wait(max(0.0, started + sent / self.FPS - time.monotonic())):
            sent += 1
            if self.stalled.is_set():
                continue
            jpeg = self._picture(time.monotonic() - started)
            try:
                to.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
                to.wfile.write(f"Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n")
            except OSError:
                return  # the program has gone

    def close(self) -> None:
        """The camera is switched off: the connection ends, and nobody answers."""
        if self._closing.is_set():
            return
        self._closing.set()
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


class Running:
    """The real ``python -m fer_desktop``, with settings, log and report of its own."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        environment: dict[str, str],
        largest_file: int | None = None,
    ) -> None:
        self.settings = folder / "settings.json"
        self._report = folder / "report.json"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fer_desktop", "--report", str(self._report), *arguments],
            cwd=ROOT,
            env=os.environ
            | {"FER_DESKTOP_SETTINGS": str(self.settings), "XDG_STATE_HOME": str(folder)}
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=largest_file and (lambda: limit_files(largest_file)),
        )

    def report(self) -> dict[str, Any]:
        """As far as it is written; empty while it is not there, or in the moment of a write."""
        try:
            return json.loads(self._report.read_text())
        except (OSError, ValueError):
            return {"predictions": [], "notices": [], "stats": {}}

    def predictions(self) -> list[dict[str, Any]]:
        return self.report()["predictions"]

    def until(self, condition: Callable[[], object], what: str, within_s: float = 40) -> None:
        """Generous: the machine may be busy with something else."""
        deadline = time.monotonic() + within_s
        while not condition():
            assert self._process.poll() is None, self._process.communicate()[1]
            assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
            time.sleep(0.1)

    def until_predicted(self, modalities: list[str]) -> None:
        """A prediction of this moment rests on these."""
        begun = len(self.predictions())

        def is_there() -> bool:
            return any(p["modalities"] == modalities for p in self.predictions()[begun:])

        self.until(is_there, f"a prediction from {modalities}")

    def until_noticed(self, words: str) -> None:
        self.until(lambda: any(words in n for n in self.report()["notices"]), f"“{words}”")

    def signal(self, number: int = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    def ends(self, within_s: float, status: int = 0) -> str:
        """What it wrote to the terminal, once it has ended by itself."""
        begun = time.monotonic()
        try:
            _, errors = self._process.communicate(timeout=within_s + 30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            pytest.fail(f"it never ended:\n{self._process.communicate()[1]}")
        assert time.monotonic() - begun < within_s
        assert self._process.returncode == status, errors
        return errors

    def is_closed(self) -> dict[str, Any]:
        """Closes it as a desktop does: it ends in time, says nothing, and the report is whole."""
        self.signal()
        assert self.ends(within_s=3) == ""
        return json.loads(self._report.read_text())

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def limit_files(largest: int) -> None:
    """No file may become larger: how a full disk feels."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str, **how: Any) -> Running:
        started.append(Running(tmp_path, *arguments, **how))
        return started[-1]

    yield start
    for running in started:
        running.kill()


@pytest.fixture
def jpeg() -> Callable[[NDArray[np.uint8]], bytes]:
    def encode(image: NDArray[np.uint8]) -> bytes:
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        assert done
        return data.tobytes()

    return encode


@pytest.fixture
def face_on_the_left(jpeg: Callable[[NDArray[np.uint8]], bytes]) -> Callable[[float], bytes]:
    """A drawn face in the left half of a wide picture, so that its place can be checked."""

    def picture(t: float) -> bytes:
        canvas = np.full((480, 960, 3), 90, np.uint8)
        canvas[:, :640] = draw_face(t)
        return jpeg(canvas)

    return picture


@pytest.fixture
def wav(tmp_path: Path) -> Callable[[NDArray[np.float32]], Path]:
    """Writes samples at 48 kHz."""

    def write(samples: NDArray[np.float32]) -> Path:
        path = tmp_path / "voice.wav"
        with av.open(path, "w", format="wav") as file:
            stream = file.add_stream("pcm_s16le", rate=48_000, layout="mono")
            pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            frame.sample_rate = 48_000
            file.mux([*stream.encode(frame), *stream.encode(None)])
        return path

    return write


@pytest.fixture
def angry_model(tmp_path: Path, tiny_config: FERConfig) -> Path:
    """A tiny network that answers "angry" with 0.75 to whatever it hears and sees."""
    model = new_model(tiny_config, seed=0)
    last = model.classifier.mlp[-1]
    last.weight.data.zero_()
    last.bias.data.zero_()
    last.bias.data[EMOTIONS.index("angry")] = 3.0
    for head in (*model.audio_head.heads, *model.video_head.heads):
        head[-1].weight.data.zero_()
        head[-1].bias.data.zero_()
    save_checkpoint(model, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="session")
def own_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of four people, happy and calm, 3.2 s each, and the table that lists them."""
    folder = tmp_path_factory.mktemp("own")
    rows = []
    for number, speaker in enumerate(("ann", "bea", "carl", "dan")):
        for emotion, start_s in (("happy", 10.0 * number), ("calm", 10.0 * number + 5)):
            name = f"{speaker}_{emotion}.mp4"
            record(folder / name, start_s, seconds=3.2)
            sex = "female" if number < 2 else "male"
            rows.append({"path": name, "emotion": emotion, "speaker": speaker, "sex": sex})
    with (folder / "recordings.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return folder


def record(path: Path, start_s: float, seconds: float) -> None:
    """The drawn face and the made-up voice from ``start_s`` on, 320x240 at 8 frames a second."""
    fps, rate = 8, 48_000
    with av.open(str(path), "w") as file:
        pictures = file.add_stream("libx264", rate=fps)
        pictures.width, pictures.height, pictures.pix_fmt = 320, 240, "yuv420p"
        pictures.options = {"preset": "ultrafast", "bf": "0"}
        sound = file.add_stream("aac", rate=rate, layout="mono")
        for number in range(int(seconds * fps)):
            image = cv2.resize(draw_face(start_s + number / fps), (320, 240))
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        voice = speech(start_s, int(seconds * rate))
        block = av.AudioFrame.from_ndarray(voice[None], format="fltp", layout="mono")
        block.sample_rate, block.time_base, block.pts = rate, Fraction(1, rate), 0
        pieces = av.AudioResampler("fltp", "mono", rate, frame_size=sound.codec_context.frame_size)
        for piece in [*pieces.resample(block), *pieces.resample(None)]:
            file.mux(sound.encode(piece))
        file.mux(sound.encode(None))


@pytest.fixture(scope="session")
def made_ferplus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with the votes of ten people who agree, in FER+'s files."""
    folder = tmp_path_factory.mktemp("ferplus")
    random = np.random.default_rng(0)
    for part, count in (("train", 14), ("valid", 7), ("test", 7)):
        votes = np.zeros((count, 10), np.uint8)
        votes[np.arange(count), np.arange(count) % 7] = 10
        np.savez(
            folder / f"ferplus_{part}.npz",
            images=random.integers(0, 255, (count, 48, 48), np.uint8),
            votes=votes,
            names=np.array([f"{part}-{number}.png" for number in range(count)]),
        )
    return folder


@pytest.fixture(scope="session")
def tiny_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of a network and a training of seconds."""
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(
        """\
model:
  name: tiny
  audio: {width: 16, layers: 1, heads: 2, subsampling_channels: 8}
  vision: {width: 16, layers: 1, heads: 2, mlp: 32}
  temporal: {conv_layers: 1, attention_layers: 1, heads: 2}
  fusion: {width: 16, layers: 3, heads: 2, key_value_heads: 1, feed_forward: 48, out: 16}
  classifier: {hidden: [16, 8]}
training: {epochs: 2, accumulate: 1, views: 1, warmup_epochs: 1, save_every: 1}
validation_speakers: 1
"""
    )
    return path
