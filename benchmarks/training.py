"""Training throughput of the fusion stage, with and without what is kept of frozen encoders."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from benchmarks.figures import Figure
from benchmarks.synthetic_clips import voice
from fer_core.media import SAMPLE_RATE
from fer_desktop.capture.synthetic import draw_face

RECORDINGS = 8
RECORDING_SECONDS = 4
FPS = 30


def measure(seconds: float = 20.0) -> list[Figure]:
    """Clips of made-up recordings a second, for ``seconds`` each way, on the same fusion steps."""
    import torch

    from fer_core.config import FERConfig
    from fer_core.data.clips import Augmentation, ClipCutter
    from fer_core.data.corpora.registry import read_corpus
    from fer_core.data.datasets import Draw, FreshSamples, PairedClips, SampleSource
    from fer_core.data.features import EncodedSamples
    from fer_core.data.store import MediaStore
    from fer_core.training.config import TrainingConfig
    from fer_core.training.task import Contrast, Task
    from fer_core.weights import new_model

    config = FERConfig.preset("compact")
    model = new_model(config, seed=0)
    contrast = Contrast(config)
    task = Task(model, contrast, "fusion", TrainingConfig(contrastive_loss=0.0), torch.ones(8), 1)
    optimizer = torch.optim.AdamW(p for p in task.parameters() if p.requires_grad)
    with tempfile.TemporaryDirectory() as folder:
        corpus = read_corpus("manifest", _recordings(Path(folder)))
        media, features = Path(folder) / "media", Path(folder) / "features"
        how = Augmentation()

        def per_second(source: SampleSource, forget: bool) -> float:
            dataset = PairedClips(corpus.items, source, seed=0, modality_dropout=0.3)

            def step(epoch: int) -> None:
                if forget:
                    shutil.rmtree(media, ignore_errors=True)
                batch = dataset[[Draw(epoch, place) for place in range(RECORDINGS)]]
                optimizer.zero_grad()
                task(batch).logits.square().mean().backward()
                optimizer.step()

            step(0)
            started, epochs = time.perf_counter(), 0
            while time.perf_counter() - started < seconds:
                epochs += 1
                step(epochs)
            return epochs * RECORDINGS / (time.perf_counter() - started)

        store = MediaStore(media, config.vision)
        cutter = ClipCutter(store, config, model.audio_branch.spectra_mean)
        encoded = EncodedSamples(model, store, cutter, how, features, views=4, seed=0)
        kept = per_second(encoded, forget=False)
        encoding = per_second(FreshSamples(cutter, how), forget=False)
        decoding = per_second(FreshSamples(cutter, how), forget=True)
    return [
        Figure("features kept, against encoding anew", kept / encoding, "times", at_least=10),
        Figure("the same, against decoding anew as well", kept / decoding, "times", at_least=10),
        Figure("features kept", kept, "clips/s"),
        Figure("encoding anew", encoding, "clips/s"),
        Figure("decoding anew as well", decoding, "clips/s"),
    ]


def _recordings(folder: Path) -> Path:
    """A manifest of short recordings of the drawn face and the made-up voice."""
    rows = ["path,emotion,speaker"]
    for number in range(RECORDINGS):
        name = f"{number}.mp4"
        _write(folder / name, first_s=7.0 * number)
        rows.append(f"{name},{('happy', 'sad')[number % 2]},{number // 2}")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder / "manifest.csv"


def _write(path: Path, first_s: float) -> None:
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg4", rate=FPS)
        sound = file.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        picture.height, picture.width = draw_face(0.0).shape[:2]
        for number in range(FPS * RECORDING_SECONDS):
            image = draw_face(first_s + number / FPS)
            file.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        file.mux(picture.encode(None))
        samples = voice(first_s, SAMPLE_RATE * RECORDING_SECONDS)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
        frame.sample_rate = SAMPLE_RATE
        file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
