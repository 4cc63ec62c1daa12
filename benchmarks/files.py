"""Whole files: how much faster than real time, what takes the time, and how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

ROOT = Path(__file__).parents[1]
LONG_SECONDS = 600.0  # of the clip of 1280x720
PIECE_SECONDS = 30.0  # that is drawn; the rest repeats it
BETWEEN_SECONDS = 0.1  # codecs begin a little before 0
HOURS_SECONDS = 7200.0
SMALL_HOP = "3"  # of the files whose memory is compared: what differs is their length
MEGABYTES = 1 / 1024  # of what the system counts in KiB
STAGES = ("decoding", "detection", "network: faces", "network: sound and decision")


@dataclass(frozen=True)
class Run:
    """One file's analysis in a process of its own; ``busy`` is seconds of each stage."""

    media_s: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    busy: dict[str, float]


def measure(seconds: float = LONG_SECONDS, clip: Path | None = None) -> list[Figure]:
    """Analysis of files with the bundled model: a drawn talking face, or ``--clip``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        piece = clip or draw(folder / "piece.mp4", (1280, 720), 30.0, PIECE_SECONDS)
        run = _observe(_repeat(piece, folder / "long.mp4", seconds))
        small = draw(folder / "small.mp4", (320, 240), 8.0, PIECE_SECONDS)
        length_s = HOURS_SECONDS * min(seconds / LONG_SECONDS, 1.0)
        short, long = (
            _observe(_repeat(small, folder / f"{part}.mp4", length_s / part), SMALL_HOP)
            for part in (12, 1)
        )
    together_s = sum(run.busy.values())
    cores = os.cpu_count() or 1
    return [
        Figure(
            f"faster than real time, {run.media_s:.0f} s of 720p", run.media_s / run.wall_s,
            "times", at_least=6, naive=run.media_s / together_s,
            naively="one stage after another",
        ),
        Figure(
            f"the same if {cores} cores did nothing else", run.media_s * cores / run.cpu_s,
            "times",
        ),
        *(Figure(f"busy with {stage}", 100 * run.busy[stage] / together_s, "% of all work")
          for stage in STAGES),
        Figure("work done at the same time", together_s / run.wall_s, "stages"),
        Figure("peak memory", run.peak_mb, "MB", at_most=1500),
        Figure(
            f"peak memory, {long.media_s:.0f} s to {short.media_s:.0f} s",
            long.peak_mb / short.peak_mb, "times", at_most=1.05,
        ),
    ]  # fmt: skip


def draw(path: Path, size: tuple[int, int], fps: float, seconds: float) -> Path:
    from fer_core.media_writer import MediaWriter
    from fer_core.preprocess.opencv import cv2
    from fer_desktop.capture.synthetic import draw_face, speech
    from fer_desktop.capture.synthetic_voice import VOICE_RATE

    with MediaWriter(path, size, VOICE_RATE, fps=fps) as file:
        for number in range(round(fps * seconds)):
            face = draw_face(number / fps)
            width = round(face.shape[1] * size[1] / face.shape[0])
            side = (size[0] - width) // 2
            face = cv2.resize(face, (width, size[1]))
            picture = cv2.copyMakeBorder(
                face, 0, 0, side, size[0] - width - side, cv2.BORDER_REPLICATE
            )
            file.write_frame(picture, number / fps)
        for second in range(round(seconds)):
            file.write_sound(speech(float(second), VOICE_RATE), float(second))
    return path


def _repeat(piece: Path, path: Path, seconds: float) -> Path:
    """The coded ``piece`` again and again, which costs nothing."""
    import av

    with av.open(str(path), "w") as out:
        tracks: dict[int, Any] = {}
        begin_s = 0.0
        while begin_s < seconds:
            with av.open(str(piece)) as source:
                for stream in source.streams.get():
                    if stream.index not in tracks:
                        tracks[stream.index] = out.add_stream_from_template(stream)
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    later = round(begin_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + later, packet.dts + later
                    packet.stream = tracks[packet.stream.index]
                    out.mux(packet)
                begin_s += source.duration / av.time_base + BETWEEN_SECONDS
    return path


def _observe(path: Path, hop: str = "0.375") -> Run:
    command = [sys.executable, "-m", "benchmarks.files", str(path), hop]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Run(**json.loads(done.stdout))


def _main(path: Path, hop_s: float) -> None:
    """What ``fer-analyze`` does with one file, with somebody who notes the time."""
    import resource

    from fer_core.openmp import let_threads_sleep

    let_threads_sleep()
    import fer_core.analysis.analysis as analysis
    from fer_core.analysis.batch import share_threads
    from fer_core.analysis.model import LoadedModel
    from fer_core.preprocess.face import FaceDetector

    busy: Counter[str] = Counter()

    def timed(stage: str, work: Callable) -> Callable:
        def run(*arguments: object, **named: object) -> Any:
            began = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                busy[stage] += time.perf_counter() - began

        return run

    def timed_items(stage: str, items: Callable) -> Callable:
        def run(*arguments: object, **named: object) -> Generator:
            following = timed(stage, items(*arguments, **named).__next__)
            while True:
                try:
                    item = following()
                except StopIteration:
                    return
                yield item

        return run

    decoding, detection, faces, decision = STAGES
    analysis.frames_at = timed_items(decoding, analysis.frames_at)
    analysis.sound_blocks = timed_items(decoding, analysis.sound_blocks)
    FaceDetector.detect = timed(detection, FaceDetector.detect)  # type: ignore[method-assign]
    model = LoadedModel.load(None, "cpu")
    share_threads(model, 1)
    network: Any = model.predictor
    network.encode_faces = timed(faces, network.encode_faces)
    network.answers = timed(decision, network.answers)
    began, cpu = time.perf_counter(), time.process_time()
    timeline = analysis.analyze(path, model, hop_s)
    run = Run(
        media_s=timeline.source.duration_s,
        wall_s=time.perf_counter() - began,
        cpu_s=time.process_time() - cpu,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEGABYTES,
        busy={stage: busy[stage] for stage in STAGES},
    )
    print(json.dumps(asdict(run)))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), float(sys.argv[2]))
