"""What a hop costs: streaming, the place of ROI compression, torch's threads."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.figures import Figure

ROOT = Path(__file__).parents[1]
HOPS = 24
REST_SECONDS = 0.1  # between hops, as in the program: OpenMP's threads have gone to sleep then

Costs = dict[str, float]  # ms a hop


def measure(seconds: float = 0.0) -> list[Figure]:
    """Each setting of torch's threads is another process; ``seconds`` does not matter."""
    ours = _in_process(threads=2, spin="1000")
    unset = _in_process(threads=2, spin="")
    one = _in_process(threads=1, spin="1000")
    naively = "every clip from nothing"
    return [
        Figure("a hop, compact, its two frames searched too", ours["whole"], "ms", 40),
        Figure("the same without functionals of the voice", ours["whole, encoders"], "ms"),
        Figure(
            "a hop, compact, after", ours["after"], "ms", 375,
            naive=ours["after naive"], naively=naively,
        ),
        Figure(
            "a hop, compact, early", ours["early"], "ms", 375,
            naive=ours["early naive"], naively=naively,
        ),
        Figure(
            "a hop, after, the network only, 2 threads", ours["after"], "ms",
            naive=unset["after"], naively="GOMP_SPINCOUNT not set",
        ),
        Figure(
            "the same beside a busy process", ours["after busy"], "ms",
            naive=unset["after busy"], naively="GOMP_SPINCOUNT not set",
        ),
        Figure(
            "the same, 1 thread", one["after"], "ms",
            naive=unset["after"], naively="GOMP_SPINCOUNT not set, 2 threads",
        ),
        Figure("the same, 1 thread, beside a busy process", one["after busy"], "ms"),
    ]  # fmt: skip


def _in_process(threads: int, spin: str) -> Costs:
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    if spin:
        environment["GOMP_SPINCOUNT"] = spin
    command = [sys.executable, "-m", "benchmarks.network", str(threads)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, timeout=300, stdout=subprocess.PIPE
    )
    costs: Costs = json.loads(done.stdout)
    return costs


def _main(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    costs: Costs = {}
    places: tuple[Literal["after", "early"], ...] = ("after", "early")
    for place in places:
        costs[place], costs[f"{place} naive"] = _cost_of(place)
    costs["whole"] = _whole_hop(functionals=True)
    costs["whole, encoders"] = _whole_hop(functionals=False)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        costs["after busy"], _ = _cost_of("after", naively=False)
    finally:
        busy.kill()
        busy.wait()
    print(json.dumps(costs))


def _cost_of(place: Literal["after", "early"], naively: bool = True) -> tuple[float, float]:
    from fer_core.config import FERConfig, RoiConfig
    from fer_core.predictor import Predictor
    from fer_core.streaming import StreamingPredictor
    from fer_core.weights import new_model

    config = dataclasses.replace(FERConfig.preset("compact"), roi=RoiConfig(place=place))
    predictor = Predictor(new_model(config, seed=0))
    streamed = _median_ms(StreamingPredictor(predictor).predict, HOPS)
    return streamed, _median_ms(predictor.predict, HOPS // 4) if naively else float("nan")


def _whole_hop(functionals: bool) -> float:
    """Two new frames searched for faces and encoded, 3 s of sound, fusion and answer."""
    from fer_core.config import FERConfig
    from fer_core.media import Clip
    from fer_core.predictor import Predictor
    from fer_core.preprocess.face import FaceDetector
    from fer_core.streaming import StreamingPredictor
    from fer_core.weights import new_model

    config = FERConfig.preset("compact")
    config = dataclasses.replace(
        config, audio=dataclasses.replace(config.audio, functionals=functionals)
    )
    predictor = StreamingPredictor(Predictor(new_model(config, seed=0)))
    with FaceDetector() as detector:

        def hop(clip: Clip) -> None:
            for frame in clip.frames[-2:]:
                assert frame is not None
                detector.detect(frame.image)
            predictor.predict(clip)

        return _median_ms(hop, HOPS)


def _median_ms(predict: Callable[..., object], hops: int) -> float:
    from benchmarks.synthetic_clips import clips

    took = []
    for clip in clips(hops + 1):
        started = time.perf_counter()
        predict(clip)
        took.append(1000 * (time.perf_counter() - started))
        time.sleep(REST_SECONDS)
    return float(np.median(took[1:]))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
