"""The real program on a real screen, a real camera stream and a real microphone path."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fer_core.labels import EMOTIONS
from fer_core.preprocess.opencv import cv2
from fer_desktop.capture.synthetic import draw_face, speech

CLIPS = Path(__file__).parents[2].parent / "shared" / "data" / "clips"
RATE = 48_000
SECONDS = 24.0

pytestmark = pytest.mark.timeout(150)


def jpeg(image: np.ndarray) -> bytes:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return data.tobytes()


def face_on_the_left(t: float) -> bytes:
    """A drawn face in the left half of a wide picture, so that its place can be checked."""
    canvas = np.full((480, 960, 3), 90, np.uint8)
    canvas[:, :640] = draw_face(t)
    return jpeg(canvas)


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with av.open(path, "w", format="wav") as wav:
        stream = wav.add_stream("pcm_s16le", rate=RATE, layout="mono")
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE
        wav.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def dbfs(samples: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def finished(process: subprocess.Popen[str], within_s: float) -> str:
    """What the program wrote to standard error; it ended by itself and without a traceback."""
    try:
        _, errors = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"still running after {within_s} s:\n{process.communicate()[1]}")
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors
    return errors


def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.1)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def so_far(path: Path) -> dict[str, Any]:
    """The report is whole after every prediction, but a reader may meet the very write."""
    try:
        return read(path)
    except (OSError, ValueError):
        return {"predictions": [], "notices": []}


def predictions_so_far(path: Path) -> list[dict[str, Any]]:
    return so_far(path)["predictions"]


def notices_so_far(path: Path) -> list[str]:
    return so_far(path)["notices"]


def test_camera_and_microphone_reach_the_network_and_the_bars(
    screen, sound_server, network_camera, program, tmp_path
):
    voice = speech(0.0, int(RATE * SECONDS))
    wav = write_wav(tmp_path / "voice.wav", voice)
    camera = network_camera(face_on_the_left)
    report, picture = tmp_path / "report.json", tmp_path / "window.png"
    running = program(
        "--camera", camera.url, "--exit-after", str(SECONDS), "--report", str(report),
        "--screenshot", str(picture),
        environment=screen | sound_server.environment,
    )  # fmt: skip
    until(lambda: len(predictions_so_far(report)) >= 8, 25, "8 predictions")
    silent = predictions_so_far(report)
    sound_server.play(wav)
    finished(running, within_s=SECONDS + 10)

    result = read(report)
    assert result["notices"] == []
    assert all("audio" not in p["modalities"] for p in silent), "nothing was played yet"
    heard = [p for p in result["predictions"] if "audio" in p["modalities"]]
    assert len(heard) >= 5
    steady = heard[-3]
    assert steady["modalities"] == ["audio", "video"]
    assert steady["audio_level_dbfs"] == pytest.approx(dbfs(voice[: 6 * RATE]), abs=6)

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
        assert p["emotion"] == max(p["probabilities"], key=p["probabilities"].__getitem__)
        assert len(p["segments"]) == 8
        for segment in p["segments"]:
            assert sum(segment["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert sum(s["weight"] for s in p["segments"]) == pytest.approx(1, abs=1e-3)
    ends = [p["clip_end_s"] for p in result["predictions"]]
    assert all(later - earlier >= 0.374 for earlier, later in itertools.pairwise(ends))

    stats = result["stats"]
    assert stats["camera_fps"] == pytest.approx(camera.FPS, rel=0.25)
    assert stats["preview_fps"] > 0.75 * camera.FPS
    assert stats["predictions_per_s"] > 1.5
    assert stats["latency_ms"]["median"] < 1000
    assert stats["audio_overflows"] == 0
    assert (stats["model"], stats["device"]) == ("compact", "cpu")

    window = cv2.imread(str(picture))
    assert window.shape[0] >= 600
    assert window.shape[1] >= 900
    assert window.std() > 20, "an empty window has no contrast"


def test_a_stalled_network_camera_is_told_and_the_sound_goes_on(
    screen, sound_server, network_camera, program, tmp_path
):
    wav = write_wav(tmp_path / "voice.wav", speech(0.0, RATE * 40))
    camera = network_camera(face_on_the_left)
    report = tmp_path / "report.json"
    running = program(
        "--camera", camera.url, "--exit-after", "30", "--report", str(report),
        environment=screen | sound_server.environment,
    )  # fmt: skip
    sound_server.play(wav)
    until(lambda: any(p["face"] for p in predictions_so_far(report)), 20, "a face in a prediction")
    camera.stalled.set()
    until(lambda: predictions_so_far(report)[-1:][0]["modalities"] == ["audio"], 12, "sound alone")
    until(lambda: any("picture" in n for n in notices_so_far(report)), 10, "a notice")
    camera.stalled.clear()
    finished(running, within_s=40)
    assert read(report)["predictions"][-1]["face"], "the camera came back"


def test_interrupting_the_program_keeps_the_report(screen, program, tmp_path):
    report = tmp_path / "report.json"
    running = program("--demo", "--exit-after", "60", "--report", str(report), environment=screen)
    until(lambda: len(predictions_so_far(report)) >= 3, 20, "3 predictions")
    running.send_signal(signal.SIGINT)
    started = time.monotonic()
    finished(running, within_s=10)
    assert time.monotonic() - started < 3
    assert len(read(report)["predictions"]) >= 3


@pytest.mark.parametrize("delay_s", [0.0, 0.4, 1.0, 2.0, 3.5])
def test_closing_at_any_moment_of_the_start_ends_within_three_seconds(screen, program, delay_s):
    running = program("--demo", "--exit-after", "60", environment=screen)
    visible_s = 0.8
    time.sleep(visible_s + delay_s)
    running.send_signal(signal.SIGTERM)
    started = time.monotonic()
    running.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert running.returncode in (0, -signal.SIGTERM), "a crash has another status"


def test_the_demo_offscreen_leaves_a_picture_and_a_report(program, tmp_path):
    report, picture = tmp_path / "demo.json", tmp_path / "demo.png"
    running = program(
        "--demo", "--exit-after", "10", "--report", str(report), "--screenshot", str(picture),
        environment={"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    finished(running, within_s=25)
    last = read(report)["predictions"][-1]
    assert last["modalities"] == ["audio", "video"]
    assert last["face"]["score"] > 0.5
    assert cv2.imread(str(picture)).std() > 20


def test_without_a_display_the_program_says_what_to_do(program):
    running = program(environment={"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""})
    _, errors = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "no display" in errors.lower()
    assert "--demo" in errors
    assert len(errors.strip().splitlines()) == 1


@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs the real clips in ../shared/data/clips")
@pytest.mark.parametrize("name", ["cremad_happy.mp4", "01-01-06-02-02-02-05.mp4"])
def test_a_real_face_and_voice_reach_the_network(
    name, screen, sound_server, network_camera, program, tmp_path
):
    with av.open(CLIPS / name) as media:
        frames = [jpeg(frame.to_ndarray(format="rgb24")) for frame in media.decode(video=0)]
    with av.open(CLIPS / name) as media:
        resampler = av.AudioResampler("flt", "mono", RATE)
        parts = [p.to_ndarray()[0] for f in media.decode(audio=0) for p in resampler.resample(f)]
    voice = np.concatenate(parts)
    wav = write_wav(tmp_path / "voice.wav", np.tile(voice, 8))
    camera = network_camera(lambda t: frames[int(t * 29.97) % len(frames)])
    report = tmp_path / "report.json"
    running = program(
        "--camera", camera.url, "--exit-after", "14", "--report", str(report),
        environment=screen | sound_server.environment,
    )  # fmt: skip
    sound_server.play(wav)
    finished(running, within_s=30)
    both = [p for p in read(report)["predictions"] if p["modalities"] == ["audio", "video"]]
    assert len(both) >= 5
    assert both[-1]["face"]["score"] > 0.6
    assert -45 < both[-1]["audio_level_dbfs"] < -5


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fer_desktop", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("fer-desktop ")
