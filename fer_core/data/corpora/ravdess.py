"""RAVDESS: 24 actors speak (and sing) two sentences in eight emotions.

Files are named modality-channel-emotion-intensity-statement-repetition-actor, two digits each, as
in ``03-01-06-01-02-01-12.wav``, and lie in any folder:

    modality    01 sound and picture, 02 picture only, 03 sound only
    channel     01 speech, 02 song
    emotion     01 neutral, 02 calm, 03 happy, 04 sad, 05 angry, 06 fearful, 07 disgust,
                08 surprised
    intensity   01 normal, 02 strong (neutral has none)
    actor       01 to 24, odd numbers male, even ones female

S. R. Livingstone, F. A. Russo: The Ryerson Audio-Visual Database of Emotional Speech and Song,
PLoS ONE 13(5), 2018.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fer_core.data.corpora.folders import (
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    first_of_each,
    inside,
    media_files,
)
from fer_core.data.item import EACH_ALONE, Corpus, Item, Problem, one_emotion
from fer_core.labels import EMOTIONS

_NAME = re.compile(
    r"(?P<modality>\d\d)-(?P<take>(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)"
    r"-\d\d-\d\d-(?P<actor>\d\d))"
)
_BOTH, _PICTURE, _SOUND = "01", "02", "03"
_SUFFIXES = {_BOTH: VIDEO_SUFFIXES, _PICTURE: VIDEO_SUFFIXES, _SOUND: SOUND_SUFFIXES}
# Acted strongly is easier to tell. Neutral has one intensity, and so is neither.
_DIFFICULTY = {"01": 0.75, "02": 0.25}


def read(folder: Path, song: bool = False) -> Corpus:
    """All takes below ``folder``, the sung ones only with ``song``."""
    problems: list[Problem] = []
    named = []
    for path in media_files(folder, SOUND_SUFFIXES | VIDEO_SUFFIXES, problems):
        reason = _fault(path, song)
        if reason is None:
            named.append(path)
        else:
            problems.append(Problem(inside(folder, path), reason))
    takes: dict[str, dict[str, Path]] = {}
    for stem, path in first_of_each(folder, named, lambda path: path.stem, problems).items():
        modality, _, take = stem.partition("-")
        takes.setdefault(take, {})[modality] = path
    items = tuple(_item(folder, forms) for _, forms in sorted(takes.items()))
    return Corpus("ravdess", folder, items, tuple(problems))


def _fault(path: Path, song: bool) -> str | None:
    name = _NAME.fullmatch(path.stem)
    if name is None:
        return "not a RAVDESS name"
    if not 1 <= int(name["emotion"]) <= len(EMOTIONS):
        return "unknown emotion in its name"
    if path.suffix.lower() not in _SUFFIXES.get(name["modality"], ()):
        return "its name says another modality than its kind of file"
    if not 1 <= int(name["actor"]) <= 24 or name["intensity"] not in _DIFFICULTY:
        return "unknown actor or intensity in its name"
    if name["channel"] == "02" and not song:
        return "song, and only speech was asked for"
    return None


def _item(folder: Path, forms: Mapping[str, Path]) -> Item:
    """One take from the forms it lies there in: sound and picture in one file, or in two."""
    whole, picture, sound = (forms.get(modality) for modality in (_BOTH, _PICTURE, _SOUND))
    path = whole or picture or sound
    assert path is not None
    name = _NAME.fullmatch(path.stem)
    assert name is not None
    emotion = int(name["emotion"]) - 1
    return Item(
        key=inside(folder, path),
        path=path,
        kind="recording",
        has_sound=bool(whole or sound),
        has_picture=bool(whole or picture),
        shares=one_emotion(emotion),
        groups=EACH_ALONE,
        speaker=name["actor"],
        sex="male" if int(name["actor"]) % 2 else "female",
        sound_path=sound if picture and not whole else None,
        difficulty=0.5 if EMOTIONS[emotion] == "neutral" else _DIFFICULTY[name["intensity"]],
    )
