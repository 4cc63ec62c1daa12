"""One labelled thing of a corpus, and a corpus as the list of them.

A label is a share for each of the eight emotions, because some corpora hold the votes of several
people. Where a corpus cannot tell two emotions apart they form one *group*: FER+ "neutral" means
neutral or calm. Loss and scores take the sum of a group's probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fer_core.labels import CLASSES, EMOTIONS

Shares = tuple[float, ...]  # (8,) in the order of EMOTIONS, sum 1; only a group's first may be > 0
Groups = tuple[int, ...]  # (8,): the first emotion of the group that each emotion is in
Sex = Literal["female", "male"]
OfficialSplit = Literal["train", "valid", "test"]

EACH_ALONE: Groups = tuple(range(CLASSES))
NEUTRAL_OR_CALM: Groups = (0, 0, *range(2, CLASSES))  # neutral and calm are one group


@dataclass(frozen=True, slots=True)
class Item:
    """An utterance, a silent video or a still picture with its label.

    ``still``: the picture is cropped to the face, which fills it.
    """

    key: str  # unique in its corpus, the same on every machine: a path inside the folder, or a name
    path: Path
    kind: Literal["recording", "still"]
    has_sound: bool
    has_picture: bool
    shares: Shares
    groups: Groups
    speaker: str | None = None  # None: unknown
    sex: Sex | None = None
    start_s: float = 0.0
    end_s: float | None = None  # None: to the end of the file
    sound_path: Path | None = None  # the sound lies in a file of its own
    index: int = 0  # of a still in a file of many
    frame_rate: float | None = None  # the path is a folder of frames, so many of them a second
    official_split: OfficialSplit | None = None
    official_fold: int | None = None  # for corpora that publish numbered folds
    difficulty: float = 0.5  # 0 easiest, 1 hardest: intensity of the acting, agreement of the votes
    face: Item | None = None  # a still that is shown while this is heard; see data/pairs.py
    scored: bool = True  # False: to learn from, but its corpus's protocol keeps it out of scores

    @property
    def emotion(self) -> int:
        """The emotion with the largest share; the first of its group."""
        return max(range(CLASSES), key=self.shares.__getitem__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or a row that cannot be used, and why, in a few words that can be counted."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was found in ``folder``."""

    name: str
    folder: Path
    items: tuple[Item, ...]
    problems: tuple[Problem, ...]
    licence: str = "not stated"  # one line


def one_emotion(emotion: int) -> Shares:
    """The shares of a label without doubt.

    Raises:
        ValueError: there is no such emotion.
    """
    if emotion not in range(CLASSES):
        raise ValueError(f"emotion {emotion} is not one of {len(EMOTIONS)}")
    return tuple(float(i == emotion) for i in range(CLASSES))
