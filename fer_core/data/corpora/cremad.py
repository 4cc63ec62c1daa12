"""CREMA-D: 91 actors speak twelve sentences in six emotions.

Files are named actor_sentence_emotion_level, as in ``1001_DFA_ANG_XX``, with ``.flv`` or ``.mp4``
for sound and picture, ``.wav`` or ``.mp3`` for sound, in any folder. Emotions: ANG, DIS, FEA, HAP,
NEU, SAD. Levels: LO, MD, HI, XX (not given). ``VideoDemographics.csv``, if it lies there, tells the
actors' sexes. Nobody was asked to be calm, so neutral means neutral or calm; surprise is missing.

H. Cao et al.: CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, IEEE Transactions on
Affective Computing 5(4), 2014.
"""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.data.corpora.emotion_names import emotion_of
from fer_core.data.corpora.folders import first_of_each, inside, located_rows, media_files
from fer_core.data.item import NEUTRAL_OR_CALM, Corpus, Item, Problem, Sex, one_emotion

_NAME = re.compile(r"(?P<actor>1\d{3})_[A-Z]{3}_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX?)")
_EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
_FORMS = (".mp4", ".flv", ".avi", ".wav", ".flac", ".mp3")  # of one take, the best first
_SOUND_FORMS = (".wav", ".flac", ".mp3")
_DIFFICULTY = {"LO": 0.75, "MD": 0.5, "HI": 0.25}


def read(folder: Path) -> Corpus:
    """All takes below ``folder``."""
    problems: list[Problem] = []
    named = []
    for path in media_files(folder, _FORMS, problems):
        name = _NAME.fullmatch(path.stem)
        if name is None:
            problems.append(Problem(inside(folder, path), "not a CREMA-D name"))
        elif name["emotion"] not in _EMOTIONS:
            problems.append(Problem(inside(folder, path), "unknown emotion in its name"))
        else:
            named.append(path)
    sexes = _sexes(folder, problems)
    named.sort(key=lambda path: _FORMS.index(path.suffix.lower()))
    takes: dict[str, Path] = {}
    for path in first_of_each(folder, named, lambda path: path.name.lower(), problems).values():
        takes.setdefault(path.stem, path)
    items = tuple(_item(folder, path, sexes) for _, path in sorted(takes.items()))
    return Corpus("cremad", folder, items, tuple(problems))


def _item(folder: Path, path: Path, sexes: dict[str, Sex]) -> Item:
    name = _NAME.fullmatch(path.stem)
    assert name is not None
    emotion = emotion_of(name["emotion"])
    assert emotion is not None
    return Item(
        key=inside(folder, path),
        path=path,
        kind="recording",
        has_sound=True,
        has_picture=path.suffix.lower() not in _SOUND_FORMS,
        shares=one_emotion(emotion),
        groups=NEUTRAL_OR_CALM,
        speaker=name["actor"],
        sex=sexes.get(name["actor"]),
        difficulty=_DIFFICULTY.get(name["level"], 0.5),
    )


def _sexes(folder: Path, problems: list[Problem]) -> dict[str, Sex]:
    sexes: dict[str, Sex] = {}
    for path in sorted(folder.rglob("VideoDemographics.csv")):
        for _, row in located_rows(folder, path, problems):
            sex = row.get("sex", "").lower()
            if sex in ("female", "male"):
                sexes[row.get("actorid", "")] = "female" if sex == "female" else "male"
    return sexes
