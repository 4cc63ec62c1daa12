"""The real program on a real screen, a real camera stream and a real microphone path."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys

import av
import numpy as np
import pytest
from PySide6.QtGui import QColor

from fer_core.labels import EMOTIONS
from fer_core.model.answer import AT_REST
from fer_core.preprocess.opencv import cv2
from fer_desktop.capture.synthetic import speech
from fer_desktop.settings import Settings, save_settings
from fer_desktop.ui.theme import DARK

RATE = 48_000
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

pytestmark = pytest.mark.timeout(150)


def dbfs(samples: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def test_camera_and_microphone_reach_the_network(
    screen, sound_server, network_camera, program, wav, face_on_the_left
):
    voice = speech(0.0, RATE * 40)
    file = wav(voice)
    camera = network_camera(face_on_the_left)
    running = program(
        "--camera", camera.url, "--exit-after", "120",
        environment=screen | sound_server.environment,
    )  # fmt: skip
    running.until(lambda: len(running.predictions()) >= 8, "8 predictions")
    silent = running.predictions()
    assert all("audio" not in p["modalities"] for p in silent), "nothing was played yet"
    sound_server.play(file)

    def heard() -> list[dict]:
        return [p for p in running.predictions() if p["modalities"] == ["audio", "video"]]

    running.until(lambda: len(heard()) >= 12, "12 predictions from face and voice")
    result = running.is_closed()
    assert result["notices"] == []
    # A clip that voice fills, at the loudness at which it was played.
    assert heard()[-1]["audio_level_dbfs"] == pytest.approx(dbfs(voice[: 6 * RATE]), abs=6)

    # The drawn face is centred near (320, 240) of the picture as the camera sends it.
    boxes = [p["face"] for p in result["predictions"] if p["face"]]
    assert len(boxes) > 0.8 * len(result["predictions"])
    x, y = (
        np.median([b[at] + b[size] / 2 for b in boxes])
        for at, size in (("x", "width"), ("y", "height"))
    )
    assert x == pytest.approx(320, abs=60)
    assert y == pytest.approx(250, abs=70)

    for p in result["predictions"]:
        assert tuple(p["probabilities"]) == EMOTIONS
        assert sum(p["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        # Rounded as they are written, an untrained network's two best may be equal.
        assert p["probabilities"][p["emotion"]] == max(p["probabilities"].values())
        assert len(p["segments"]) == 8
        for segment in p["segments"]:
            assert sum(segment["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert sum(s["weight"] for s in p["segments"]) == pytest.approx(1, abs=1e-3)
    ends = [p["clip_end_s"] for p in result["predictions"]]
    assert all(later - earlier >= 0.374 for earlier, later in itertools.pairwise(ends))

    # How fast it is, the benchmarks say; here the machine may be busy.
    stats = result["stats"]
    assert stats["camera_fps"] > 0.5 * camera.FPS
    assert stats["preview_fps"] > 0.3 * camera.FPS
    assert stats["predictions_per_s"] > 1
    assert stats["latency_ms"]["median"] < 1500
    assert (stats["model"], stats["device"]) == ("compact", "cpu")


def test_the_bars_on_the_picture_show_what_was_predicted(program, angry_model, tmp_path):
    picture = tmp_path / "window.png"
    save_settings(Settings(theme="dark", smoothing=0.0), tmp_path / "settings.json")
    running = program(
        "--demo", "--model", str(angry_model), "--screenshot", str(picture), environment=OFFSCREEN
    )
    running.until(lambda: len(running.predictions()) >= 3, "3 predictions")
    last = running.is_closed()["predictions"][-1]
    assert last["emotion"] == "angry"
    assert last["modalities"] == ["audio", "video"]
    assert last["face"]["score"] > 0.5
    shown = (1 + AT_REST) ** 2  # for each that is not at rest: voice and face say all alike
    angry = np.e**3 * shown / ((np.e**3 + 5) * shown + 2)
    assert last["probabilities"]["angry"] == pytest.approx(angry, abs=1e-3)

    window = cv2.imread(str(picture))[..., ::-1].astype(int)
    assert window.std() > 20, "an empty window has no contrast"
    bars = window[: int(window.shape[0] * 0.75), window.shape[1] // 2 :]
    area = {}
    for emotion, colour in zip(EMOTIONS, DARK.emotions, strict=True):
        wanted = QColor(colour)
        distance = abs(bars - [wanted.red(), wanted.green(), wanted.blue()]).max(axis=2)
        area[emotion] = int((distance < 6).sum())
    others = [area[emotion] for emotion in EMOTIONS if emotion != "angry"]
    assert area["angry"] > 5 * max(others), area


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupting_the_program_keeps_the_report(screen, program, number):
    running = program("--demo", environment=screen)
    running.until(lambda: len(running.predictions()) >= 3, "3 predictions")
    running.signal(number)
    assert running.ends(within_s=3) == ""
    assert len(running.predictions()) >= 3


@pytest.mark.parametrize("name", ["cremad_happy.mp4", "01-01-06-02-02-02-05.mp4"])
def test_a_real_face_and_voice_reach_the_network(
    name, screen, sound_server, network_camera, program, wav, jpeg, real_clips
):
    with av.open(real_clips / name) as media:
        frames = [jpeg(frame.to_ndarray(format="rgb24")) for frame in media.decode(video=0)]
    with av.open(real_clips / name) as media:
        resampler = av.AudioResampler("flt", "mono", RATE)
        parts = [p.to_ndarray()[0] for f in media.decode(audio=0) for p in resampler.resample(f)]
    file = wav(np.tile(np.concatenate(parts), 20))
    camera = network_camera(lambda t: frames[int(t * 29.97) % len(frames)])
    running = program(
        "--camera", camera.url, "--exit-after", "120",
        environment=screen | sound_server.environment,
    )  # fmt: skip
    sound_server.play(file)

    def both() -> list[dict]:
        return [p for p in running.predictions() if p["modalities"] == ["audio", "video"]]

    running.until(lambda: len(both()) >= 8, "8 predictions from face and voice")
    running.is_closed()
    assert both()[-1]["face"]["score"] > 0.6
    assert -45 < both()[-1]["audio_level_dbfs"] < -5


def test_without_a_display_the_program_says_what_to_do(program):
    running = program(environment={"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""})
    errors = running.ends(within_s=20, status=1)
    assert "no display" in errors.lower()
    assert "--demo" in errors
    assert len(errors.strip().splitlines()) == 1


def test_exit_after_ends_it_and_the_module_is_the_command(program):
    running = program("--demo", "--exit-after", "1", environment=OFFSCREEN)
    assert running.ends(within_s=20) == ""
    done = subprocess.run(
        [sys.executable, "-m", "fer_desktop", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("fer-desktop ")
