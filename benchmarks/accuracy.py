"""How often the bundled model is right: ``python -m benchmarks.accuracy --ferplus DIR ...``.

Not among ``python -m benchmarks``, because it needs the corpora. RAVDESS is scored here by the
validation actors of the split "bundled" alone, which chose the model's temperatures: ``train.py
crossval`` scores the way it was trained on people of whom nothing was known.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.figures import Figure
from fer_core.config import VisionConfig
from fer_core.data.clips import Modalities
from fer_core.data.corpora.registry import read_corpus
from fer_core.data.datasets import NEUTRAL
from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.data.pairs import paired, pairs_of, voice_of
from fer_core.data.splits import split
from fer_core.data.stills import read_still
from fer_core.data.store import MediaStore, Prepared
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.scores import Scores, score
from fer_core.labels import EMOTIONS
from fer_core.media import CLIP_SECONDS, RgbImage
from fer_core.model.answer import REST
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.preprocess.face import FaceDetector
from fer_core.preprocess.image import looked_at
from fer_core.preprocess.opencv import cv2
from fer_core.resources import bundled_model
from fer_core.weights import load_checkpoint

SCENE = (480, 640)  # height and width of the picture of a usual webcam
SIDES = (140, 300)  # pixels: how large a face is in it
VIDEO, AUDIO = Modalities(audio=False), Modalities(video=False)


class PastedFaces(MediaStore):
    """Stills as a webcam would show them: somewhere in a larger picture, where they are looked for.

    What is at a still's edge goes on to the picture's edge.
    """

    def __init__(self, folder: Path, vision: VisionConfig) -> None:
        super().__init__(folder, vision)
        self._detector = FaceDetector()
        self.missed: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._detector.close()

    def prepared(self, item: Item) -> Prepared:
        scene = pasted(read_still(item), np.random.default_rng(item.index))
        faces = self._detector.detect(scene)
        nothing = np.zeros(0)
        if not faces:
            self.missed.add(item.index)
            return Prepared(CLIP_SECONDS, None, [], np.zeros((0, 196), np.bool_), nothing, nothing)
        picture, roi = looked_at(scene, faces[0], self._vision)
        return Prepared(CLIP_SECONDS, None, [picture], roi[None], np.zeros(1), nothing)


def pasted(face: RgbImage, rng: np.random.Generator) -> RgbImage:
    """``face`` at a random size and place in a picture (480, 640, 3) of its extended edges."""
    height, width = SCENE
    side = int(rng.integers(SIDES[0], SIDES[1] + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    around = ((top, height - side - top), (left, width - side - left), (0, 0))
    return np.pad(np.asarray(large, np.uint8), around, "edge")


def faces(model: MultimodalFER, items: Sequence[Item], cache: Path) -> list[Figure]:
    """FER+ valid, vision alone: as they are, and found in a larger picture."""
    plain = scored(model, items, MediaStore(cache, model.config.vision), VIDEO)
    with PastedFaces(cache, model.config.vision) as store:
        found = scored(model, items, store, VIDEO)
    return [
        Figure("FER+ valid, WAR", plain.war, f"of {plain.n}", at_least=0.85),
        Figure("FER+ valid, UAR", plain.uar, ""),
        Figure("FER+ valid, calibration error", plain.ece, "", at_most=0.05),
        Figure("pasted and detected, WAR", found.war, "", at_least=plain.war - 0.02),
        Figure("pasted, faces missed", len(store.missed), f"of {len(items)}"),
    ]


def pairs(model: MultimodalFER, items: Sequence[Item], cache: Path) -> list[Figure]:
    """100 pairs an emotion of a FER+ valid face and an utterance of a validation actor."""
    joined = pairs_of(items)
    store = MediaStore(cache, model.config.vision)
    both, heard, seen = (
        scored(model, joined, store, shown) for shown in (Modalities(), AUDIO, VIDEO)
    )
    return [
        Figure("pairs, heard and seen, UAR", both.uar, f"of {both.n}", at_least=0.88),
        Figure("pairs, calibration error", both.ece, "", at_most=0.05),
        Figure("pairs, heard alone, UAR", heard.uar, ""),
        Figure("pairs, seen alone, UAR", seen.uar, "neutral is calm in half of them"),
        *(
            Figure(f"pairs, {name} at rest, UAR", scored(model, own, store, Modalities()).uar, what)
            for name, own, what in (
                ("face", resting_faces(joined), "of the six emotions heard"),
                ("voice", resting_voices(joined), "of the six emotions seen"),
            )
        ),
    ]


def resting_faces(pairs: Sequence[Item]) -> list[Item]:
    """The pairs of ``pairs`` that show an emotion, each with a neutral face in place of its own."""
    rng = np.random.default_rng(0)
    faces = [pair.face for pair in pairs if pair.emotion < REST and pair.face is not None]
    showing = [pair for pair in pairs if pair.emotion >= REST]
    return [paired(voice_of(pair), faces[rng.integers(len(faces))]) for pair in showing]


def resting_voices(pairs: Sequence[Item]) -> list[Item]:
    """The same with a neutral voice; what the face shows is then right."""
    rng = np.random.default_rng(0)
    voices = [voice_of(pair) for pair in pairs if pair.emotion == NEUTRAL]
    return [
        replace(paired(voices[rng.integers(len(voices))], pair.face), shares=pair.shares)
        for pair in pairs
        if pair.emotion >= REST and pair.face is not None
    ]


def voices(model: MultimodalFER, items: Sequence[Item], cache: Path) -> list[Figure]:
    """The validation actors' RAVDESS speech, audio alone."""
    heard = scored(model, items, MediaStore(cache, model.config.vision), AUDIO)
    return [
        Figure("RAVDESS validation actors, UAR", heard.uar, f"of {heard.n}", at_least=0.71),
        Figure(
            "RAVDESS validation actors, calibration error",
            heard.ece,
            f"by chance {heard.ece_by_chance:.3f}",
            at_most=0.05,
        ),
    ]


def clips(model: MultimodalFER, folder: Path, cache: Path) -> list[Figure]:
    """Whole files: acted ones by their names, and neutral talk, which shall be called nothing."""
    store, figures = MediaStore(cache, model.config.vision), []
    right = calm = 0
    for path in sorted(folder.iterdir()):
        item = clip_of(path)
        if item is None:
            continue
        answers = evaluate(model, [item], store, Modalities()).calibrated(model.config.temperatures)
        probabilities = answers.log_probabilities()[0].exp()
        said, confidence = EMOTIONS[int(probabilities.argmax())], float(probabilities.max())
        changes = max(
            int((window[1:] != window[:-1]).sum()) for window in answers.segment_logits.argmax(-1)
        )
        figures.append(Figure(f"{path.name}: {said}, changes of segments", changes, ""))
        if path.name.startswith("grid"):
            unsure = confidence < model.config.thresholds.uncertain_below.of(
                bool(answers.heard[0].any()), bool(answers.seen[0].any())
            )
            calm += (said in ("neutral", "calm") or unsure) and changes <= 1
        else:
            right += said == EMOTIONS[item.emotion]
    return [
        *figures,
        Figure("acted clips, named right", right, "of 5", at_least=4),
        Figure("talking clips, neutral, calm or uncertain", calm, "of 3", at_least=3),
    ]


def clip_of(path: Path) -> Item | None:
    """The clip with the emotion its name says, None if it says none.

    Names are those of RAVDESS (01-01-...), cremad_EMOTION... for takes of CREMA-D, and grid_... for
    talk of the GRID corpus (M. Cooke et al. 2006), which is neutral.
    """
    name = path.stem
    if name.startswith("01-01-"):
        emotion = int(name.split("-")[2]) - 1
    elif name.startswith(("cremad_", "grid_")):
        emotion = EMOTIONS.index(name.split("_")[1]) if name.startswith("cremad") else 0
    else:
        return None
    return Item(
        path.name, path, "recording", has_sound=True, has_picture=True,
        shares=one_emotion(emotion), groups=EACH_ALONE, speaker=name,
    )  # fmt: skip


def scored(
    model: MultimodalFER, items: Sequence[Item], store: MediaStore, shown: Modalities
) -> Scores:
    answers: Answers = evaluate(model, items, store, shown)
    return score(answers.calibrated(model.config.temperatures))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    made.add_argument("--ferplus", type=Path, metavar="DIR", help="its validation pictures")
    made.add_argument("--ravdess", type=Path, metavar="DIR", help="its speech: actors 17, 18, 22")
    made.add_argument("--clips", type=Path, metavar="DIR", help="files named as clip_of says")
    made.add_argument("--model", type=Path, default=bundled_model())
    made.add_argument("--cache", type=Path, default=Path("out/cache"))
    return made


def main() -> int:
    options = parser().parse_args()
    if not (options.ferplus or options.ravdess or options.clips):
        parser().error("name at least one of --ferplus, --ravdess and --clips")
    model = load_checkpoint(options.model)
    figures: list[Figure] = []
    stills: list[Item] = []
    heard: list[Item] = []
    if options.ferplus:
        (fold,) = split(read_corpus("ferplus", options.ferplus), "valid")
        stills = list(fold.test)
        figures += faces(model, stills, options.cache)
    if options.ravdess:
        (fold,) = split(read_corpus("ravdess", options.ravdess), "bundled", allow_missing=True)
        heard = list(fold.validation)
        figures += voices(model, heard, options.cache)
    if stills and heard:
        figures += pairs(model, [*heard, *stills], options.cache)
    if options.clips:
        figures += clips(model, options.clips, options.cache)
    print(*figures, sep="\n")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
