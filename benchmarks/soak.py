"""Whether memory grows: a session of 20 minutes, as fast as it goes, on a made-up clock.

Everything is real but the devices and the clock: detector, tracker, recent media, streaming
predictor, smoothing, statistics, report and window, with faces found and clips predicted on threads
of their own, as in the program, because memory is kept by thread.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figures import Figure
from fer_core.openmp import let_threads_sleep

ROOT = Path(__file__).parents[1]
SESSION_SECONDS = 1200.0
SETTLED_SECONDS = 120.0
GROWTH_MB = 20.0
FRAMES_PER_HOP = 4  # 10.7 a second: more take longer and change nothing
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(seconds: float = SESSION_SECONDS) -> list[Figure]:
    """``seconds`` of the session's clock; 20 minutes take about seven."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "benchmarks.soak", str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, timeout=3600, stdout=subprocess.PIPE
    )
    sizes: list[tuple[float, float]] = json.loads(done.stdout)
    settled = min(SETTLED_SECONDS, seconds / 2)
    begin = next(size for at, size in sizes if at >= settled)
    middle = next(size for at, size in sizes if at >= (settled + seconds) / 2)
    end = sizes[-1][1]
    return [
        Figure(f"memory after {settled / 60:.0f} simulated minutes", begin, "MB"),
        Figure(f"growth until minute {seconds / 60:.0f}", end - begin, "MB", GROWTH_MB),
        Figure("of it in the second half", end - middle, "MB"),
    ]


def _main(seconds: float) -> None:
    print(json.dumps(_sizes(seconds)))


def _sizes(seconds: float) -> list[tuple[float, float]]:
    """(session time in s, resident memory in MB), every ten seconds."""
    let_threads_sleep()
    from PySide6.QtWidgets import QApplication

    from benchmarks.synthetic_clips import voice
    from fer_core.media import HOP_SECONDS, SAMPLE_RATE, SEGMENT_SAMPLES, AudioBlock, VideoFrame
    from fer_core.preprocess.face import FaceDetector, FaceTracker
    from fer_core.preprocess.framing import framing_square, patch_rectangles
    from fer_desktop.capture.synthetic import draw_face
    from fer_desktop.live.model import open_model
    from fer_desktop.live.recent_media import RecentMedia
    from fer_desktop.live.report import Report
    from fer_desktop.live.smoothing import Smoothing
    from fer_desktop.live.statistics import Statistics
    from fer_desktop.settings import Settings
    from fer_desktop.ui.main_window import MainWindow

    app = QApplication([])
    window = MainWindow(Settings())
    window.show()
    window.set_state("starting")
    recent, tracker = RecentMedia(), FaceTracker()
    smoothing, statistics = Smoothing(), Statistics()
    sizes: list[tuple[float, float]] = []
    with (
        ThreadPoolExecutor(1) as camera_thread,
        ThreadPoolExecutor(1) as inference_thread,
        tempfile.TemporaryDirectory() as folder,
    ):
        predictor, state = inference_thread.submit(open_model, None, "cpu").result()
        vision = state.config.vision
        detector = camera_thread.submit(FaceDetector).result()
        report = Report(Path(folder) / "report.json", {})
        report.begin_session({})

        def look(index: int, time_s: float) -> None:
            frame = VideoFrame(draw_face(time_s), time_s, index)
            faces = detector.detect(frame.image)
            recent.add_frame(frame, tracker.follow(faces, time_s))

        kept: tuple[int, ...] = ()
        index = 0
        for hop in range(round(seconds / HOP_SECONDS)):
            end_s = (hop + 1) * HOP_SECONDS
            for _ in range(FRAMES_PER_HOP):
                index += 1
                camera_thread.submit(look, index, index * HOP_SECONDS / FRAMES_PER_HOP).result()
                seen = recent.newest()
                assert seen is not None
                statistics.frame_drawn(seen.frame.time_s, seen.frame.time_s, 1)
                image, face = seen.frame.image, seen.face
                square = framing_square(face, image.shape, vision) if face else None
                patches = patch_rectangles(square, kept) if square else ()
                window.video.show_frame(image, face, seen.others, patches, tracker.locked)
                window.level.show_level(recent.audio_level(seen.frame.time_s))
                app.processEvents()
            sound = voice(hop * HOP_SECONDS, SEGMENT_SAMPLES)
            recent.add_audio(AudioBlock(sound, SAMPLE_RATE, hop * HOP_SECONDS))
            prediction = inference_thread.submit(predictor.predict, recent.clip(end_s)).result()
            if prediction is not None:
                kept = prediction.kept_patches
                prediction = dataclasses.replace(prediction, clip_end_s=end_s)
                scores = smoothing.update(prediction)
                window.set_state("running")
                window.live_page.show_answer(prediction, scores, window.settings.mode)
                statistics.prediction_drawn(end_s, end_s)
                report.add(prediction, statistics.as_json())
            app.processEvents()
            if end_s % 10 < HOP_SECONDS:
                sizes.append((end_s, _resident_mb()))
        sizes.append((seconds, _resident_mb()))
        report.close(statistics.as_json())
        camera_thread.submit(detector.close).result()
    window.close()
    return sizes


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


if __name__ == "__main__":
    _main(float(sys.argv[1]))
