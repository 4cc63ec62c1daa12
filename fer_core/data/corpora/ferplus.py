"""FER+: ten people's votes on each of the 35,887 faces of FER2013, grey, 48×48, cropped tightly.

Read from either

    ferplus_train*.npz, ferplus_valid*.npz, ferplus_test*.npz
                    images uint8 (N, 48, 48), votes (N, 10), names (N,)
    fer2013new.csv  and the pictures in folders FER2013Train, FER2013Valid and FER2013Test, with the
                    columns “Usage”, “Image name” and one for each of the ten answers

FER+ has no calm: neutral means neutral or calm. What is learned is how the votes for the seven
emotions are shared out; what is *scored* is the picture's majority, by the usual protocol: not
where unknown and not-a-face together reach the largest emotion, contempt wins, or two emotions tie.
Pictures that are not scored still train if more than half of their votes are for the seven.

E. Barsoum et al.: Training Deep Networks for Facial Expression Recognition with Crowd-Sourced
Label Distribution, ICMI 2016; I. Goodfellow et al.: Challenges in Representation Learning, 2013.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_core.data.corpora.emotion_names import EMOTION_OF
from fer_core.data.corpora.folders import inside, located_rows, media_files
from fer_core.data.item import NEUTRAL_OR_CALM, Corpus, Item, OfficialSplit, Problem
from fer_core.data.npz import length_of_array, read_arrays
from fer_core.errors import UserError
from fer_core.labels import CLASSES

ANSWERS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "nf",  # not a face
)
EMOTIONS, CONTEMPT = 8, 7  # the first eight answers are emotions, contempt the last of them
KNOWN = 7  # the first seven are among ours

_USAGE: dict[str, OfficialSplit] = {
    "Training": "train",
    "PublicTest": "valid",
    "PrivateTest": "test",
}
_FOLDERS: dict[OfficialSplit, str] = {
    "train": "FER2013Train",
    "valid": "FER2013Valid",
    "test": "FER2013Test",
}
_OF_ANSWER = [EMOTION_OF[answer] for answer in ANSWERS[:KNOWN]]

Votes = NDArray[np.int64]  # (N, 10)


def read(folder: Path) -> Corpus:
    """All pictures in ``folder`` on which most votes are for a known emotion."""
    problems: list[Problem] = []
    items: list[Item] = []
    for split in _FOLDERS:
        for path in sorted(folder.glob(f"ferplus_{split}*.npz")):
            items += _from_npz(folder, path, split, problems)
    if not items:
        for table in sorted(folder.rglob("fer2013new.csv")):
            items += _from_table(folder, table, problems)
    seen: set[str] = set()
    unique = []
    for item in items:
        if item.key in seen:
            problems.append(Problem(item.key, "same name as another picture"))
        else:
            seen.add(item.key)
            unique.append(item)
    return Corpus("ferplus", folder, tuple(unique), tuple(problems))


def _from_npz(
    folder: Path, path: Path, split: OfficialSplit, problems: list[Problem]
) -> list[Item]:
    try:
        votes, names = read_arrays(path, "votes", "names")
        pictures = length_of_array(path, "images")
    except UserError:
        problems.append(Problem(inside(folder, path), "not a file of FER+ pictures and votes"))
        return []
    if names.ndim != 1 or votes.shape != (len(names), len(ANSWERS)) or pictures != len(names):
        problems.append(Problem(inside(folder, path), "not ten votes for each picture"))
        return []
    paths = [path] * len(names)
    splits = [split] * len(names)
    counts = votes.astype(np.int64)  # bytes would overflow in sums
    return _items(names.tolist(), paths, range(len(names)), counts, splits, problems)


def _from_table(folder: Path, table: Path, problems: list[Problem]) -> list[Item]:
    pictures = {
        (path.parent.name, path.name): path for path in media_files(folder, (".png",), problems)
    }
    broken = {Path(problem.where).name for problem in problems}
    names, paths, votes, splits = [], [], [], []
    for where, row in located_rows(folder, table, problems):
        name, split = row.get("image name", ""), _USAGE.get(row.get("usage", ""))
        if not name:
            continue  # FER+ took these out of FER2013
        if split is None:
            problems.append(Problem(where, "unknown usage"))
            continue
        path = pictures.get((_FOLDERS[split], name))
        if path is None:
            if name not in broken:
                problems.append(Problem(f"{_FOLDERS[split]}/{name}", "no such picture"))
            continue
        try:
            votes.append([int(row[answer]) for answer in ANSWERS])
        except (KeyError, ValueError):
            problems.append(Problem(where, "no ten votes"))
            continue
        names.append(name)
        paths.append(path)
        splits.append(split)
    counts = np.array(votes, np.int64).reshape(-1, len(ANSWERS))
    return _items(names, paths, [0] * len(names), counts, splits, problems)


def _items(
    names: Sequence[str],
    paths: Sequence[Path],
    indices: Iterable[int],
    votes: Votes,  # (N, 10)
    splits: Sequence[OfficialSplit],
    problems: list[Problem],
) -> list[Item]:
    scored = are_scored(votes)
    known = votes[:, :KNOWN].sum(axis=1)
    usable = scored | (2 * known > votes.sum(axis=1))
    shares = np.zeros((len(votes), CLASSES))
    shares[:, _OF_ANSWER] = votes[:, :KNOWN] / np.maximum(known, 1)[:, None]
    agreement = shares.max(axis=1)
    items = []
    for i, (name, path, index, split) in enumerate(zip(names, paths, indices, splits, strict=True)):
        if not usable[i]:
            problems.append(Problem(name, "most votes are for none of the seven emotions"))
            continue
        items.append(
            Item(
                key=f"{split}/{name}",
                path=path,
                kind="still",
                has_sound=False,
                has_picture=True,
                shares=tuple(shares[i].tolist()),
                groups=NEUTRAL_OR_CALM,
                index=index,
                official_split=split,
                difficulty=float(1 - agreement[i]),
                scored=bool(scored[i]),
            )
        )
    return items


def are_scored(votes: Votes) -> NDArray[np.bool_]:
    """Which pictures the protocol scores by their majority, (N, 10) -> (N,)."""
    emotions = votes[:, :EMOTIONS]
    top = emotions.max(axis=1)
    alone = (emotions == top[:, None]).sum(axis=1) == 1
    told = votes[:, EMOTIONS:].sum(axis=1) < top
    return alone & told & (emotions.argmax(axis=1) != CONTEMPT)
