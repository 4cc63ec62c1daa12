"""What goes wrong around the real program: it says so, goes on, and ends when it is told to."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time

import pytest

from fer_desktop.capture.synthetic import speech

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

pytestmark = pytest.mark.timeout(150)


def test_camera_and_sound_server_go_away_and_come_back(
    screen, sound_server, network_camera, program, wav, face_on_the_left
):
    file = wav(speech(0.0, 48_000 * 120))
    camera = network_camera(face_on_the_left)
    running = program(
        "--camera", camera.url, "--exit-after", "140",
        environment=screen | sound_server.environment,
    )  # fmt: skip
    sound_server.play(file)
    running.until_predicted(["audio", "video"])

    camera.stalled.set()
    running.until_noticed("has sent no picture")
    running.until_predicted(["audio"])
    camera.stalled.clear()
    running.until_predicted(["audio", "video"])

    camera.close()
    running.until_noticed("ended the connection")
    running.until_predicted(["audio"])
    camera.open()
    running.until_predicted(["audio", "video"])

    sound_server.stop()
    running.until_predicted(["video"])
    running.until(lambda: len(running.report()["notices"]) >= 3, "a notice about the microphone")
    sound_server.start()
    sound_server.play(file)
    running.until_predicted(["audio", "video"])

    ends = [p["clip_end_s"] for p in running.is_closed()["predictions"]]
    assert ends == sorted(set(ends)), "one session from beginning to end"


def test_with_neither_camera_nor_microphone_it_says_so(program):
    running = program(
        "--camera", "97", "--microphone", "Nobody's", "--exit-after", "60", environment=OFFSCREEN
    )
    running.until_noticed("There is no camera at /dev/video97")
    running.until(lambda: len(running.report()["notices"]) == 2, "a notice about the microphone")
    assert running.is_closed()["predictions"] == []


def test_a_damaged_model_is_told_and_the_rest_goes_on(program, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{")
    running = program("--demo", "--model", str(model), environment=OFFSCREEN)
    running.until_noticed(f"{model / 'config.json'} cannot be used")
    time.sleep(2)
    result = running.is_closed()
    assert result["predictions"] == []
    assert result["stats"]["camera_fps"] > 10, "the picture goes on"


def test_a_full_disk_leaves_a_report_that_can_be_read(program):
    running = program("--demo", environment=OFFSCREEN, largest_file=20_000)
    running.until(lambda: running.predictions(), "a prediction")
    count = 0
    while len(running.predictions()) > count:
        count = len(running.predictions())
        time.sleep(3)
    assert count >= 3
    running.signal()
    assert running.ends(within_s=3) == ""
    assert len(running.report()["predictions"]) == count


def test_without_portaudio_the_camera_goes_on(program, tmp_path, network_camera, face_on_the_left):
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    camera = network_camera(face_on_the_left)
    running = program(
        "--camera", camera.url, "--exit-after", "100",
        environment=OFFSCREEN | {"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    running.until_noticed("PortAudio is missing")
    running.until_predicted(["video"])
    running.is_closed()


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 1.2, 2.5])
def test_closing_at_any_moment_of_the_start_ends_within_three_seconds(screen, program, delay_s):
    running = program("--demo", environment=screen)
    # The report's file is begun just before the window.
    running.until(lambda: (running.settings.parent / "report.json").exists(), "the beginning")
    time.sleep(0.2 + delay_s)
    running.signal()
    assert running.ends(within_s=3.5) == ""


def test_closing_while_a_camera_that_never_answers_is_opened(program):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        running = program(
            "--camera", f"http://127.0.0.1:{silent.getsockname()[1]}/video", "--microphone", "none",
            "--exit-after", "60", environment=OFFSCREEN,
        )  # fmt: skip
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            running.signal()
            assert running.ends(within_s=3.5) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_closes_the_notice_of_the_first_start(screen, program, number):
    running = program(environment=screen)
    running.until(lambda: (running.settings.parent / "report.json").exists(), "the beginning")
    time.sleep(1.5)
    running.signal(number)
    assert running.ends(within_s=3) == ""
    assert not running.settings.exists(), "nobody agreed"


def test_two_hundred_random_keys_leave_a_program_that_ends_in_order(screen, program):
    if subprocess.run(["which", "xdotool"], capture_output=True).returncode:
        pytest.skip("needs xdotool: run scripts/system_packages.sh tests as root")
    environment = os.environ | screen
    running = program("--demo", environment=screen)
    running.until(lambda: running.predictions(), "a prediction")
    subprocess.run(["xdotool", "mousemove", "900", "650", "click", "1"], env=environment)
    chance = random.Random(20261121)
    keys = [*["space"] * 5, *["s", "r", "F5", "m", "b", "p", "e", "t", "F11", "Escape"]]
    for _ in range(20):
        pressed = [chance.choice(keys) for _ in range(10)]
        done = subprocess.run(
            ["xdotool", "key", "--delay", str(chance.choice([5, 30, 60])), *pressed],
            env=environment, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0
    running.until(running.settings.exists, "the keys arrived")
    assert json.loads(running.settings.read_text())["agreed"] is False, "the demo asks nobody"
    running.is_closed()
